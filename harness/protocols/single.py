"""One request, one reply, and the reply is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.protocol import Ask, Done, Render


@dataclass(frozen=True, slots=True)
class Single:
    """The prompt is put once."""

    name: str = "single"
    description: str = "one request; the reply is the answer"

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Ask first, then Done. Raises HarnessError for a prompt that waits for a named reply."""
        if replies:
            return Done(replies[-1])
        rendering = render({})
        if rendering.awaiting is not None:
            raise HarnessError(
                f"the prompt uses a reply called {rendering.awaiting!r}, "
                f"which the protocol 'single' never produces",
                hint="set `protocol: describe-then-answer` in the prompt's front matter, "
                "or remove the reply tag",
            )
        return Ask(rendering.messages)


SINGLE = Single()
