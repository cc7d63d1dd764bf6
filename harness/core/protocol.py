"""How a sample becomes an answer: a pure function of the replies so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeAlias, runtime_checkable

from harness.core.constraint import Constraint, Need
from harness.core.finish import Finish
from harness.core.loop import LentTools, LoopRecord
from harness.core.message import Message, ToolCall
from harness.core.prompt import Rendering
from harness.core.tool import Called, Offer, Toolbox

Render: TypeAlias = Callable[[Mapping[str, str]], Rendering]
"""Renders the trial's prompt with the replies so far by name."""


class Reply(str):
    """A reply as a protocol is given it: its text, with why it ended and how long it was."""

    __slots__ = ("calls", "finish", "loop", "thoughts", "tokens")

    finish: Finish
    tokens: int
    """As the server or tokenizer counted them, reasoning included; 0 where they were not counted."""
    calls: tuple[ToolCall, ...]
    """Calls that the server gave apart from the text."""
    loop: LoopRecord | None
    """What the model did by itself before it replied, where it was lent tools."""
    thoughts: str
    """Its reasoning, where it said nothing else."""

    def __new__(
        cls,
        text: str,
        *,
        finish: Finish = "stop",
        tokens: int = 0,
        calls: tuple[ToolCall, ...] = (),
        loop: LoopRecord | None = None,
        thoughts: str = "",
    ) -> Self:
        made = super().__new__(cls, text)
        made.finish = finish
        made.tokens = tokens
        made.calls = calls
        made.loop = loop
        made.thoughts = thoughts
        return made


SECOND: Literal["second"] = "second"
"""The second model of a run (`--second-model`). Its reply is kept under its own identity."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Put this conversation to the model."""

    messages: tuple[Message, ...]
    reply: str | None = None
    """The name of the reply that is awaited; None when it is the answer itself."""
    draw: int = 0
    """Which of the trial's draws the reply belongs to, 0 and up; each draw has a seed of its own. See `Drawing`."""
    model: Literal["", "second"] = ""
    """Whom it is put to: the model of the cell, or SECOND."""
    room: int = 0
    """Tokens that the reply may have, where that is more than the limit of the cell."""
    offer: Offer | None = None
    """Tools that the server is told apart from the conversation."""
    lent: LentTools | None = None
    """Tools that the model may call by itself before it replies."""
    constraint: Constraint | None = None
    """What the reply is held to where the model was proved to hold to its kind; free text otherwise."""


@dataclass(frozen=True, slots=True)
class Done:
    """The text from which the answer is read. Kept in the trial's line of the journal where the last reply says other."""

    text: str
    votes: tuple[int, ...] = ()
    """Where replies vote, the number of replies of each conversation, in their order. Each conversation is then read by
    itself, when the run is scored, and each field's answer is what most of them say (`harness.answers.majority`);
    `text` is not read."""
    calls: tuple[Called, ...] = ()
    """The calls of tools, in their order."""
    rules: tuple[str, ...] = ()
    """What the trial's record should say beside the answer, such as `agent-limit`."""


@runtime_checkable
class AnswerProtocol(Protocol):
    """`single`, `describe-then-answer`, ...: the engine knows none of them by name."""

    @property
    def name(self) -> str: ...

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """What to do after these replies. Pure: same arguments, same step. Each is a `Reply` where a model gave it."""
        ...


@runtime_checkable
class UsingTools(Protocol):
    """A protocol that carries out calls of tools."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its limits and other settings, plain JSON: part of the basis of cells that offer tools."""
        ...

    def bound(self, toolbox: Toolbox) -> AnswerProtocol:
        """The protocol over the tools of one trial."""
        ...


@runtime_checkable
class Worded(Protocol):
    """A protocol that takes words behind its name and a colon: `agent:react,turns=3`."""

    @property
    def form(self) -> str:
        """How it is written, for lists and errors."""
        ...

    def with_words(self, name: str, words: str) -> AnswerProtocol:
        """The protocol of a whole name and its words. Raises HarnessError for those that do not suit."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A protocol that draws several replies to one conversation, which needs a temperature above 0."""

    @property
    def draws(self) -> int:
        """How many: `Ask.draw` stays below it."""
        ...


def needs_of(protocol: AnswerProtocol) -> frozenset[Need]:
    """What the protocol needs of a model to carry out its calls (its attribute `needs`); nothing for most."""
    return frozenset(getattr(protocol, "needs", ()))


def draws_of(protocol: AnswerProtocol) -> int:
    """How often the protocol draws in one trial; 1 for most."""
    # Asked of every trial: a look for the attribute costs a hundredth of asking whether it is a Drawing.
    return int(getattr(protocol, "draws", 1))
