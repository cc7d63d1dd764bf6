"""Learned prompts in a file: safetensors with vectors and a record of how they were learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.models.dual.encoder import DualEncoder, LearnedPrompts
from harness.models.transformers.files import digest

MARK = "+tuned:"
"""Stands between the base and the file in a model's name."""
KIND = "harness tuned prompts 1"
"""What a file says that it is."""


@dataclass(frozen=True, slots=True)
class TunedFile:
    """A file of learned prompts."""

    path: Path
    record: Mapping[str, Any]
    """How they were learned: base, task, prompt, labels, settings, samples (`harness.tune`)."""
    content: str
    """SHA-256 over the file."""

    @property
    def base(self) -> str:
        """Digest of the weights that they were learned for."""
        return str(self.record["base"])

    @property
    def prompt(self) -> str:
        """The prompt whose texts they were learned with."""
        return str(self.record["prompt"])

    def vectors(self, encoder: DualEncoder) -> LearnedPrompts:
        """The vectors on the encoder's device. Raises HarnessError where they do not fit its widths."""
        from safetensors.torch import load_file

        device = encoder.model.device
        found = {name: one.to(device).float() for name, one in load_file(self.path).items()}
        context, visual = found.get("context"), found.get("visual")
        layers, width = encoder.vision
        fits = context is None or (context.ndim == 2 and context.shape[1] == encoder.width)
        if visual is not None:
            fits = fits and visual.ndim == 3 and (visual.shape[0], visual.shape[2]) == (layers, width)  # fmt: skip
        if not fits or (context is None and visual is None):
            raise HarnessError(
                f"the vectors in {self.path} do not fit the model", hint="learn them on this model"
            )
        return LearnedPrompts(context, visual)


def read_tuned(written: str) -> TunedFile:
    """The file of learned prompts. Raises HarnessError where there is none."""
    from safetensors import SafetensorError, safe_open

    path = Path(written).expanduser()
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise HarnessError(
            f"{path} cannot be read as learned prompts: {error}",
            hint="name the file that `harness tune clip` wrote",
        ) from None
    try:
        record = json.loads(told["record"])
        wrong = told.get("kind") != KIND or not {"base", "prompt"} <= set(record)
    except (KeyError, ValueError, TypeError):
        wrong = True
    if wrong:
        raise HarnessError(
            f"{path} holds tensors, and no learned prompts",
            hint="name the file that `harness tune clip` wrote",
        )
    return TunedFile(path, record, digest([path]))


def write_tuned(path: Path, learned: LearnedPrompts, record: Mapping[str, Any]) -> None:
    """Write learned prompts, whole or not at all. Raises HarnessError where that fails."""
    from safetensors.torch import save

    tensors = {
        name: one.detach().cpu().contiguous()
        for name, one in (("context", learned.context), ("visual", learned.visual))
        if one is not None
    }
    data = save(tensors, {"kind": KIND, "record": json.dumps(record, ensure_ascii=False)})
    part = path.with_name(f".{path.name}.unfinished")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be written: {error.strerror}", hint="check the folder"
        ) from None
