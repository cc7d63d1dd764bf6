"""`flow` and `magnify`: the movement between two frames of a clip, as colours, or made larger. Both need OpenCV."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from harness.core.tool import Finding, Tool, ToolFrames
from harness.media import flow
from harness.tools.places import Arguments, FrameNumber, outside

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MOST_PIXELS = 2_500_000
"""Of a frame; larger ones are made smaller first. Frames of 4K would take half a minute."""


class FlowArguments(Arguments):
    """Two frames; left out: onset and apex where they are annotated, else the first and the last."""

    a: FrameNumber | None = Field(None, description="the earlier frame; left out: the onset")
    b: FrameNumber | None = Field(None, description="the later frame; left out: the apex")

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.a is not None and self.a == self.b:
            raise ValueError("a and b are the same frame")
        return self


class MagnifyArguments(FlowArguments):
    """Two frames, and how many times larger."""

    factor: StrictFloat | StrictInt = Field(
        4.0, ge=1.5, le=20, description="how many times larger the movement is made"
    )


def _pair(frames: ToolFrames, asked: FlowArguments) -> tuple[int, int] | Finding:
    if frames.count < 2:
        return Finding("Not found: a single picture shows no movement.", found=False)
    onset, apex = frames.moment("onset"), frames.moment("apex")
    a = asked.a if asked.a is not None else (onset or 0)
    b = asked.b if asked.b is not None else (frames.count - 1 if apex is None else apex)
    missing = outside(frames, a, b)
    if missing is not None:
        return missing
    if a == b or frames.pixels(a).size != frames.pixels(b).size:
        return Finding(f"Not found: frames {a} and {b} show no movement to compare.", found=False)
    return a, b


def _seen(frames: ToolFrames, pair: tuple[int, int]) -> tuple[list[Pixels], float]:
    """Both frames, and by how much they were made smaller."""
    from PIL import Image

    pictures = [frames.pixels(at) for at in pair]
    width, height = pictures[0].size
    scale = min(1.0, sqrt(MOST_PIXELS / (width * height)))
    if scale == 1:
        return pictures, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return [one.resize(size, Image.Resampling.LANCZOS) for one in pictures], scale


def _flow(frames: ToolFrames, asked: FlowArguments) -> Finding:
    import numpy as np

    pair = _pair(frames, asked)
    if isinstance(pair, Finding):
        return pair
    seen, scale = _seen(frames, pair)
    field = flow.flow_between(seen, method="dis")
    most = float(np.quantile(np.hypot(field[..., 0], field[..., 1]), flow.FULL_SHARE)) / scale
    told = f"flow from frame {pair[0]} to {pair[1]}: the largest movement is {most:.1f} pixels. {flow.LEGEND}"
    return Finding(told, (flow.colours(field),))


def _magnify(frames: ToolFrames, asked: MagnifyArguments) -> Finding:
    pair = _pair(frames, asked)
    if isinstance(pair, Finding):
        return pair
    made = flow.magnify(_seen(frames, pair)[0], factor=float(asked.factor))
    told = f"frame {pair[1]} with the movement since frame {pair[0]} made {asked.factor:g} times as large"
    return Finding(told, (made,))


FLOW = Tool(
    "flow",
    "show the movement between two frames of a clip as colours",
    FlowArguments,
    _flow,
    version="2",
)
MAGNIFY = Tool(
    "magnify",
    "show a frame of a clip with the movement since another one made larger",
    MagnifyArguments,
    _magnify,
    version="2",
)
