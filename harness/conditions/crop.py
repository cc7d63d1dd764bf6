"""Crop to the face: `face-crop`, or with another margin `face-crop:0.4`.

The box is the annotated one, else that around the landmarks (chin to the middle of the forehead); see
`harness.media.marks` for the names. A square about it, its side (1 + 2 margin) times the box's longer side, is moved
inwards where it would leave the picture and cut where the picture is smaller. Where nothing says where the face
lies, the trial fails as such and the picture is not shown whole in its stead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.conditions.family import Worded
from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Box
from harness.core.medium import Medium
from harness.media.marks import marks_of
from harness.media.parts import face_box
from harness.media.transforms import transformed

if TYPE_CHECKING:
    from PIL import Image

NAME = "face-crop"
PREFIX = f"{NAME}:"
MARGIN = 0.2
"""Share of the box's longer side that is added on each side."""
_NUMBER = re.compile(r"[0-9](?:\.[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """Every picture cut to the face; a clip by one box for all frames."""

    name: str = NAME
    margin: float = MARGIN

    @property
    def description(self) -> str:
        """One line for lists."""
        return (
            f"the face only, with a margin of {self.margin:g} times the longer side of its "
            f"box (other margins: {PREFIX}0.4); needs a box or landmarks"
        )

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError where nothing says where the face lies."""
        left, top, right, bottom = face_box(marks_of(medium, wanted_by=self.name))
        side = max(right - left, bottom - top) * (1 + 2 * self.margin)
        x, y = (left + right) / 2, (top + bottom) / 2
        square = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        corners = ",".join(f"{value:.0f}" for value in square)
        told = f"{NAME}-margin-{self.margin:g}-to-{corners}"
        return transformed(medium, transform=told, change=partial(cut, square=square))


def cut(image: Image.Image, *, square: Box) -> Image.Image:
    """The part of a picture inside a square. Raises MediaError where they do not meet."""
    spans = []
    for low, high, limit in (
        (square[0], square[2], image.width),
        (square[1], square[3], image.height),
    ):
        if high <= 0 or low >= limit:
            raise MediaError(
                f"the box of the face lies outside the picture of {image.width}x{image.height} pixels",
                kind="unsupported",
                hint="give boxes in pixels of the stored picture",
            )
        side = min(round(high - low), limit)
        first = min(max(0, round(low)), limit - side)
        spans.append((first, first + max(1, side)))
    (left, right), (top, bottom) = spans
    return image.crop((left, top, right, bottom))


def _crop(name: str, margin: str) -> FaceCrop:
    """The condition that `face-crop:MARGIN` names. Raises HarnessError for a margin out of 0 to 3."""
    if not _NUMBER.fullmatch(margin) or float(margin) > 3:
        raise HarnessError(
            f"condition {name}: {margin!r} is not a valid margin",
            hint=f"use a number from 0 to 3, such as {PREFIX}0.4; {NAME} alone uses {MARGIN:g}",
        )
    return FaceCrop(name, float(margin))


FACE_CROP = Worded(NAME, f"{NAME}[:MARGIN]", FaceCrop().description, _crop, bare=FaceCrop())
