"""Send the same conversation several times; the answer is the majority of the replies.

Self-consistency, after Wang et al., ICLR 2023. Prompts whose answer follows on named replies are put whole each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.protocol import Ask, Done, Render
from harness.protocols.family import ProtocolFamily


@dataclass(frozen=True, slots=True)
class Vote:
    """Puts the prompt `draws` times, each with a seed of its own."""

    name: str
    draws: int

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"the prompt {self.draws} times; the answer is what most of the replies say"

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Replay the replies, conversation by conversation; ask for the next, or let the last ones vote."""
        lengths: list[int] = []
        texts: list[str] = []
        left = iter(replies)
        for draw in range(self.draws):
            named: dict[str, str] = {}
            while True:
                rendering = render(dict(named))
                reply = next(left, None)
                if reply is None:
                    return Ask(rendering.messages, rendering.awaiting, draw)
                if rendering.awaiting is None:
                    break
                named[rendering.awaiting] = reply
            lengths.append(len(named) + 1)
            texts.append(reply)
        return Done("\n".join(texts), votes=tuple(lengths))


VOTE = ProtocolFamily(
    "vote-N",
    "the prompt N times at a temperature above 0; the answer is what most replies say, and a tie is ambiguous: "
    "--protocol vote --repeats 5",
    Vote,
)
