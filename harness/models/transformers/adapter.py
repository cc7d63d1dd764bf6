"""Apply PEFT adapters (LoRA and others) to a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.models.transformers.files import digest, tensors_of
from harness.models.transformers.hub import ADAPTER, fetch_adapter


@dataclass(frozen=True, slots=True)
class Adapter:
    """A folder of PEFT's save_pretrained."""

    folder: Path
    content: str
    """SHA-256 over its configuration and weights."""
    rank: int
    """Largest rank of its matrices; 0 for another kind than LoRA."""
    kind: str
    """`LORA` and others, as PEFT calls it."""


def find_adapter(argument: str) -> Adapter:
    """The adapter in a folder, or in a hub repository `OWNER/NAME`. Raises HarnessError where there is none."""
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        if argument.startswith((".", "/", "~")) or argument.count("/") != 1:
            raise HarnessError(
                f"--adapter {argument}: folder not found",
                hint="name the folder that PEFT's save_pretrained wrote",
            )
        folder = fetch_adapter(argument)
    files = [folder / name for name in ADAPTER]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise HarnessError(
            f"--adapter {argument} holds no {' and no '.join(missing)}",
            hint="name the folder that PEFT's save_pretrained wrote; weights in pickle form are not read",
        )
    told = _told(files[0])
    ranks = [told.get("r", 0), *dict(told.get("rank_pattern") or {}).values()]
    rank = max((int(r) for r in ranks if isinstance(r, int)), default=0)
    return Adapter(folder, digest(files), rank, str(told.get("peft_type", "")))


def put_on(model: Any, adapter: Adapter) -> None:
    """Add an adapter to a loaded model. Raises HarnessError where any part of it finds no place in the model.

    transformers itself only warns of that, and the replies would be those of the checkpoint alone.
    """
    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise missing_extra("peft", "adapters") from error
    try:
        info = model.load_adapter(str(adapter.folder))
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RuntimeError,
        ImportError,
    ) as error:
        raise HarnessError(
            f"the adapter {adapter.folder} could not be applied to the checkpoint: {type(error).__name__}: {error}",
            hint="it must have been trained on this checkpoint",
        ) from error
    left = (
        sorted(info.unexpected_keys)
        + sorted(info.missing_keys)
        + sorted(map(str, info.mismatched_keys))
    )
    if left or not tensors_of(adapter.folder / ADAPTER[1]):
        shown = ", ".join(left[:3]) or "it holds no weights"
        raise HarnessError(
            f"the adapter {adapter.folder} does not fit the checkpoint: {len(left)} of its parts have no counterpart "
            f"({shown})",
            hint="it must have been trained on this checkpoint",
        )


def _told(file: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{file} cannot be read: {error}", hint="save the adapter again"
        ) from error
    if not isinstance(told, dict):
        raise HarnessError(f"{file} holds no settings", hint="save the adapter again")
    return told
