"""`zoom`: enlarge a part of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from harness.core.tool import Finding, Tool, ToolFrames
from harness.tools.places import (
    Arguments,
    FrameNumber,
    Region,
    Unit,
    cropped,
    grown,
    outside,
    region_box,
    unknown_place,
)

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

SIDE = 448
"""Longer side of what is shown; a limit of the protocol may make it smaller."""


class ZoomArguments(Arguments):
    """One of `region` and `box`."""

    region: Region | None = Field(None, description="a part of the face")
    box: tuple[Unit, Unit, Unit, Unit] | None = Field(
        None, description="left, top, right, bottom, each from 0 to 1 of the picture"
    )
    frame: FrameNumber = 0

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.region is None) == (self.box is None):
            raise ValueError("give either region or box")
        if self.box is not None and (
            self.box[2] - self.box[0] < 0.01 or self.box[3] - self.box[1] < 0.01
        ):
            raise ValueError(
                "box is left, top, right, bottom, with left < right and top < bottom, at least 0.01 apart"
            )
        return self


def _zoom(frames: ToolFrames, asked: ZoomArguments) -> Finding:
    missing = outside(frames, asked.frame)
    if missing is not None:
        return missing
    picture = frames.pixels(asked.frame)
    if asked.region is not None:
        found = region_box(frames, asked.frame, asked.region)
        if found is None:
            return unknown_place(asked.region)
        box, told = grown(found, within=picture.size), str(asked.region)
    else:
        assert asked.box is not None  # the validator of the arguments holds it
        left, top, right, bottom = asked.box
        width, height = picture.size
        box = (left * width, top * height, right * width, bottom * height)
        told = "box " + ", ".join(f"{side:g}" for side in asked.box)
    part = cropped(picture, box)
    return Finding(f"zoom: {told}", (_enlarged(part),))


def _enlarged(part: Pixels) -> Pixels:
    """The part with a longer side of SIDE, by Lanczos' filter."""
    from PIL import Image

    scale = SIDE / max(part.size)
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    return part.resize(size, Image.Resampling.LANCZOS)


ZOOM = Tool(
    "zoom",
    "show a part of the picture larger: a region of the face, or a box",
    ZoomArguments,
    _zoom,
)
