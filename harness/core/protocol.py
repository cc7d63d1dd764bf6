"""How a sample becomes an answer: a pure function of the replies so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from harness.core.message import Message
from harness.core.prompt import Rendering

Render: TypeAlias = Callable[[Mapping[str, str]], Rendering]
"""Renders the trial's prompt with the replies so far by name."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Put this conversation to the model."""

    messages: tuple[Message, ...]
    reply: str | None = None
    """The name of the reply that is awaited; None when it is the answer itself."""
    draw: int = 0
    """Which of the trial's draws the reply belongs to, 0 and up; each draw has a seed of its own. See `Drawing`."""


@dataclass(frozen=True, slots=True)
class Done:
    """The text from which the answer is read. Kept in the trial's line of the journal where the last reply says other."""

    text: str
    votes: tuple[int, ...] = ()
    """Where replies vote, the number of replies of each conversation, in their order. Each conversation is then read by
    itself, when the run is scored, and each field's answer is what most of them say (`harness.answers.majority`);
    `text` is not read."""


@runtime_checkable
class AnswerProtocol(Protocol):
    """`single`, `describe-then-answer`, ...: the engine knows none of them by name."""

    @property
    def name(self) -> str: ...

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """What to do after these replies. Pure: same arguments, same step."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A protocol that draws several replies to one conversation, which needs a temperature above 0."""

    @property
    def draws(self) -> int:
        """How many: `Ask.draw` stays below it."""
        ...


def draws_of(protocol: AnswerProtocol) -> int:
    """How often the protocol draws in one trial; 1 for most."""
    # Asked of every trial: a look for the attribute costs a hundredth of asking whether it is a Drawing.
    return int(getattr(protocol, "draws", 1))
