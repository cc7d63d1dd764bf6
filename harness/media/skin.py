"""Skin tone measured on a picture: the individual typology angle (ITA) of patches on cheeks and forehead.

ITA = atan2(L* - 50, b*) in degrees (Chardon, Cretois and Hourseau, 1991), L* and b* of CIE 1976 under D65; groups after
Del Bino and Bernerd (2013). It is made for skin under measured light: in a photograph light, exposure and white balance go
into it as much as skin does, so it says which pictures are lighter, not which people are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import atan2, degrees
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import MediaError
from harness.core.marks import Marks
from harness.media.cover import patches_of
from harness.media.degrade import to_linear
from harness.media.parts import part_of

if TYPE_CHECKING:
    from PIL import Image

Floats = NDArray[np.float64]

GROUPS: Mapping[str, float] = MappingProxyType(
    {
        "very-light": 55.0,
        "light": 41.0,
        "intermediate": 28.0,
        "tan": 10.0,
        "brown": -30.0,
    }
)
"""Group -> the angle above which a skin is in it; below all: `dark`."""
DARKEST = "dark"
PATCHES = ("cheeks", "forehead")
LEAST_PIXELS = 30
"""Fewer pixels of skin than this tell nothing."""
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
_WHITE = _TO_XYZ.sum(axis=1)
"""XYZ of D65 white, which sRGB (1, 1, 1) is."""


@dataclass(frozen=True, slots=True)
class SkinTone:
    """What was measured on one picture."""

    ita: float
    """Degrees, -180 to 180; greater is lighter."""
    lightness: float
    """L*, 0 to 100, the median of the patches."""
    pixels: int
    """Pixels of skin."""

    @property
    def group(self) -> str:
        """One of GROUPS, or DARKEST."""
        return group_of(self.ita)


def group_of(ita: float) -> str:
    """The group of an angle in degrees."""
    return next((name for name, above in GROUPS.items() if ita > above), DARKEST)


def skin_tone(image: Image.Image, marks: Marks) -> SkinTone:
    """Measured on cheeks and forehead: the angle of the median L* and b* of their pixels.

    Raises MediaError where the marks do not say where these lie, or too few pixels of them are in the picture.
    """
    pixels = np.asarray(image.convert("RGB"))
    found = []
    for name in PATCHES:
        for polygon in part_of(marks, name):
            try:
                (patch,) = patches_of((polygon,), image.size)
            except MediaError:  # outside the picture: a head that is turned, or cut
                continue
            height, width = patch.mask.shape
            cut = pixels[patch.top : patch.top + height, patch.left : patch.left + width]
            found.append(cut[patch.mask[: cut.shape[0], : cut.shape[1]]])
    skin = np.concatenate(found) if found else np.empty((0, 3))
    if len(skin) < LEAST_PIXELS:
        raise MediaError(
            f"{len(skin)} pixels of cheeks and forehead are in the picture: too few to measure a skin tone",
            kind="unsupported",
            hint="use larger pictures, or correct the landmarks",
        )
    lab = to_lab(np.asarray(skin, dtype=np.float64) / 255)
    lightness, yellow = float(np.median(lab[:, 0])), float(np.median(lab[:, 2]))
    return SkinTone(degrees(atan2(lightness - 50, yellow)), lightness, len(skin))


def to_lab(values: Floats) -> Floats:
    """(n, 3) sRGB values of 0 to 1 as CIE L*, a*, b* (D65)."""
    ratio = to_linear(values) @ _TO_XYZ.T / _WHITE
    small = 216 / 24389
    f = np.where(ratio > small, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
