"""A tool that a model can use before it answers, and the result of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel

from harness.core.marks import Marks
from harness.core.message import Image, Message

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Status: TypeAlias = Literal[
    "ok",
    "not-found",
    "unavailable",
    "unknown-tool",
    "bad-arguments",
    "malformed",
    "forged",
    "repeated",
    "over-limit",
]
"""ok: the tool gave something. not-found: it was used rightly and has nothing to give for this picture. unavailable: the
toolbox is made to fail. unknown-tool, bad-arguments, malformed: the call was wrong. forged: the model wrote an
observation itself. repeated: the same call again. over-limit: no calls or pictures are left."""

VALID: frozenset[Status] = frozenset({"ok", "not-found", "unavailable"})
"""What became of calls that were written rightly."""


UNASKED = 0
"""The turn of a call that nobody made: what it gives stands in the first request (the protocol `given`)."""

SECOND_OPINION = "second_opinion"
"""The tool whose result is the reply of a second model."""

LIMIT_RULE = "agent-limit"
"""The rule of a trial in which a limit ended the calls."""


@runtime_checkable
class ToolFrames(Protocol):
    """The pictures of one sample as a tool may see them: decoded, upright, RGB, within the limits of `harness.media`.

    There is no path and no address in it. Frames are counted from 0, in order of time.
    """

    @property
    def count(self) -> int:
        """1 for a picture; the frames of a clip."""
        ...

    def pixels(self, frame: int) -> Pixels:
        """Raises MediaError where the picture cannot be read."""
        ...

    def marks(self, frame: int) -> Marks | None:
        """Where the face lies, in pixels of the frame; None where nothing says so."""
        ...

    def units(self, frame: int) -> Mapping[int, float] | None:
        """FACS number -> intensity, 0 to 1, of a drawn face; None where the source does not know."""
        ...

    def pose(self, frame: int) -> tuple[float, float, float] | None:
        """Yaw, pitch and roll of a drawn face in degrees (`harness.core.marks.KnownFace`); None where not known."""
        ...

    def moment(self, name: Literal["onset", "apex", "offset"]) -> int | None:
        """The frame of that moment of a clip; None for a picture, and where it is not annotated."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool gives."""

    text: str
    pictures: tuple[Pixels, ...] = ()
    found: bool = True
    """False: the tool was used rightly and has nothing to give, which `text` says."""
    asks: bool = False
    """Whether a second model is asked what to give; `text` stands where none can be."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A pure function of the pictures of a sample and of arguments: equal ones give equal findings."""

    name: str
    """One word in lower case, as a model writes it."""
    description: str
    """What it does and when it helps, for the model and for `harness list tools`."""
    arguments: type[BaseModel]
    """What it takes; unknown names are refused whatever the model's own configuration."""
    use: Callable[[ToolFrames, Any], Finding]
    """Given the frames and an instance of `arguments`. May raise MediaError, which the model is told."""
    version: str = "1"
    """Changes whenever the same call may give something else; part of the basis of cells that offer the tool."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a model wrote it."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools that a server is told apart from the conversation (`agent:native`)."""

    tools: tuple[Mapping[str, Any], ...]
    """Name, description and arguments (JSON schema) of each."""
    closed: bool = False
    """Whether no more calls may be made."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a model is shown of a call."""

    text: str
    pictures: tuple[Image, ...] = ()
    status: Status = "ok"
    donor: str = ""
    """The sample that it is really of, where the toolbox is made to lie with another one and what that gives is another
    finding."""
    asks: bool = False
    """Whether a second model is to be asked, whose reply then stands in place of `text`."""
    question: tuple[Message, ...] | None = None
    """What it is asked, where that is not the prompt of the trial."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a trial, for the record."""

    turn: int
    """The model's reply in which it stood, 1 and up; UNASKED where the model was given it."""
    name: str
    """The tool; empty where the call could not be read."""
    arguments: str
    """JSON in the order of the keys; cut at 500 characters. Of a malformed call its text."""
    status: Status
    pictures: int = 0
    """How many were shown."""
    donor: str = ""

    def to_json(self) -> list[int | str]:
        """As the journal writes it."""
        return [self.turn, self.name, self.arguments, self.status, self.pictures, self.donor]


@runtime_checkable
class Toolbox(Protocol):
    """The tools of a cell, bound to the pictures of one sample."""

    @property
    def offered(self) -> Sequence[Mapping[str, Any]]:
        """Name, description and arguments (JSON schema) of each tool, as a model is told them."""
        ...

    @property
    def digest(self) -> str:
        """Hex digest of all that determines what its tools give, besides the call."""
        ...

    def use(self, call: Call, *, side: int) -> Observation:
        """What comes of a call; pictures have at most `side` pixels on their longer side. Pure."""
        ...


@dataclass(frozen=True, slots=True)
class NoTools:
    """A toolbox to count requests with: nothing is in it."""

    offered: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    digest: str = ""

    def use(self, call: Call, *, side: int) -> Observation:
        """Nothing is known."""
        return Observation(f"There is no tool {call.name!r}.", status="unknown-tool")
