"""`landmarks`: draw the landmarks into the picture, and give distances between some of them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import MediaError
from harness.core.marks import Point
from harness.core.tool import Finding, Tool, ToolFrames
from harness.media.parts import frame_of
from harness.tools.places import Arguments, FrameNumber, outside, unknown_place

_PAIRS = (
    ("mouth width", 48, 54), ("mouth opening", 62, 66), ("left eye opening", 37, 41), ("right eye opening", 44, 46),
    ("inner brows apart", 21, 22), ("left inner brow to eye", 21, 39), ("right inner brow to eye", 22, 42),
    ("left outer brow to eye", 17, 36), ("right outer brow to eye", 26, 45), ("nose to upper lip", 33, 51),
)  # fmt: skip
"""Name, and two of the 68 landmarks of iBUG 300-W; left and right are those of the picture."""


class LandmarksArguments(Arguments):
    """Which frame."""

    frame: FrameNumber = 0


def _landmarks(frames: ToolFrames, asked: LandmarksArguments) -> Finding:
    from PIL import ImageDraw

    missing = outside(frames, asked.frame)
    if missing is not None:
        return missing
    marks = frames.marks(asked.frame)
    if marks is None or not marks.points:
        return unknown_place("face")
    try:
        unit = frame_of(marks.points).unit
    except MediaError as error:
        return Finding(f"Not found: {error.message}.", found=False)
    picture = frames.pixels(asked.frame)
    draw, radius = ImageDraw.Draw(picture), max(1.0, unit / 40)
    for x, y in marks.points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(0, 255, 0))
    return Finding(f"landmarks: {_told(marks.points, unit)}", (picture,))


def _told(points: Sequence[Point], unit: float) -> str:
    if len(points) != 68:
        return f"{len(points)} points"
    told = (f"{name} {_distance(points[a], points[b]) / unit:.2f}" for name, a, b in _PAIRS)
    return f"{', '.join(told)} (each in distances between the eyes)"


def _distance(a: Point, b: Point) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)


LANDMARKS = Tool(
    "landmarks",
    "show the facial landmarks in the picture, with distances between some of them",
    LandmarksArguments,
    _landmarks,
)
