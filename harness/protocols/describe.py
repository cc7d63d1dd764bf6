"""The protocol `describe-then-answer`: one request per reply tag; the last reply is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.protocol import Ask, Done, Render


@dataclass(frozen=True, slots=True)
class DescribeThenAnswer:
    """Each `{% reply as NAME %}` is filled in turn; names come from the prompt, in any number."""

    name: str = "describe-then-answer"
    description: str = "one request for each reply tag, then one whose reply is the answer"

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Replay the replies through the prompt, then ask for the next or stop at the last."""
        named: dict[str, str] = {}
        rendering = render(dict(named))
        for reply in replies:
            if rendering.awaiting is None:
                return Done(reply)
            named[rendering.awaiting] = reply
            rendering = render(dict(named))
        return Ask(rendering.messages, rendering.awaiting)


DESCRIBE_THEN_ANSWER = DescribeThenAnswer()
