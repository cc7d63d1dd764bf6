"""Cover parts of a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import MediaError
from harness.media.decode import MID_GREY
from harness.media.parts import Polygon, bounds

if TYPE_CHECKING:
    from PIL import Image

Bools = NDArray[np.bool_]
Fill = Literal["occlude", "blur", "mean"]

BLUR = 0.2
"""Standard deviation of the blur, in distances between the eyes."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Pixels to cover."""

    left: int
    top: int
    mask: Bools
    """Shape (height, width)."""

    @property
    def pixels(self) -> int:
        """How many are covered."""
        return int(self.mask.sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        height, width = self.mask.shape
        return self.left, self.top, self.left + width, self.top + height


def patches_of(polygons: Sequence[Polygon], size: tuple[int, int]) -> tuple[Patch, ...]:
    """The pixels of polygons inside a picture of (width, height). Raises MediaError for one that lies outside."""
    return tuple(_patch(polygon, size) for polygon in polygons)


def _patch(polygon: Polygon, size: tuple[int, int]) -> Patch:
    found = bounds(polygon)
    left, top = (max(0, int(np.floor(v))) for v in found[:2])
    right, bottom = (min(limit, ceil(v) + 1) for v, limit in zip(found[2:], size, strict=True))
    if right <= left or bottom <= top:
        raise MediaError(
            f"a part of the face is outside the picture of {size[0]}x{size[1]} pixels (at "
            f"{found[0]:.0f},{found[1]:.0f})",
            kind="unsupported",
            hint="give landmarks in pixels of the stored picture",
        )
    from PIL import Image, ImageDraw

    layer = Image.new("1", (right - left, bottom - top), 0)
    ImageDraw.Draw(layer).polygon([(x - left, y - top) for x, y in polygon], fill=1, outline=1)
    return Patch(left, top, np.asarray(layer, dtype=np.bool_))


def cover(image: Image.Image, patches: Sequence[Patch], fill: Fill, unit: float) -> Image.Image:
    """The picture with patches covered.

    `occlude`: mid-grey (128). `mean`: each patch its own mean colour. `blur`: Gaussian of `BLUR` units, where a
    unit is the distance between the eyes in pixels; edges are hard. Pixels outside the patches stay as they are.
    """
    from PIL import Image

    out = image.copy()
    for patch in patches:
        spot = Image.fromarray(patch.mask.astype(np.uint8) * 255)
        out.paste(_FILLS[fill](image, patch, unit), (patch.left, patch.top), spot)
    return out


def _grey(image: Image.Image, patch: Patch, unit: float) -> Image.Image:
    from PIL import Image

    return Image.new("RGB", patch.mask.shape[::-1], MID_GREY)


def _mean(image: Image.Image, patch: Patch, unit: float) -> Image.Image:
    from PIL import Image

    colours = np.asarray(image.crop(patch.box), dtype=np.float64)[patch.mask]
    red, green, blue = np.rint(colours.mean(axis=0)).astype(int).tolist()
    return Image.new("RGB", patch.mask.shape[::-1], (red, green, blue))


def _blurred(image: Image.Image, patch: Patch, unit: float) -> Image.Image:
    from PIL import ImageFilter

    left, top, right, bottom = patch.box
    reach = ceil(3 * BLUR * unit)
    x0, y0 = max(0, left - reach), max(0, top - reach)
    around = image.crop(
        (x0, y0, min(image.width, right + reach), min(image.height, bottom + reach))
    )
    soft = around.filter(ImageFilter.GaussianBlur(BLUR * unit))
    return soft.crop((left - x0, top - y0, right - x0, bottom - y0))


_FILLS: Mapping[Fill, Callable[[Image.Image, Patch, float], Image.Image]] = {
    "occlude": _grey, "mean": _mean, "blur": _blurred,
}  # fmt: skip
