"""The part of a picture that a change of one cue can affect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from harness.core.errors import HarnessError
from harness.faces.canvas import View, flat_list
from harness.faces.face import Face
from harness.faces.intervention import INTERVENTIONS

SPREAD = 1
"""Grey levels by which light on the skin may differ outside the region of an inexact change."""
_MARGIN = 4
"""Pixels at 224 that blur and the thickness of lines may add around a region."""


def region_of(face: Face, cue: str, *, size: int = 224) -> NDArray[np.bool_]:
    """Where a change of the cue may alter pixels before JPEG, shape (size, size).

    JPEG carries a change on within its blocks of 8 or 16 pixels, so compare with
    `jpeg_quality=100`; noise and blur may stay on, since both faces share them.

    Raises:
        HarnessError: for a cue that cannot be changed alone.
    """
    if cue not in INTERVENTIONS:
        raise HarnessError(
            f"cue {cue!r} cannot be changed alone", hint=f"use one of {', '.join(INTERVENTIONS)}"
        )
    box = INTERVENTIONS[cue].region
    if box is None:
        return np.ones((size, size), np.bool_)
    x0, y0, x1, y1 = box
    t = np.linspace(0.0, 1.0, 24)
    across, down = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
    rim = np.concatenate(
        [
            np.stack([across, np.full_like(t, y0)], axis=1),
            np.stack([np.full_like(t, x1), down], axis=1),
            np.stack([across[::-1], np.full_like(t, y1)], axis=1),
            np.stack([np.full_like(t, x0), down[::-1]], axis=1),
        ]
    )
    layer = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(layer)
    view = View.of(face, size)
    for lift, flat in ((0.0, True), (0.0, False), (0.14, False)):  # rim, skin, glasses
        pen.polygon(flat_list(view.place(rim, lift=lift, flat=flat)), fill=255)
    grow = 2 * max(1, round(_MARGIN * size / 224)) + 1
    return np.asarray(layer.filter(ImageFilter.MaxFilter(grow))) > 0
