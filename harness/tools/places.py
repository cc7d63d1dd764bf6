"""Shared code of tools: choose a frame, and locate a part of the face."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from harness.core.errors import MediaError
from harness.core.marks import Box
from harness.core.tool import Finding, ToolFrames
from harness.media.parts import bounds, face_box, part_of

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Region: TypeAlias = Literal["face", "eyes", "eyebrows", "forehead", "nose", "cheeks", "mouth"]
REGIONS: tuple[Region, ...] = get_args(Region)
FrameNumber: TypeAlias = Annotated[
    StrictInt, Field(ge=0, le=100_000, description="frame of a clip, counted from 0")
]
Unit: TypeAlias = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1, allow_inf_nan=False)]


BOX, PART = "box", "region"
"""Arguments that say which part of a picture to show: four shares of it, or a part of the face."""
MARGIN = 0.1
"""Share of a region's longer side that is added around it."""


class Arguments(BaseModel):
    """Arguments of a shipped tool: nothing is guessed, and no number is read from a text."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def outside(frames: ToolFrames, *wanted: int) -> Finding | None:
    """What is told of a frame that there is not; None where all are there."""
    for frame in wanted:
        if frame >= frames.count:
            there = "there is frame 0 only" if frames.count == 1 else f"0 to {frames.count - 1}"
            return Finding(f"There is no frame {frame}: {there}.", found=False)
    return None


def region_box(frames: ToolFrames, frame: int, region: Region) -> Box | None:
    """The box around a part of the face, cut to the frame; None where nothing says where it lies."""
    marks = frames.marks(frame)
    if marks is None:
        return None
    try:
        if region == "face":
            found = face_box(marks)
        else:
            found = bounds([point for polygon in part_of(marks, region) for point in polygon])
    except MediaError:
        return None
    picture = frames.pixels(frame)
    left, top = max(0.0, found[0]), max(0.0, found[1])
    right, bottom = min(float(picture.width), found[2]), min(float(picture.height), found[3])
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else None


def grown(box: Box, *, within: tuple[float, float]) -> Box:
    """The box with MARGIN around it, cut to a picture of that width and height."""
    by = MARGIN * max(box[2] - box[0], box[3] - box[1])
    return (
        max(0.0, box[0] - by),
        max(0.0, box[1] - by),
        min(within[0], box[2] + by),
        min(within[1], box[3] + by),
    )


def cropped(picture: Pixels, box: Box) -> Pixels:
    """The pixels that a box touches, at least one."""
    exact = [round(value, 6) for value in box]  # no pixel more for an error of a computation
    left, top = floor(exact[0]), floor(exact[1])
    right = min(picture.width, max(left + 1, ceil(exact[2])))
    bottom = min(picture.height, max(top + 1, ceil(exact[3])))
    return picture.crop((min(left, right - 1), min(top, bottom - 1), right, bottom))


def unknown_place(what: str) -> Finding:
    """What is told where nothing says where the face lies."""
    return Finding(f"Not found: nothing says where the {what} is in this picture.", found=False)
