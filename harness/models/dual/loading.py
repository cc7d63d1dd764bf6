"""Dual encoders from a folder or the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.models.dual.encoder import FORMS, DualEncoder
from harness.models.transformers.checkpoint import Checkpoint
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.loading import check_whole, told


def check_folder(folder: Path) -> None:
    """Raise HarnessError for a checkpoint that is no dual encoder known here, by its settings."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind = str(config["model_type"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise HarnessError(
            f"{path} names no model type: {error}", hint="get the file again"
        ) from None
    if kind not in FORMS:
        raise HarnessError(
            f"{folder} is a {kind} model; clip: reads {' and '.join(FORMS)}",
            hint="for a model that writes text, use transformers:",
        )


def load_encoder(checkpoint: Checkpoint) -> DualEncoder:
    """The checkpoint in memory: on a GPU where there is one, in float32, so that features of one picture and of many
    agree. Raises HarnessError where it cannot be loaded."""
    torch, transformers = import_libraries()
    folder = checkpoint.folder
    with told(folder, transformers):
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        model, found = transformers.AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **here
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **here)
        pictures = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **here)
    check_whole(folder, found)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.eval().to(device)
    model.requires_grad_(False)
    return DualEncoder(model, tokenizer, pictures, torch=torch)
