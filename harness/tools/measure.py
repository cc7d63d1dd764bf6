"""`measure`: one action unit, as an intensity if the source knows it, otherwise as a distance between landmarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import hypot
from types import MappingProxyType

from pydantic import Field, StrictInt

from harness.core.errors import MediaError
from harness.core.marks import Point
from harness.core.tool import Finding, Tool, ToolFrames
from harness.faces.units import UNIT_TABLE
from harness.media.parts import frame_of, middle
from harness.tools.places import Arguments, FrameNumber, outside


class MeasureArguments(Arguments):
    """Which unit of which frame."""

    unit: StrictInt = Field(ge=1, le=60, description="FACS number of the action unit, such as 12")
    frame: FrameNumber = 0


def _measure(frames: ToolFrames, asked: MeasureArguments) -> Finding:
    missing = outside(frames, asked.frame)
    if missing is not None:
        return missing
    if asked.unit not in UNIT_TABLE:
        known = ", ".join(map(str, UNIT_TABLE))
        return Finding(
            f"AU{asked.unit} cannot be measured; these can: {known}.",
            found=False,
        )
    named = f"AU{asked.unit} ({UNIT_TABLE[asked.unit].megc})"
    known_units = frames.units(asked.frame)
    if known_units is not None:
        return Finding(
            f"{named}: intensity {known_units.get(asked.unit, 0.0):.2f} of 0 (at rest) to 1 (as strong as can be)"
        )
    rule = _RULES.get(asked.unit)
    marks = frames.marks(asked.frame)
    if rule is None or marks is None or len(marks.points) != 68:
        why = "no landmarks" if rule else "no distance between landmarks tells of it"
        return Finding(f"{named}: not found ({why}).", found=False)
    try:
        value = rule[1](_in_face(marks.points))
    except MediaError as error:
        return Finding(f"{named}: not found ({error.message}).", found=False)
    return Finding(
        f"{named}: {rule[0]} is {value:.2f} times the distance between the eyes. This is a distance between landmarks "
        "in this picture, not an intensity: it depends on the person as well."
    )


def _in_face(points: Sequence[Point]) -> Sequence[Point]:
    """Landmarks in the face's own axes (x right, y down), in distances between the middles of the eyes."""
    face = frame_of(points)
    return [face.local(point) for point in points]


def _height(points: Sequence[Point], upper: Sequence[int], lower: Sequence[int]) -> float:
    return middle([points[i] for i in lower])[1] - middle([points[i] for i in upper])[1]


def _width(points: Sequence[Point], left: int, right: int) -> float:
    return hypot(points[right][0] - points[left][0], points[right][1] - points[left][1])


_Rule = tuple[str, Callable[[Sequence[Point]], float]]


def _eyes_open(p: Sequence[Point]) -> float:
    return _height(p, (37, 38, 43, 44), (40, 41, 46, 47))


_INNER_BROW: _Rule = (
    "the height of the inner brows above the inner corners of the eyes",
    lambda p: _height(p, (21, 22), (39, 42)),
)
_LIPS: _Rule = ("the gap between the lips", lambda p: _height(p, (61, 62, 63), (65, 66, 67)))
_OPEN: _Rule = ("the opening of the eyes, mean of both", _eyes_open)
_CORNERS: _Rule = (
    "the height of the corners of the mouth above its middle",
    lambda p: _height(p, (48, 54), (51, 57)),
)
_MOUTH: _Rule = ("the width of the mouth", lambda p: _width(p, 48, 54))
_RULES: Mapping[int, _Rule] = MappingProxyType(
    {
        1: _INNER_BROW,
        2: (
            "the height of the outer brows above the outer corners of the eyes",
            lambda p: _height(p, (17, 26), (36, 45)),
        ),
        4: _INNER_BROW,
        5: _OPEN,
        7: _OPEN,
        12: _CORNERS,
        15: _CORNERS,
        20: _MOUTH,
        25: _LIPS,
        26: ("the height from the nose to the chin", lambda p: _height(p, (33,), (8,))),
        27: _LIPS,
        43: _OPEN,
    }
)
"""FACS number -> the distance that tells of it, by the 68 landmarks of iBUG 300-W. The choice is ours."""

MEASURE = Tool(
    "measure",
    "measure one action unit (FACS): how strongly it works, or a distance that tells of it",
    MeasureArguments,
    _measure,
)
