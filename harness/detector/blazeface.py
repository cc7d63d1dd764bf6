"""BlazeFace, short range: from a picture to the network's input, and from its outputs to boxes.

After Bazarevsky et al. 2019 (arXiv:1907.05047) and the public description of the short-range model: 128 x 128 pixels
from -1 to 1; two anchors in each cell of a grid of 16 x 16 and six in each of 8 x 8, 896 in all, of one size; per
anchor a logit, and 16 numbers in pixels of the input: the centre of a box and six points relative to the centre of the
anchor, the size of the box as such. Boxes that overlap are averaged by their scores in place of suppression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Floats = NDArray[np.float64]

SIDE = 128
LEAST_SCORE = 0.5
OVERLAP = 0.3
"""Intersection over union from which two boxes are of one face."""
_GRIDS = ((16, 2), (8, 6))
"""Cells on a side, anchors a cell."""
_LARGEST_LOGIT = 80.0
_POINTS = 6


@dataclass(frozen=True, slots=True)
class Detection:
    """One face, in pixels of the picture."""

    score: float
    box: Floats
    """(4,): left, top, right, bottom; from the brows to the chin."""
    points: Floats
    """(6, 2): eye, eye, tip of the nose, middle of the mouth, ear, ear; of each pair first the person's right one."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies in the square that the network sees, in pixels of the picture."""

    side: float
    left: float
    top: float

    @classmethod
    def around(cls, width: int, height: int, border: float) -> Letterbox:
        """The square about a picture, with a border of so many times its longer side on each side."""
        side = max(width, height) * (1 + 2 * border)
        return cls(side, (side - width) / 2, (side - height) / 2)


def network_input(picture: Pixels, place: Letterbox) -> NDArray[np.float32]:
    """(1, 128, 128, 3), -1 to 1: the picture in its square, black around it."""
    from PIL import Image

    scale = SIDE / place.side
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGB", (SIDE, SIDE))
    square.paste(
        picture.resize(size, Image.Resampling.BILINEAR),
        (round(place.left * scale), round(place.top * scale)),
    )
    return (np.asarray(square, np.float32) / 127.5 - 1)[None]


def anchors() -> Floats:
    """(896, 2): centres, as shares of the side."""
    found = []
    for cells, count in _GRIDS:
        middles = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(middles, middles)
        found.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(found)


def decoded(boxes: Floats, logits: Floats, place: Letterbox) -> list[Detection]:
    """Faces, the most certain first, from outputs of the shapes (896, 16) and (896,)."""
    scores = 1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    kept = np.flatnonzero(scores >= LEAST_SCORE)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    centres = anchors()[kept]
    raw = boxes[kept] / SIDE
    middle, half = raw[:, :2] + centres, raw[:, 2:4] / 2
    corners = np.concatenate([middle - half, middle + half], axis=1)
    points = raw[:, 4:].reshape(-1, _POINTS, 2) + centres[:, None]
    whole = np.isfinite(corners).all(axis=1) & (half > 0).all(axis=1)
    offset = np.array([place.left, place.top])
    return [
        Detection(score, box * place.side - np.tile(offset, 2), found * place.side - offset)
        for score, box, found in merged(scores[kept][whole], corners[whole], points[whole])
    ]


def merged(scores: Floats, boxes: Floats, points: Floats) -> list[tuple[float, Floats, Floats]]:
    """Those that overlap the most certain one averaged with it by their scores, and so on with the rest."""
    found = []
    left = np.arange(len(scores))
    while len(left):
        same = intersection_over_union(boxes[left[0]], boxes[left]) >= OVERLAP
        same[0] = True
        one, weights = left[same], scores[left[same]]
        found.append(
            (
                float(weights[0]),
                np.average(boxes[one], axis=0, weights=weights),
                np.average(points[one], axis=0, weights=weights),
            )
        )
        left = left[~same]
    return found


def intersection_over_union(box: Floats, others: Floats) -> Floats:
    """Of one box (4,) with each of others (n, 4): 0 to 1."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    found: Floats = shared / np.maximum(areas - shared, 1e-12)
    return found
