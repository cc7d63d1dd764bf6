"""`frame`: one frame of a clip."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.core.tool import Finding, Tool, ToolFrames
from harness.tools.places import Arguments, FrameNumber, outside


class FrameArguments(Arguments):
    """One of `n` and `moment`."""

    n: FrameNumber | None = None
    moment: Literal["onset", "apex", "offset"] | None = Field(
        None, description="the annotated beginning, peak or end of the movement"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.n is None) == (self.moment is None):
            raise ValueError("give either n or moment")
        return self


def _frame(frames: ToolFrames, asked: FrameArguments) -> Finding:
    place = asked.n
    if asked.moment is not None:
        place = frames.moment(asked.moment)
        if place is None:
            return Finding(
                f"Not found: the {asked.moment} of this clip is not annotated; there are frames 0 to "
                f"{frames.count - 1}."
                if frames.count > 1
                else f"Not found: a single picture has no {asked.moment}.",
                found=False,
            )
    assert place is not None  # the validator of the arguments holds it
    missing = outside(frames, place)
    if missing is not None:
        return missing
    named = f" ({asked.moment})" if asked.moment else ""
    told = f"frame {place} of 0 to {frames.count - 1}{named}"
    return Finding(told, (frames.pixels(place),))


FRAME = Tool(
    "frame",
    "show one frame of a clip: by its number, or the onset, apex or offset",
    FrameArguments,
    _frame,
)
