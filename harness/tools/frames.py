"""Pictures of a sample as tools get them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from harness.core.marks import KnownFace, Marked, Marks
from harness.core.medium import Medium
from harness.core.picture import Picture, Remembered
from harness.media.decode import open_picture
from harness.media.marks import knows_face, marks_of

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

_KEEPS_PLACES = ("frames-", "apex", "onset", "offset")
"""Beginnings of changes that choose frames: what is annotated of the picture still lies where it did."""
_HELD = 4
"""Decoded frames kept."""


class MediumFrames:
    """A `ToolFrames` over a medium: frames are decoded when a tool looks at them."""

    __slots__ = ("_decoded", "_medium")

    def __init__(self, medium: Medium) -> None:
        """`medium` is a picture or a clip as its condition shows it, before frames are chosen or made smaller."""
        self._medium = medium
        self._decoded: dict[int, Pixels] = {}

    @property
    def count(self) -> int:
        """Frames."""
        return len(self._medium.frames)

    @property
    def digest(self) -> str:
        """Hex digest over the bytes of every frame. Raises MediaError."""
        made = hashlib.sha256()
        for frame in self._medium.frames:
            made.update(hashlib.sha256(frame.read()).digest())
        return made.hexdigest()

    @property
    def in_place(self) -> bool:
        """Whether everything lies where it did before the condition changed the pictures, as annotations say."""
        return all(one.startswith(_KEEPS_PLACES) for one in self._medium.changes)

    def pixels(self, frame: int) -> Pixels:
        """The frame decoded: a copy, which the caller may change. Raises MediaError."""
        if frame not in self._decoded:
            while len(self._decoded) >= _HELD:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[frame] = open_picture(self._medium.frames[frame])
        return self._decoded[frame].copy()

    def marks(self, frame: int) -> Marks | None:
        """Those of the drawn frame, else those that the data set gives for all frames, else what the medium's finder
        sees in this frame as its condition shows it. Raises MediaError for notes or a frame that cannot be read."""
        origin = self._origin(frame)
        if isinstance(origin, Marked):
            return origin.marks()
        if self.in_place and knows_face(self._medium):
            return marks_of(self._medium, wanted_by="a tool")
        finder = self._medium.finder
        return None if finder is None else finder.marks(self._medium.frames[frame])

    def units(self, frame: int) -> Mapping[int, float] | None:
        """Those of a drawn face that nothing has changed."""
        origin = self._origin(frame)
        return origin.units() if isinstance(origin, KnownFace) else None

    def pose(self, frame: int) -> tuple[float, float, float] | None:
        """That of a drawn face that nothing has changed."""
        origin = self._origin(frame)
        return origin.pose() if isinstance(origin, KnownFace) else None

    def moment(self, name: Literal["onset", "apex", "offset"]) -> int | None:
        """The place of the annotated moment among the frames, the nearest one where it was left out."""
        number: int | None = getattr(self._medium, name)
        if number is None or self._medium.kind == "image":
            return None
        places = range(self.count)
        return min(places, key=lambda at: abs(self._medium.indices[at] - number), default=None)

    def _origin(self, frame: int) -> Picture:
        picture = self._medium.frames[frame]
        return picture.origin if isinstance(picture, Remembered) else picture
