"""The 68 landmarks of iBUG 300-W on a drawn face."""

from __future__ import annotations

import numpy as np

from harness.core.marks import Marks
from harness.faces.canvas import View
from harness.faces.face import Face
from harness.faces.geometry import Points, shape_of

_JAW_TOP = -0.05
"""The jaw line begins at this height, beside the eyes."""


def marks_of(face: Face, *, size: int = 224) -> Marks:
    """The landmarks of a face in a picture of `size` pixels; drawn in full where hair or glasses hide them."""
    shape = shape_of(face.identity, face.units, face.gaze)
    view = View.of(face, size)
    nose = np.array([[0.0, y] for y in np.linspace(0.0, shape.nose_base - 0.1, 4)])
    wings = np.array(
        [[x * face.identity.nose_width, shape.nose_base] for x in (-1, -0.5, 0, 0.5, 1)]
    )
    mouth = shape.mouth
    parts = [
        shape.brows[0].spine[::-2],
        shape.brows[1].spine[::2],
        nose,
        wings,
        np.concatenate([shape.eyes[0].upper[[16, 11, 5, 0]], shape.eyes[0].lower[[5, 11]]]),
        np.concatenate([shape.eyes[1].upper[[0, 5, 11, 16]], shape.eyes[1].lower[[11, 5]]]),
        mouth.upper_outer[[0, 5, 11, 16, 21, 27, 32]],
        mouth.lower_outer[[27, 21, 16, 11, 5]],
        mouth.upper_inner[[2, 11, 16, 21, 30]],
        mouth.lower_inner[[21, 16, 11]],
    ]
    jaw = view.place(_jaw(shape.outline), flat=True)
    points = np.concatenate([jaw, view.place(np.concatenate(parts))])
    return Marks(points=tuple((float(x), float(y)) for x, y in points.round(2)))


def _jaw(outline: Points) -> Points:
    """17 points at equal distances along the outline below the eyes, from the left of the picture to the right."""
    below = outline[outline[:, 1] >= _JAW_TOP]
    ordered = below[np.argsort(np.arctan2(below[:, 1] - _JAW_TOP, below[:, 0]))][::-1]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ordered, axis=0).T))])
    at = np.linspace(0.0, along[-1], 17)
    return np.stack([np.interp(at, along, ordered[:, k]) for k in (0, 1)], axis=1)
