"""A conversation rendered once, with places for pictures: most samples of a task differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.message import Image, Message, Role, Text
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

    def filled(self, pictures: Sequence[Image]) -> Rendering:
        """The conversation with these pictures, as many as it was made for."""
        messages = tuple(
            Message(role, tuple(pictures[p] if isinstance(p, int) else p for p in parts))
            for role, parts in self.turns
        )
        return Rendering(messages, self.awaiting)


def stand_ins(count: int) -> tuple[Image, ...]:
    """Pictures that are told apart by their names alone."""
    return tuple(Image(str(number), b"", digest="-") for number in range(count))


def form_of(rendering: Rendering, blank: Sequence[Image], variables: Mapping[str, object]) -> Form:
    """The form of a rendering of `blank`, which `stand_ins` made."""
    places = {picture.name: number for number, picture in enumerate(blank)}
    turns = tuple(
        (m.role, tuple(p if isinstance(p, Text) else places[p.name] for p in m.parts))
        for m in rendering.messages
    )
    return Form(turns, rendering.awaiting, dict(variables))
