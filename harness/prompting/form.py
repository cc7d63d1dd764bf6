"""A conversation rendered once, with placeholders for pictures: most samples of a task differ only in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.message import Image, Message, Role, Text, Video, Visual
from harness.core.prompt import Rendering

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Form:
    """A rendering whose pictures are numbers."""

    turns: tuple[tuple[Role, tuple[Text | int, ...]], ...]
    awaiting: str | None
    variables: Mapping[str, object]
    """What it was rendered with."""

    def suits(self, variables: Mapping[str, object]) -> bool:
        """Whether these are the same objects. Equal ones are not enough: 1 and True print differently."""
        if len(variables) != len(self.variables):
            return False
        return all(self.variables.get(name, _ABSENT) is value for name, value in variables.items())

    def filled(self, pictures: Sequence[Visual]) -> Rendering:
        """The conversation with these pictures, as many as it was made for."""
        messages = tuple(
            Message(role, tuple(pictures[p] if isinstance(p, int) else p for p in parts))
            for role, parts in self.turns
        )
        return Rendering(messages, self.awaiting)


def shape_of(pictures: Sequence[Visual]) -> tuple[int, ...]:
    """For each video its number of frames, for each picture 0: all of them that a template can see."""
    return tuple(len(p.frames) if isinstance(p, Video) else 0 for p in pictures)


def stand_ins(shape: Sequence[int]) -> tuple[Visual, ...]:
    """Pictures and videos that are told apart by their names alone."""
    return tuple(_stand_in(str(number), frames) for number, frames in enumerate(shape))


def _stand_in(name: str, frames: int) -> Visual:
    blank = Image(name, b"", digest="-")
    return Video(name, (blank,) * frames, (0,) * frames, 1.0, digest="-") if frames else blank


def form_of(rendering: Rendering, blank: Sequence[Visual], variables: Mapping[str, object]) -> Form:
    """The form of a rendering of `blank`, which `stand_ins` made."""
    places = {picture.name: number for number, picture in enumerate(blank)}
    turns = tuple(
        (m.role, tuple(p if isinstance(p, Text) else places[p.name] for p in m.parts))
        for m in rendering.messages
    )
    return Form(turns, rendering.awaiting, dict(variables))
