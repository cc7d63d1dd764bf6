"""From face units to pixels: pose, scale and shift, and a supersampled picture to draw on."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from harness.faces.face import Colour, Face
from harness.faces.geometry import Points

UNIT = 0.345
"""Pixels per face unit at scale 1, as a share of the picture's side."""
CENTRE_Y = 0.06
"""The face point (0, CENTRE_Y) lies in the middle of an unshifted picture."""


def dome(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of the front of the head towards the camera, in face units."""
    inside = 1.0 - (x / 1.1) ** 2 - ((y - 0.05) / 1.55) ** 2
    depth: NDArray[np.float64] = 0.8 * np.sqrt(np.clip(inside, 0.0, None))
    return depth


@dataclass(frozen=True, slots=True)
class View:
    """The map from face units to pixels of a square picture of side `side`."""

    side: int
    unit: float
    """Pixels per face unit."""
    centre: tuple[float, float]
    yaw: float
    pitch: float
    roll: float
    """Angles in radians."""

    @classmethod
    def of(cls, face: Face, side: int) -> View:
        """The view of a face in a picture of `side` pixels."""
        n = face.nuisance
        return cls(
            side=side,
            unit=UNIT * side * n.scale,
            centre=((0.5 + n.shift_x) * side, (0.5 + n.shift_y) * side),
            yaw=radians(face.pose.yaw),
            pitch=radians(face.pose.pitch),
            roll=radians(face.pose.roll),
        )

    def place(self, points: Points, *, lift: float | Points = 0.0, flat: bool = False) -> Points:
        """Pixels of face points; `lift` is depth over the dome, `flat` points have only that."""
        x, y = points[:, 0], points[:, 1]
        depth = lift if flat else dome(x, y) + lift
        turned_x = x * cos(self.yaw) + depth * sin(self.yaw)
        turned_y = y * cos(self.pitch) - depth * sin(self.pitch)
        turned_y = turned_y - CENTRE_Y
        c, s = cos(self.roll), sin(self.roll)
        px = self.centre[0] + self.unit * (turned_x * c - turned_y * s)
        py = self.centre[1] + self.unit * (turned_x * s + turned_y * c)
        return np.stack([px, py], axis=1)

    def unplace(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Face x and y of every pixel, each of shape (side, side), before yaw and pitch."""
        axis = np.arange(self.side) + 0.5
        dx = (axis[None, :] - self.centre[0]) / self.unit
        dy = (axis[:, None] - self.centre[1]) / self.unit
        c, s = cos(self.roll), sin(self.roll)
        return dx * c + dy * s, -dx * s + dy * c + CENTRE_Y


Fill = Colour | int


@dataclass(slots=True)
class Canvas:
    """A supersampled colour picture with the helpers that painting needs."""

    view: View
    image: Image.Image
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.image)

    def mask(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        """An empty grey picture of the same size, and a pen for it."""
        layer = Image.new("L", self.image.size, 0)
        return layer, ImageDraw.Draw(layer)

    def polygon(self, pixels: Points, fill: Fill) -> None:
        """A filled polygon in pixels."""
        self.draw.polygon(flat_list(pixels), fill=fill)

    def line(self, pixels: Points, fill: Fill, width: float) -> None:
        """A line through pixels; `width` in face units."""
        thick = max(1, round(width * self.view.unit))
        self.draw.line(flat_list(pixels), fill=fill, width=thick, joint="curve")

    def paste(self, colour: Colour, mask: Image.Image) -> None:
        """The colour laid over the picture where the mask says."""
        self.image.paste(colour, (0, 0), mask)


def flat_list(pixels: Points) -> list[float]:
    """Pixels as x, y, x, y, ... for Pillow."""
    out: list[float] = pixels.ravel().tolist()
    return out


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour `share` (0 to 1) of the way from a to b."""
    r, g, bl = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return (r, g, bl)


def dim(a: Colour, factor: float) -> Colour:
    """The colour times a factor, cut to 0 to 255."""
    r, g, b = (max(0, min(255, round(p * factor))) for p in a)
    return (r, g, b)
