"""Names of cells in the lines below tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def who_answered(entry: Mapping[str, Any]) -> str:
    """Model, prompt, condition and channel with the field, as far as they say something."""
    words = (
        entry["model"],
        entry["prompt"].strip("-"),
        entry["condition"],
        entry.get("channel", "").removeprefix("free, "),
    )
    return f"{' '.join(w for w in words if w not in {'', 'none', 'free'})}, {entry['field']}"
