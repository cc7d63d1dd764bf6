"""Conditions applied one to what the other shows: `degrade:low-res=4/enhance:clahe`.

`+` shows the pictures of one condition and then those of another; `/` shows the last alone. `/` binds closer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.core.condition import Condition, Placing, takes_whole_clip, variables_of
from harness.core.errors import MediaError
from harness.core.marks import Marked, Marks
from harness.core.medium import Medium
from harness.core.picture import Picture, Remembered
from harness.media.marks import marks_of

SIGN = "/"


@dataclass(frozen=True, slots=True)
class Chain:
    """Each part is applied to what the one before it shows."""

    name: str
    parts: tuple[Condition, ...]

    @property
    def description(self) -> str:
        """One line for lists."""
        return "; of that, ".join(str(getattr(p, "description", p.name)) for p in self.parts)

    @property
    def whole_clip(self) -> bool:
        """Whether one of them chooses frames."""
        return any(map(takes_whole_clip, self.parts))

    @property
    def needs_video(self) -> bool:
        """Whether one of them shows clips as video."""
        return any(bool(getattr(part, "needs_video", False)) for part in self.parts)

    @property
    def wants_sound(self) -> bool:
        """Whether one of them is about sound."""
        return any(bool(getattr(part, "wants_sound", False)) for part in self.parts)

    @property
    def hears(self) -> bool:
        """Whether one of them sends sound."""
        return any(bool(getattr(part, "hears", False)) for part in self.parts)

    @property
    def in_place(self) -> bool:
        """Whether the face stays where it is, in pixels."""
        return all(_in_place(part) for part in self.parts)

    @property
    def variables(self) -> Mapping[str, str]:
        """Those of every part; of two that give the same, the later."""
        return {name: text for part in self.parts for name, text in variables_of(part).items()}

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError where a part does."""
        for part in self.parts:
            medium = _followed(medium, part.apply(medium), part)
        return medium


def parts_of(condition: str) -> Iterator[str]:
    """The names of the single conditions in the name of one, joined (`+`) or in a chain (`/`)."""
    for joined in condition.split("+"):
        yield from joined.split(SIGN)


def _in_place(condition: Condition) -> bool:
    return isinstance(condition, Placing) and condition.in_place


def _followed(before: Medium, after: Medium, part: Condition) -> Medium:
    """What a part shows, each changed frame knowing where its face lies: as before, where the part leaves it in its
    place; else no longer, rather than wrongly."""
    known = {id(frame) for frame in before.frames}
    beside = before.frames if len(before.frames) == len(after.frames) else ()
    frames: list[Picture] = []
    moved = False
    for place, frame in enumerate(after.frames):
        origin = frame.origin if isinstance(frame, Remembered) else frame
        if id(frame) in known or isinstance(origin, Marked):
            frames.append(frame)
        elif _in_place(part) and beside:
            frames.append(_Located(frame, replace(before, frames=(beside[place],), indices=(0,))))
        else:
            moved = True
            frames.append(_Moved(frame, part.name))
    seen = replace(after, frames=tuple(frames))
    return replace(seen, notes=(), finder=None) if moved else seen


@dataclass(frozen=True, slots=True)
class _Located:
    """A changed picture whose face lies where it lay before."""

    picture: Picture
    before: Medium

    @property
    def name(self) -> str:
        return self.picture.name

    def read(self) -> bytes:
        return self.picture.read()

    def marks(self) -> Marks:
        """Those of the picture before it was changed. Raises MediaError where they are not known."""
        return marks_of(self.before, wanted_by="the next condition")


@dataclass(frozen=True, slots=True)
class _Moved:
    """A picture in which the face no longer lies where it is known to have been."""

    picture: Picture
    by: str

    @property
    def name(self) -> str:
        return self.picture.name

    def read(self) -> bytes:
        return self.picture.read()

    def marks(self) -> Marks:
        """Raises MediaError."""
        raise MediaError(
            f"{self.name}: the position of the face is not known behind {self.by}",
            kind="unsupported",
            hint=f"put what needs it first, and {self.by} behind it",
        )
