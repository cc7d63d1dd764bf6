"""extras.json: figures reported next to the scores. Scores do not depend on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from harness.run.folder import RunFolder, write_atomically

SCHEMA = 1

Extras: TypeAlias = "Mapping[str, tuple[Mapping[str, Any], ...]]"
"""Key -> rows as plain JSON, each with its `task` (empty: of none)."""


def read_extras(folder: RunFolder) -> Extras:
    """What the file holds; nothing where there is none. Raises ValueError, OSError for a broken one."""
    if not folder.extras.is_file():
        return {}
    body = json.loads(folder.extras.read_bytes().decode("utf-8", "surrogatepass"))
    return {key: tuple(rows) for key, rows in body.items() if key != "schema"}


def write_extras(folder: RunFolder, found: Extras) -> None:
    """Replace the file. Raises HarnessError."""
    body = {"schema": SCHEMA, **{key: list(rows) for key, rows in found.items()}}
    text = json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)
    write_atomically(folder.extras, f"{text}\n".encode("utf-8", "surrogatepass"))
