"""Find a place elsewhere on the face to cover instead of a part.

A control covers as many pixels in the same shapes: each piece of the part (one eye, then the other; the larger first)
is moved as a whole by whole pixels to where, inside the outline of the face and the picture and clear of the part
itself, it covers least of the features (eyebrows, eyes, nose, mouth), then least of cheeks and forehead, then lies
nearest. Where the face has no such place, the same is sought beyond its outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import MediaError
from harness.core.marks import Marks
from harness.media.cover import Bools, Patch
from harness.media.parts import FEATURES, SKIN, Polygon, bounds, outline_of, parts_of

Floats = NDArray[np.float64]

CELLS = 64
"""Cells of the grid of places along the longer side of a face."""


@dataclass(frozen=True, slots=True)
class Control:
    """Patches elsewhere."""

    patches: tuple[Patch, ...]
    on_face: bool
    """Whether every piece lies inside the outline of the face."""
    features: float
    """Share of the covered pixels that lie on a feature of the face, to the grain of the grid."""


def elsewhere(own: Sequence[Patch], marks: Marks, size: tuple[int, int]) -> Control:
    """The same patches at places of the stated rule. Raises MediaError where the picture has no room."""
    face = _Grid.of(marks, size, own, beyond=0.0)
    moved: dict[int, Patch] = {}
    on_face, on_features = True, 0.0
    for place in sorted(range(len(own)), key=lambda i: (-own[i].pixels, i)):
        taken = [*own, *moved.values()]
        found = face.best(own[place], taken, inside=True)
        if found is None:
            on_face = False
            found = _Grid.of(marks, size, own, beyond=1.0).best(own[place], taken, inside=False)
        if found is None:
            raise MediaError(
                "the picture is too small to cover an equally large area elsewhere",
                kind="unsupported",
                hint="use pictures with more space around the face, or a smaller part",
            )
        moved[place], features = found
        on_features += features
    total = sum(patch.pixels for patch in own)
    return Control(tuple(moved[i] for i in range(len(own))), on_face, on_features / max(1, total))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells over the face."""

    step: int
    """Pixels of a cell's side."""
    left: int
    top: int
    size: tuple[int, int]
    face: Bools
    features: Floats
    skin: Floats

    @classmethod
    def of(
        cls, marks: Marks, size: tuple[int, int], own: Sequence[Patch], *, beyond: float
    ) -> _Grid:
        """Over the outline and the patches, and `beyond` times the face's side around them."""
        outline = outline_of(marks)
        x0, y0, x1, y1 = bounds(outline)
        side = max(x1 - x0, y1 - y0, 1.0)
        corners = [c for box in (patch.box for patch in own) for c in (box[:2], box[2:])]
        x0, y0, x1, y1 = bounds([*outline, *corners])
        step = max(1, ceil(side / CELLS))
        left, top = (max(0, int(low - beyond * side)) for low in (x0, y0))
        right, bottom = (
            min(limit, ceil(high + beyond * side))
            for high, limit in zip((x1, y1), size, strict=True)
        )
        cells = max(1, ceil((right - left) / step)), max(1, ceil((bottom - top) / step))

        def layer(polygons: Sequence[Polygon]) -> Bools:
            from PIL import Image, ImageDraw

            image = Image.new("1", cells, 0)
            pen = ImageDraw.Draw(image)
            for polygon in polygons:
                pen.polygon([((x - left) / step, (y - top) / step) for x, y in polygon], fill=1)
            return np.asarray(image, dtype=np.bool_)

        known = parts_of(marks)
        features, skin = (
            layer([polygon for name in names for polygon in known.get(name, ())]).astype(np.float64)
            for names in (FEATURES, SKIN)
        )
        return cls(step, left, top, size, layer([outline]), features, skin)

    def drawn(self, patches: Sequence[Patch]) -> Bools:
        """Cells that patches touch."""
        found: Bools = np.zeros(self.face.shape, np.bool_)
        for patch in patches:
            rows, columns = np.nonzero(patch.mask)
            y = (rows + patch.top - self.top) // self.step
            x = (columns + patch.left - self.left) // self.step
            held = (y >= 0) & (x >= 0) & (y < found.shape[0]) & (x < found.shape[1])
            found[y[held], x[held]] = True
        return found

    def best(
        self, patch: Patch, taken: Sequence[Patch], *, inside: bool
    ) -> tuple[Patch, float] | None:
        """The patch at the best place on the face (`inside`) or beyond it, and its pixels on features."""
        mine = self.drawn([patch]).astype(np.float64)
        closed = self.drawn(taken) | (~self.face if inside else self.face)
        rows, columns = mine.shape
        y, x = np.indices((2 * rows, 2 * columns))
        y, x = y - rows, x - columns
        left, top = patch.left + x * self.step, patch.top + y * self.step
        height, width = patch.mask.shape
        fits = _overlap(mine, closed.astype(np.float64), outside=1.0) == 0
        fits &= (left >= 0) & (left + width <= self.size[0])
        fits &= (top >= 0) & (top + height <= self.size[1])
        if not fits.any():
            return None
        features = _overlap(mine, self.features)[fits]
        skin, far = _overlap(mine, self.skin)[fits], (x**2 + y**2)[fits]
        first = np.lexsort((x[fits], y[fits], far, skin, features))[0]
        chosen = replace(patch, left=int(left[fits][first]), top=int(top[fits][first]))
        return chosen, float(features[first] / mine.sum()) * patch.pixels


def _overlap(mine: Floats, other: Floats, outside: float = 0.0) -> Floats:
    """How many cells of `mine` (h, w) lie on `other` when moved by (row - h, column - w), shape (2h, 2w).

    Cells beyond the grid count as `outside`. A correlation by fast Fourier transform.
    """
    h, w = mine.shape
    padded = np.full((3 * h, 3 * w), outside)
    padded[h : 2 * h, w : 2 * w] = other
    shape = tuple(1 << (n - 1).bit_length() for n in padded.shape)
    spectrum = np.fft.rfft2(padded, shape) * np.conj(np.fft.rfft2(mine, shape))
    found: Floats = np.rint(np.fft.irfft2(spectrum, shape)[: 2 * h, : 2 * w])
    return found
