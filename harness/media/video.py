"""The frames of a clip as one video with its recorded times; frame rates are never guessed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import MediaError
from harness.core.medium import Medium
from harness.core.message import Image, Video
from harness.media.verify import check


def video_of(medium: Medium, frames: Sequence[Image]) -> Video:
    """The encoded frames of a medium of kind `video`, with their times.

    Raises MediaError for no frames, for frames per second that are not known, for frames that are not in order of
    time, and for frames of different sizes.
    """
    if not frames:
        raise MediaError("a video of 0 frames", kind="empty", hint="check source.frames")
    first, last = medium.indices[0], medium.indices[-1]
    name = f"{frames[0].name} ... {frames[-1].name}" if len(frames) > 1 else frames[0].name
    if not medium.fps:
        raise MediaError(
            f"the frame times of {name} are not known: its source gives no frames per second",
            kind="unsupported",
            hint="set the frame rate of the clips: --set media.fps=200",
        )
    if any(b <= a for a, b in zip(medium.indices, medium.indices[1:], strict=False)):
        raise MediaError(
            f"the frames of {name} are not numbered in time order ({first} ... {last})",
            kind="unsupported",
            hint="number the frame files in ascending order",
        )
    sizes = {check(frame.data, frame.name) for frame in frames}
    if len(sizes) > 1:
        told = ", ".join(f"{width}x{height}" for width, height in sorted(sizes)[:5])
        raise MediaError(
            f"the frames of {name} have different sizes ({told}); a video needs one size",
            kind="unsupported",
            hint="crop or scale the frames of a clip to one size",
        )
    numbers = tuple(number - first for number in medium.indices)
    return Video(name, tuple(frames), numbers, medium.fps)
