"""Stable JSON and hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: object) -> str:
    """One spelling for one value: sorted keys, no spaces. Raises TypeError on anything not plain JSON."""
    return _CANONICAL.encode(value)


def digest_json(value: object) -> str:
    """Hex SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def digest_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
