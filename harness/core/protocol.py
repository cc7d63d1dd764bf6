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


@dataclass(frozen=True, slots=True)
class Done:
    """The text from which the answer is read."""

    text: str


@runtime_checkable
class AnswerProtocol(Protocol):
    """`single`, `describe-then-answer`, ...: the engine knows none of them by name."""

    @property
    def name(self) -> str: ...

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """What to do after these replies. Pure: same arguments, same step."""
        ...
