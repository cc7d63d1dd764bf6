"""A few landmarks of the drawn face as targets, so that the vision tower learns positions of lips and brows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Points = list[list[float]]
COUNT = 28
_SWAPPED: tuple[int, ...] = (4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
_SWAPPED += (17, 16, 20, 19, 18, 23, 22, 21, 24, 25, 26, 27)
"""Place of each point's mirror image."""


def points_of(landmarks: Mapping[str, Sequence[tuple[float, float]]], side: int) -> Points:
    """The chosen points of a drawing as shares of its side, (28, 2).

    Corners and lids of both eyes, both brows from the inner to the outer end, corners and edges of
    the lips, nose, and the lowest point of the face.
    """
    chosen = []
    for name in ("right_eye", "left_eye"):
        curve = landmarks[name]
        half = len(curve) // 2
        chosen += [curve[0], curve[half // 2], curve[half - 1], curve[half + half // 2]]
    for name in ("right_brow", "left_brow"):
        curve = landmarks[name]
        n = len(curve)
        chosen += [curve[0], curve[n // 3], curve[2 * n // 3], curve[-1]]
    inner, outer = landmarks["inner_mouth"], landmarks["mouth"]
    half = len(outer) // 2
    quarters = (half // 4, half // 2, half - 1 - half // 4)
    chosen += [inner[0], inner[len(inner) // 2 - 1]]
    chosen += [outer[i] for i in quarters] + [outer[half + i] for i in quarters]
    chosen += [inner[len(inner) // 4], inner[len(inner) // 2 + len(inner) // 4]]
    chosen += [landmarks["nose"][0], max(landmarks["outline"], key=lambda p: p[1])]
    return [[round(x / side, 4), round(y / side, 4)] for x, y in chosen]


def mirror_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The points (n, 28, 2) of the mirrored pictures."""
    turned = points[:, _SWAPPED].copy()
    turned[..., 0] = 1 - turned[..., 0]
    return turned
