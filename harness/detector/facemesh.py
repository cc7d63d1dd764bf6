"""FaceMesh: the square about a face that the network sees, and its points in pixels of the picture.

After Kartynnik et al. 2019 (arXiv:1907.06724) and the public description of the model: 192 x 192 pixels from 0 to 1, the
face upright by the line of its eyes, in a square of 1.5 times the detected box; 468 points in pixels of the input, with
a depth in the same unit, and a logit that a face is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, ceil, cos, degrees, floor, hypot, sin
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.detector.blazeface import Detection
from harness.media.decode import MID_GREY

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Floats = NDArray[np.float64]

SIDE = 192
POINTS = 468
GROWN = 1.5
"""Side of the square, in longer sides of the detected box."""
_SIDES_OF_FACE = (234, 454)
"""The points before the ears: left and right in the picture."""


@dataclass(frozen=True, slots=True)
class Square:
    """A turned square in the picture, in its pixels."""

    x: float
    y: float
    """Its middle."""
    side: float
    angle: float
    """Of its upper edge, in radians; positive: clockwise in the picture."""

    @classmethod
    def about(cls, found: Detection) -> Square:
        """That about a detected face, by the line of its eyes."""
        left, top, right, bottom = map(float, found.box)
        across, down = found.points[1] - found.points[0]
        side = GROWN * max(right - left, bottom - top)
        return cls((left + right) / 2, (top + bottom) / 2, side, atan2(down, across))

    def to_picture(self, points: Floats) -> Floats:
        """Points (n, 2) in pixels of the network's input -> in pixels of the picture."""
        a, b, c, d, e, f = self.affine()
        x, y = points[:, 0], points[:, 1]
        found: Floats = np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)
        return found

    def affine(self) -> tuple[float, float, float, float, float, float]:
        """a, b, c, d, e, f: the pixel (x, y) of the input is (a x + b y + c, d x + e y + f) of the picture."""
        scale = self.side / SIDE
        right, down = scale * cos(self.angle), scale * sin(self.angle)
        half = SIDE / 2
        return (
            right, -down, self.x - half * (right - down),
            down, right, self.y - half * (right + down),
        )  # fmt: skip


def network_input(picture: Pixels, square: Square) -> NDArray[np.float32]:
    """(1, 192, 192, 3), 0 to 1: what the square holds, upright; mid-grey beyond the picture."""
    from PIL import Image

    reach = square.side * 0.71 + 2  # half of a diagonal: no more of a large picture is looked at
    left, top = max(0, floor(square.x - reach)), max(0, floor(square.y - reach))
    right = min(picture.width, max(left + 1, ceil(square.x + reach)))
    bottom = min(picture.height, max(top + 1, ceil(square.y + reach)))
    part = picture.crop((min(left, right - 1), min(top, bottom - 1), right, bottom))
    fewer = max(1, floor(square.side / SIDE))  # no pixel of a large face is skipped
    part = part.reduce(fewer) if fewer > 1 else part
    a, b, c, d, e, f = square.affine()
    seen = part.transform(
        (SIDE, SIDE),
        Image.Transform.AFFINE,
        tuple(v / fewer for v in (a, b, c - min(left, right - 1), d, e, f - min(top, bottom - 1))),
        Image.Resampling.BILINEAR,
        fillcolor=MID_GREY,
    )
    return np.asarray(seen, np.float32)[None] / np.float32(255)


def decoded(points: Floats, square: Square) -> Floats:
    """(468, 3): x, y and depth (larger: farther) in pixels of the picture, from the network's 1404 numbers."""
    own: Floats = points.reshape(POINTS, 3).astype(np.float64)
    depth = own[:, 2:] * (square.side / SIDE)
    found: Floats = np.concatenate([square.to_picture(own[:, :2]), depth], axis=1)
    return found


def yaw_of(points: Floats) -> float:
    """How far the head is turned to the right of the picture, in degrees, by the depths of its two sides.

    By a mesh, which is flatter than the head: large turns come out smaller than they are.
    """
    left, right = points[_SIDES_OF_FACE[0]], points[_SIDES_OF_FACE[1]]
    across = hypot(right[0] - left[0], right[1] - left[1])
    return degrees(atan2(right[2] - left[2], across))
