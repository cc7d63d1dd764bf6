"""Pictures without hair, ears, clothes and background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from harness.clip_tiny.training.pictures import INNER

Part = Literal["face", "features"]
"""`face`: within the jaw and under the brows. `features`: around brows, eyes, nose and mouth, without the jaw."""
GREY = 128
MARGIN = 1.1
"""Growth of the outline around the features, about its middle."""


def mask(points: Sequence[tuple[float, float]], size: int, part: Part) -> NDArray[np.bool_]:
    """(size, size): what is kept. `points` are the 68 landmarks in pixels of the picture."""
    given = np.asarray(points if part == "face" else points[INNER:], float)
    outline = given[_hull(given)]
    if part == "features":
        middle = outline.mean(0)
        outline = middle + MARGIN * (outline - middle)
    picture = Image.new("1", (size, size))
    ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in outline], fill=1)
    return np.asarray(picture, bool)


def masked(
    pixels: NDArray[np.uint8], points: Sequence[tuple[float, float]], part: Part
) -> NDArray[np.uint8]:
    """The picture (size, size, 3) with everything else grey."""
    return np.where(mask(points, pixels.shape[0], part)[..., None], pixels, np.uint8(GREY))


def _hull(points: NDArray[np.float64]) -> list[int]:
    """Places of the corners of the convex hull in order (Andrew's monotone chain)."""
    order = np.lexsort((points[:, 1], points[:, 0])).tolist()

    def chain(places: list[int]) -> list[int]:
        kept: list[int] = []
        for place in places:
            while len(kept) > 1:
                a, b = points[kept[-1]] - points[kept[-2]], points[place] - points[kept[-2]]
                if a[0] * b[1] - a[1] * b[0] > 0:
                    break
                kept.pop()
            kept.append(place)
        return kept[:-1]

    return chain(order) + chain(order[::-1])
