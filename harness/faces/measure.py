"""Measure the cues of a face without drawing all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from harness.faces.canvas import Canvas, View
from harness.faces.cues import read_cues
from harness.faces.face import Face
from harness.faces.features import paint_mouth
from harness.faces.geometry import shape_of

_SIZE, _FACTOR = 224, 2


def measure(face: Face) -> dict[str, Any]:
    """The cues that `draw` measures at 224 pixels; see `harness.faces.cues`."""
    shape = shape_of(face.identity, face.units, face.gaze)
    return read_cues(face, shape, teeth_area=teeth_area(face))


def teeth_area(face: Face) -> float:
    """Area of the visible teeth in square face units, counted in pixels as `draw` does."""
    mouth = shape_of(face.identity, face.units, face.gaze).mouth
    if face.teeth <= 0.0 or mouth.gap < 0.02:
        return 0.0
    side = _SIZE * _FACTOR
    canvas = Canvas(View.of(face, side), Image.new("RGB", (side, side)))
    mask = paint_mouth(canvas, face, mouth, (128, 128, 128)).reduce(_FACTOR)
    shown = int((np.asarray(mask) >= 128).sum())
    return shown / View.of(face, _SIZE).unit ** 2
