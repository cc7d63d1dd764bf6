"""Weight files: named by their content, and their headers."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LONGEST_HEAD = 100_000_000
"""Bytes; safetensors itself takes no longer one."""


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over files: each one's name, size and bytes."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 22):
                total.update(block)
    return total.hexdigest()


def tensors_of(file: Path) -> dict[str, Any]:
    """Name -> dtype, shape and place of each tensor of a safetensors file; empty for a file that is none.

    The format: 8 bytes of length, little-endian, and a head in JSON (safetensors, "Format").
    """
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            head = json.loads(stream.read(min(length, _LONGEST_HEAD)))
            return {name: one for name, one in head.items() if name != "__metadata__"}
    except (OSError, ValueError, AttributeError, struct.error):
        return {}
