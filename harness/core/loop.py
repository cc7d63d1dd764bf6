"""Models that make their calls in a loop of their own: the tools they are lent, and the record of a trial."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.core.tool import Called, Toolbox


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """How far a trial may go. At a limit the model is asked once more, for its answer."""

    turns: int = 6
    """Replies that may hold calls."""
    calls: int = 8
    """Calls, wrong ones among them."""
    pictures: int = 8
    """Pictures shown by tools."""
    side: int = 448
    """Longer side of each, in pixels."""
    tokens: int = 512
    """Tokens that each reply may have at least, also where the answer alone has fewer."""
    total: int = 4096
    """Tokens of all replies together, after which no more calls are carried out."""


@dataclass(frozen=True, slots=True)
class LentTools:
    """Tools that a model may call by itself before it replies."""

    toolbox: Toolbox
    limits: AgentLimits

    @property
    def digest(self) -> str:
        """Of all that determines what the tools give, and how often."""
        told = json.dumps([self.toolbox.digest, asdict(self.limits)])
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LoopRecord:
    """What a model did in a loop of its own before it replied."""

    turns: tuple[tuple[str, str], ...]
    """Role and text of what followed the conversation, with `[image N]` for pictures."""
    calls: tuple[Called, ...] = ()
    limited: bool = False
    """Whether a limit ended the calls."""

    def to_json(self) -> dict[str, Any]:
        """As the journal writes it."""
        return {
            "turns": [list(turn) for turn in self.turns],
            "calls": [call.to_json() for call in self.calls],
            "limited": self.limited,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> LoopRecord:
        """Of a journal line."""
        return cls(
            tuple((role, text) for role, text in record["turns"]),
            tuple(Called(*call) for call in record["calls"]),
            bool(record["limited"]),
        )
