"""`contrast`: stretch the grey levels of the picture to the whole range."""

from __future__ import annotations

from pydantic import Field, StrictFloat, StrictInt

from harness.core.tool import Finding, Tool, ToolFrames
from harness.tools.places import (
    Arguments,
    FrameNumber,
    Region,
    cropped,
    outside,
    region_box,
    unknown_place,
)

CUT = 1.0
"""Percent of the darkest and of the lightest pixels that may become black and white."""


class ContrastArguments(Arguments):
    """How much, and of what."""

    amount: StrictFloat | StrictInt = Field(
        1.0, ge=0.1, le=3.0, description="gamma: above 1 the shadows become lighter"
    )
    region: Region | None = Field(
        None, description="a part of the face; left out: the whole picture"
    )
    frame: FrameNumber = 0


def _contrast(frames: ToolFrames, asked: ContrastArguments) -> Finding:
    import numpy as np
    from PIL import Image, ImageOps

    missing = outside(frames, asked.frame)
    if missing is not None:
        return missing
    picture = frames.pixels(asked.frame)
    if asked.region is not None:
        box = region_box(frames, asked.frame, asked.region)
        if box is None:
            return unknown_place(asked.region)
        picture = cropped(picture, box)
    spread = ImageOps.autocontrast(picture, cutoff=CUT, preserve_tone=True)
    levels = np.arange(256) / 255
    table = (255 * levels ** (1 / float(asked.amount))).round().clip(0, 255).astype(np.uint8)
    made = Image.fromarray(table[np.asarray(spread)])
    return Finding(f"contrast: {asked.region or 'whole picture'}", (made,))


CONTRAST = Tool(
    "contrast",
    "show the picture, or a region of the face, with more contrast and lighter shadows",
    ContrastArguments,
    _contrast,
)
