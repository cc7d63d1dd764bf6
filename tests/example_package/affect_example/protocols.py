"""A protocol of the example package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.protocol import Ask, Done, Render


@dataclass(frozen=True, slots=True)
class LastLine:
    """The prompt is put once, and of the reply only the last line counts."""

    name: str = "last-line"
    description: str = "one request; the last line of the reply is the answer"

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Ask first, then Done with the last line."""
        if not replies:
            rendering = render({})
            return Ask(rendering.messages, rendering.awaiting)
        return Done((replies[0].splitlines() or [""])[-1])


LAST_LINE = LastLine()
