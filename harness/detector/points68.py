"""The 68 landmarks of iBUG 300-W, and 5, from the 468 points of FaceMesh. The table is ours.

FaceMesh has no jaw line as 300-W draws it: its outline runs a little inside of it, so that points 1 to 15 lie up to a
fifth of the eye distance higher than a reader of 68 points puts them. Brows, eyes, nose and lips agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.marks import Point
from harness.media.parts import middle

JAW = (127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
OUTER_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)
FROM_468: tuple[int, ...] = (*JAW, *BROWS, *NOSE, *EYES, *OUTER_LIPS, *INNER_LIPS)
"""For each of the 68 landmarks the point of FaceMesh in its place."""


def points_68(mesh: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    """The 68 landmarks among 468 points, of which x and y come first."""
    return tuple((float(mesh[i][0]), float(mesh[i][1])) for i in FROM_468)


def points_5(points: Sequence[Point]) -> tuple[Point, ...]:
    """The middles of the eyes, the tip of the nose and the corners of the mouth, from 68 landmarks."""
    return (middle(points[36:42]), middle(points[42:48]), points[30], points[48], points[54])
