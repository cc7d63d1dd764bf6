"""A tool of the example package."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.core.tool import Finding, Tool, ToolFrames


class BrightnessArguments(BaseModel):
    """Which half of the picture."""

    model_config = ConfigDict(extra="forbid")

    half: Literal["left", "right"]


def _brightness(frames: ToolFrames, asked: BrightnessArguments) -> Finding:
    picture = frames.pixels(0)
    middle = max(1, picture.width // 2)
    left, right = (0, middle) if asked.half == "left" else (picture.width - middle, picture.width)
    part = picture.crop((left, 0, right, picture.height))
    values = part.convert("L").histogram()
    mean = sum(level * count for level, count in enumerate(values)) / sum(values)
    return Finding(f"mean brightness of the {asked.half} half: {mean / 255:.2f}", (part,))


BRIGHTNESS = Tool(
    "brightness",
    "tell how bright the left or the right half of the picture is, and show it",
    BrightnessArguments,
    _brightness,
)
