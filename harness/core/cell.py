"""Cells and trials: the units of plan, resume and resampling."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Cell:
    """One task put to one model through one prompt under one condition by one protocol."""

    task: str
    model: str
    prompt: str
    condition: str
    protocol: str

    @cached_property
    def id(self) -> str:
        """Ten hex digits that stay the same between commands."""
        parts = "\x1f".join((self.task, self.model, self.prompt, self.condition, self.protocol))
        return hashlib.sha256(parts.encode()).hexdigest()[:10]


def trial_id(cell: Cell, sample: str, repeat: int = 0) -> str:
    """Name of one trial: `cell/repeat/sample` (the sample last, since its id may hold anything)."""
    return f"{cell.id}/{repeat}/{sample}"
