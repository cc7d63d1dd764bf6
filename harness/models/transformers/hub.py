"""Checkpoints downloaded from the hub to its usual cache, or read from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HarnessError, missing_extra

SETTINGS = (".json", ".jinja", ".txt", ".model")
"""Endings of the files that decide how text and pictures are read: configurations, vocabulary, template."""
CODE = (".py", ".tiktoken")
"""Endings of what a repository brings for code of its own; fetched only where that was allowed by name."""
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")

_INDEX = "model.safetensors.index.json"


def fetch_checkpoint(
    argument: str, *, code: bool = False, check: Callable[[Path], None] = lambda folder: None
) -> Path:
    """The folder of a hub repository's checkpoint, `OWNER/NAME` or `OWNER/NAME@REVISION`.

    Settings come first and are given to `check`, so that nobody waits for weights that cannot be used. Of the weights
    one copy is taken: those that the index names, else `model.safetensors`, else what safetensors there are. Raises
    HarnessError where the hub gives nothing, and what `check` raises.
    """
    folder = fetch_settings(argument, code=code)
    check(folder)
    held = (
        f"{argument.partition('@')[0]}@{folder.name}"  # the same commit, whatever comes meanwhile
    )
    return _download(held, _weights(folder), without=["*/*"])


def fetch_settings(argument: str, *, code: bool = False) -> Path:
    """The folder of a hub repository with its settings alone. Raises HarnessError where the hub gives nothing."""
    endings = (*SETTINGS, *(CODE if code else ()))
    return _download(argument, [f"*{ending}" for ending in endings], without=["*/*"])


def fetch_adapter(argument: str) -> Path:
    """The folder of a hub repository's PEFT adapter. Raises HarnessError where the hub gives nothing."""
    return _download(argument, list(ADAPTER), without=[])


def _weights(folder: Path) -> list[str]:
    """Names of one copy of the weights, as patterns."""
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        return sorted({str(name) for name in index["weight_map"].values()})
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        pass
    found = _names_of(folder)
    return ["model.safetensors"] if found is None or "model.safetensors" in found else found


def _names_of(folder: Path) -> list[str] | None:
    """Safetensors of the repository that a cache folder belongs to; None where the hub cannot be asked."""
    from huggingface_hub import HfApi

    kept = folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
    try:
        names = HfApi().list_repo_files(kept, revision=folder.name)
    except (OSError, ValueError, RuntimeError):
        here = sorted(path.name for path in folder.glob("*.safetensors"))
        return here or None
    return [name for name in names if name.endswith(".safetensors") and "/" not in name]


def _download(argument: str, patterns: list[str], *, without: list[str]) -> Path:
    """Bring files of a repository into the cache, with progress bars on a terminal, and say where they lie."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars
    except ImportError as error:
        raise missing_extra("huggingface_hub", "local") from error
    name, _, revision = argument.partition("@")
    (enable_progress_bars if sys.stderr.isatty() else disable_progress_bars)()
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision or None,
                allow_patterns=patterns,
                ignore_patterns=without or None,
            )
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"folder {argument!r} does not exist, and the download from the hub failed: {error}",
            hint="check the name; a gated checkpoint needs `hf auth login`; without a network, name a "
            "folder that already holds it",
        ) from error
    finally:
        disable_progress_bars()
