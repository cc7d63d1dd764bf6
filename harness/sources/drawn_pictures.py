"""Pictures and measured cues of drawn faces, drawn when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Marks
from harness.core.sample import Scalar
from harness.faces import ClipSpec, Face, draw, encode_png, frame_at, with_cue
from harness.faces.points import marks_of


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture that is drawn, and encoded as PNG, when it is read."""

    name: str
    face: Face
    size: int

    def read(self) -> bytes:
        return encode_png(draw(self.face, size=self.size).pixels)

    def marks(self) -> Marks:
        """Its landmarks."""
        return marks_of(self.face, size=self.size)

    def units(self) -> Mapping[int, float]:
        """Its action units."""
        return {unit.number: unit.peak for unit in self.face.units}

    def pose(self) -> tuple[float, float, float]:
        """How its head is turned."""
        return self.face.pose.yaw, self.face.pose.pitch, self.face.pose.roll

    def with_cue(self, cue: str, value: str) -> ChangedPicture:
        """The same person, room and noise with one cue changed."""
        return ChangedPicture(f"{self.name}?{cue}={value}", self, cue, value)


@dataclass(frozen=True, slots=True)
class ChangedPicture:
    """A drawn picture drawn again with one cue changed, when it is read.

    For teeth the lips part equally in both arms, so that hidden and shown differ in the teeth alone.
    """

    name: str
    base: DrawnPicture
    cue: str
    value: str

    def read(self) -> bytes:
        wanted: Any = self.value == "yes" if self.cue == "teeth_visible" else self.value
        try:
            face = with_cue(
                self.base.face, part_lips=self.cue == "teeth_visible", **{self.cue: wanted}
            )
        except HarnessError as error:
            raise MediaError(error.message, kind="unsupported", hint=error.hint) from None
        return encode_png(draw(face, size=self.base.size).pixels)


@dataclass(frozen=True, slots=True)
class DrawnFrame:
    """One frame of a drawn clip."""

    name: str
    clip: ClipSpec
    frame: int
    size: int

    def read(self) -> bytes:
        return encode_png(draw(frame_at(self.clip, self.frame), size=self.size).pixels)

    def marks(self) -> Marks:
        """Its landmarks."""
        return marks_of(frame_at(self.clip, self.frame), size=self.size)

    def units(self) -> Mapping[int, float]:
        """Its action units."""
        return {unit.number: unit.peak for unit in frame_at(self.clip, self.frame).units}

    def pose(self) -> tuple[float, float, float]:
        """How its head is turned."""
        pose = frame_at(self.clip, self.frame).pose
        return pose.yaw, pose.pitch, pose.roll


class DrawnValues(Mapping[str, Any]):
    """Known values, and cues of a face that is drawn, once, when the first of them is read."""

    __slots__ = ("_cues", "_face", "_found", "_known", "_size")

    def __init__(
        self, known: Mapping[str, Any], cues: Sequence[str], *, face: Face, size: int
    ) -> None:
        self._known = known
        self._cues = cues
        self._face = face
        self._size = size
        self._found: Mapping[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        if key not in self._cues:
            return self._known[key]
        if self._found is None:
            self._found = draw(self._face, size=self._size).cues
        return self._found[key]

    def __contains__(self, key: object) -> bool:
        return key in self._known or key in self._cues

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from self._cues

    def __len__(self) -> int:
        return len(self._known) + len(self._cues)


def scalars(truth: Mapping[str, Any]) -> dict[str, Scalar]:
    """The entries that are single values."""
    return {k: v for k, v in truth.items() if v is None or isinstance(v, str | float | int | bool)}
