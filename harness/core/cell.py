"""Cells and trials: the units of plan, resume and resampling."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

Channel: TypeAlias = Literal["free", "choice", "logprob"]
"""How an answer is taken: read from free text; from text that was held to the admissible answers; or as
the label to which the model gives the greatest probability."""

CHANNEL_LINES: Mapping[Channel, str] = MappingProxyType(
    {
        "free": "the answer is read from free text",
        "choice": "the reply is held to the labels, a JSON schema or a pattern while it is generated",
        "logprob": "the label with the greatest log-probability, with calibration",
    }
)
"""Channel -> one line about it."""
CHANNELS: tuple[Channel, ...] = tuple(CHANNEL_LINES)
FREE: Channel = "free"


@dataclass(frozen=True)
class Cell:
    """One task put to one model through one prompt under one condition by one protocol, answered on one channel."""

    task: str
    model: str
    prompt: str
    condition: str
    protocol: str
    channel: Channel = FREE
    """How the answer is taken."""

    @cached_property
    def id(self) -> str:
        """Ten hex digits that stay the same between commands."""
        parts = [self.task, self.model, self.prompt, self.condition, self.protocol]
        parts += [] if self.channel == FREE else [self.channel]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:10]


def trial_id(cell: Cell, sample: str, repeat: int = 0) -> str:
    """Name of one trial: `cell/repeat/sample` (the sample last, since its id may hold anything)."""
    return f"{cell.id}/{repeat}/{sample}"
