"""Samples that are gone from the source: left out of tables, and counted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.run.folder import RunFolder, write_atomically


def read_gone(folder: RunFolder) -> dict[str, frozenset[str]]:
    """Task -> samples of a run that its source no longer had when it was last planned. Raises HarnessError."""
    if not folder.gone.is_file():
        return {}
    try:
        body = parse_json(folder.gone.read_text(encoding="utf-8"))
        return {name: frozenset(ids) for name, ids in body.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{folder.gone} cannot be read: {error}",
            hint="delete it; samples that are gone from the source are then not counted",
        ) from None


def write_gone(folder: RunFolder, gone: Mapping[str, Collection[str]]) -> None:
    """Write down the samples that are gone, where there are any. Raises HarnessError where that fails."""
    body = {name: sorted(ids) for name, ids in sorted(gone.items()) if ids}
    if body:
        write_atomically(folder.gone, json.dumps(body, indent=1).encode())
    else:
        folder.gone.unlink(missing_ok=True)
