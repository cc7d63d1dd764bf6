"""Light on the head: a height field for the relief, Lambert shading, and the creases."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.faces.canvas import View
from harness.faces.face import Face
from harness.faces.geometry import SIDES, Pull, Shape

Grid = NDArray[np.float32]

_RADIUS_X, _RADIUS_Y, _DEPTH = 1.12, 1.5, 0.85


def shading(face: Face, shape: Shape, size: int) -> tuple[Grid, Grid]:
    """Light on the head at every pixel, two arrays of shape (size, size).

    The first is a factor on the colour, about 0.4 to 1.2; the second is sheen to add, in grey
    levels, which lets the relief of dark skin be seen.
    """
    coarse = max(56, size // 2)
    view = View.of(face, coarse)
    x, y = view.unplace()
    # Features ride on the dome, so their relief shifts with the head as the landmarks do.
    fx = (x - 0.8 * sin(view.yaw)).astype(np.float32)
    fy = (y + 0.8 * sin(view.pitch)).astype(np.float32)
    slope_x, slope_y = _dome_slope(x.astype(np.float32), y.astype(np.float32), view)
    relief = _relief(face, shape, fx, fy)
    step = 1.0 / view.unit
    dy, dx = np.gradient(relief, step)
    gx, gy = slope_x - dx, slope_y - dy
    n = face.nuisance
    azimuth, elevation = radians(n.light_azimuth), radians(n.light_elevation)
    lx, ly, lz = sin(azimuth) * cos(elevation), -sin(elevation), cos(azimuth) * cos(elevation)
    facing = (gx * lx + gy * ly + lz) / np.sqrt(gx * gx + gy * gy + 1.0)
    lit = np.clip(facing, 0.0, None)
    sheen = np.clip(facing, 0.0, 1.0) ** 10 * 20.0
    value = n.light_ambient + (1.0 - n.light_ambient) * 1.25 * lit
    return _enlarge(value.astype(np.float32), size), _enlarge(sheen.astype(np.float32), size)


def _enlarge(grid: Grid, size: int) -> Grid:
    if grid.shape[0] == size:
        return grid
    picture = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.float32)


def _dome_slope(x: Grid, y: Grid, view: View) -> tuple[Grid, Grid]:
    """Slope of an ellipsoid, held steady at its rim so that hair and neck are lit too."""
    y = y - 0.05
    r = np.sqrt((x / _RADIUS_X) ** 2 + (y / _RADIUS_Y) ** 2)
    hold = np.minimum(1.0, 0.93 / np.maximum(r, 1e-6))
    depth = _DEPTH * np.sqrt(np.clip(1.0 - (r * hold) ** 2, 0.0, None))
    scale = _DEPTH**2 / np.maximum(depth, 1e-3)
    sx = x * hold / _RADIUS_X**2 * scale + sin(view.yaw)
    sy = y * hold / _RADIUS_Y**2 * scale * 0.8 - sin(view.pitch)
    return sx.astype(np.float32), sy.astype(np.float32)


class _Bumps:
    """Sums separable Gaussian bumps; the grid is nearly axis-aligned, so exp is taken per axis
    only when there is no roll and per pixel otherwise."""

    def __init__(self, x: Grid, y: Grid) -> None:
        self.x, self.y = x, y
        self.sum = np.zeros_like(x)

    def add(self, height: float, cx: float, cy: float, wx: float, wy: float) -> None:
        """A bump of the given height (face units), centre and widths (standard deviations)."""
        if abs(height) < 1e-4:
            return
        ax = (self.x - np.float32(cx)) * np.float32(1 / wx)
        ay = (self.y - np.float32(cy)) * np.float32(1 / wy)
        self.sum += np.float32(height) * np.exp(np.float32(-0.5) * (ax * ax + ay * ay))


def _relief(face: Face, shape: Shape, x: Grid, y: Grid) -> Grid:
    identity, pull = face.identity, Pull.of(face.units)
    bumps = _Bumps(x, y)
    base, w = shape.nose_base, identity.nose_width
    bumps.add(0.10 * identity.nose_bridge, 0.0, 0.12, 0.075, 0.17)  # bridge
    bumps.add(0.16, 0.0, base - 0.08, 0.085, 0.10)  # tip
    for side, lift, cheek, eye, brow in zip(
        SIDES, shape.wing_lift, shape.cheek_lift, shape.eyes, shape.brows, strict=True
    ):
        bumps.add(0.06, side * w * 0.85, base - 0.05 - lift, 0.06, 0.06)
        brow_y = float(brow.spine[4, 1])
        bumps.add(0.045, side * 0.36, brow_y + 0.02, 0.24, 0.07)
        bumps.add(-0.055, side * eye.iris[0] * side, -0.09, 0.20, 0.09)
        bumps.add(-0.03, side * 0.16, -0.02, 0.07, 0.10)  # inner corner beside the bridge
        bumps.add(0.055 + 0.75 * cheek, side * 0.50, 0.40 - 1.1 * cheek, 0.19, 0.14)
        corner = shape.mouth.corners[0 if side < 0 else 1]
        dent = 0.03 + 0.05 * pull.at(14, side)
        bumps.add(-dent, float(corner[0]) + side * 0.05, float(corner[1]), 0.07, 0.08)
        bumps.add(0.04 * pull.at(4, side), side * 0.13, brow_y + 0.02, 0.06, 0.05)
    mouth = shape.mouth
    bumps.add(0.05, 0.0, float(mouth.upper_outer[16, 1]) + 0.02, 0.22, 0.06)
    low = float(mouth.lower_outer[16, 1])
    bumps.add(0.05, 0.0, low - 0.04, 0.16, 0.05)
    bumps.add(-0.05 - 0.02 * pull.mean(17), 0.0, low + 0.055, 0.17, 0.045)
    bumps.add(0.075 + 0.05 * pull.mean(17), 0.0, (low + shape.chin) / 2 + 0.06, 0.17, 0.10)
    bumps.add(-0.02, 0.0, base + 0.12, 0.035, 0.07)  # philtrum
    out: Grid = bumps.sum
    return out
