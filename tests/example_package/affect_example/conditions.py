"""Conditions of the example package: one by its name, and a family with words in its name."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.media.transforms import transformed


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Every picture with left and right exchanged."""

    name: str = "mirrored"
    description: str = "left and right exchanged"

    def apply(self, medium: Medium) -> Medium:
        """The medium, mirrored when it is read."""
        return transformed(medium, transform=self.name, change=ImageOps.mirror)


MIRRORED = Mirrored()

QUALITIES = {"low": 10, "medium": 50, "high": 90}
"""Word -> quality of the JPEG, 1 to 95."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """Every picture as JPEG compression of one quality leaves it."""

    name: str
    quality: int

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"as JPEG of quality {self.quality} leaves it"

    def apply(self, medium: Medium) -> Medium:
        """The medium, compressed and opened again when it is read."""

        def change(image: Image.Image) -> Image.Image:
            buffer = io.BytesIO()
            image.save(buffer, format="JPEG", quality=self.quality)
            return Image.open(buffer).convert("RGB")

        return transformed(medium, transform=self.name, change=change)


def _jpeg(name: str, words: str) -> Jpeg:
    if words not in QUALITIES:
        raise HarnessError(
            f"condition {name}: no quality is called {words!r}",
            hint=f"write jpeg:QUALITY with one of {', '.join(QUALITIES)}",
        )
    return Jpeg(name, QUALITIES[words])


JPEG = Worded(
    "jpeg", "jpeg:QUALITY", "as JPEG of low, medium or high quality leaves it: jpeg:high", _jpeg
)
