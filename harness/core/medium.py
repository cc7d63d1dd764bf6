"""What a model is shown: one picture, the frames of a clip, or a clip as one video."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.core.marks import FaceFinder, Note
from harness.core.picture import Picture
from harness.core.sound import Sound


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or a clip, as handles; conditions turn one Medium into another."""

    kind: Literal["image", "clip", "video"]
    """video: a clip whose frames are sent as one video, with their times."""
    frames: tuple[Picture, ...]
    """One handle for a picture; in order of time for a clip or a video."""
    indices: tuple[int, ...] = (0,)
    """For each of `frames`, its number in the clip as annotated (onset, apex and offset count the same way)."""
    fps: float | None = None
    """Frames per second of the clip as recorded, where known."""
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    changes: tuple[str, ...] = ()
    """Names of the conditions and transforms applied so far, oldest first."""
    notes: tuple[Note, ...] = ()
    """Annotations that say where the face lies, as the data set wrote them; see `harness.media.marks`."""
    finder: FaceFinder | None = field(default=None, compare=False, repr=False)
    """What looks for the face where no annotation says where it lies (`source.marks: auto`)."""
    sound: Sound | None = None
    """What is heard with it, where there is any and it is asked for."""
    heard: bool = False
    """Whether the sound is sent: the conditions `audio` and `both`."""

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.indices):
            raise ValueError(f"{len(self.frames)} frames but {len(self.indices)} indices")


def image(picture: Picture) -> Medium:
    """A single picture as a Medium."""
    return Medium(kind="image", frames=(picture,))
