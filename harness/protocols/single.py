"""One request, one reply, and the reply is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.protocol import Ask, Done, Render
from harness.protocols.unnamed import rendered

_HINT = "set `protocol: describe-then-answer` in the prompt's front matter, or remove the reply tag"


@dataclass(frozen=True, slots=True)
class Single:
    """The prompt is put once."""

    name: str = "single"
    description: str = "one request; the reply is the answer"

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Ask first, then Done. Raises HarnessError for a prompt that waits for a named reply."""
        if replies:
            return Done(replies[-1])
        return Ask(rendered(render, "single", hint=_HINT).messages)


SINGLE = Single()
