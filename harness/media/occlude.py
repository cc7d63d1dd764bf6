"""Things worn before a face: sunglasses, a mask, a scarf, a hat, drawn from the position of the face. The shapes are ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.core.marks import Box, Marks, Point
from harness.media.parts import Frame, Polygon, face_box, frame_of, hull, middle

if TYPE_CHECKING:
    from PIL import Image

Worn: TypeAlias = Literal["low-mask", "mask", "sunglasses", "scarf", "hat"]

WORN: Sequence[tuple[Worn, ...]] = (
    ("low-mask",),
    ("mask",),
    ("mask", "sunglasses"),
    ("scarf", "sunglasses"),
    ("scarf", "sunglasses", "hat"),
)
"""Severity 1 to 5 -> what is worn (low-mask: a mask under the nose): each covers what the one before does, and more."""
_COLOURS: dict[Worn, tuple[int, int, int]] = {
    "sunglasses": (18, 18, 22),
    "low-mask": (38, 42, 50),
    "mask": (38, 42, 50),
    "scarf": (46, 30, 32),
    "hat": (30, 34, 30),
}
_FINER = 4
"""Drawn this many times finer, then reduced: soft edges."""


@dataclass(frozen=True, slots=True)
class Cloth:
    """One thing worn, as polygons in pixels of the upright picture."""

    worn: Worn
    polygons: tuple[Polygon, ...]


def clothes(marks: Marks, severity: int) -> tuple[Cloth, ...]:
    """What is worn at a severity of 1 to 5, from 68 or 5 landmarks, else coarsely from the box of the face.

    Raises MediaError where neither is known, or the face is too small.
    """
    points = marks.points or _points_in(face_box(marks))
    frame = frame_of(points)
    eyes, mouth = _eyes(points), middle(points[48:60] if len(points) == 68 else points[3:])
    shapes = {
        "sunglasses": _sunglasses(frame, eyes),
        "low-mask": (_low_mask(frame, points, mouth),),
        "mask": (_mask(frame, points, mouth),),
        "scarf": (_mask(frame, points, mouth), _scarf(frame, points, mouth)),
        "hat": (_hat(frame, points),),
    }
    return tuple(Cloth(worn, shapes[worn]) for worn in WORN[severity - 1])


def put_on(image: Image.Image, worn: Sequence[Cloth]) -> Image.Image:
    """The picture with things worn before it; what lies outside of them stays as it is."""
    from PIL import Image, ImageDraw

    out = image.copy()
    for cloth in worn:
        xs, ys = zip(*(point for polygon in cloth.polygons for point in polygon), strict=True)
        left, top = max(0, int(min(xs)) - 1), max(0, int(min(ys)) - 1)
        right, bottom = min(image.width, ceil(max(xs)) + 2), min(image.height, ceil(max(ys)) + 2)
        if right <= left or bottom <= top:
            continue
        size = (right - left, bottom - top)
        layer = Image.new("L", (size[0] * _FINER, size[1] * _FINER), 0)
        pen = ImageDraw.Draw(layer)
        for polygon in cloth.polygons:
            pen.polygon([((x - left) * _FINER, (y - top) * _FINER) for x, y in polygon], fill=255)
        spot = layer.resize(size, Image.Resampling.BOX)
        out.paste(Image.new("RGB", size, _COLOURS[cloth.worn]), (left, top), spot)
    return out


def _points_in(box: Box) -> tuple[Point, ...]:
    """Five landmarks where those of an average upright face lie in its box."""
    left, top, right, bottom = box
    places = ((0.29, 0.4), (0.71, 0.4), (0.5, 0.6), (0.33, 0.78), (0.67, 0.78))
    return tuple((left + x * (right - left), top + y * (bottom - top)) for x, y in places)


def _eyes(points: Sequence[Point]) -> tuple[Point, Point]:
    if len(points) == 5:
        return points[0], points[1]
    return middle(points[36:42]), middle(points[42:48])


def _sunglasses(frame: Frame, eyes: tuple[Point, Point]) -> tuple[Polygon, ...]:
    """Two lenses, the bridge between them, and the temples to the sides of the face."""
    (ax, ay), (bx, by) = sorted(frame.local(eye) for eye in eyes)
    bridge = ((ax, ay - 0.1), (bx, by - 0.1), (bx, by), (ax, ay))
    temples = (
        (ax - 0.5, ay - 0.1),
        (bx + 0.5, by - 0.1),
        (bx + 0.5, by - 0.02),
        (ax - 0.5, ay - 0.02),
    )
    lenses = (frame.ellipse(eye, 0.38, 0.29) for eye in eyes)
    return (*lenses, *(tuple(frame.at(*corner) for corner in part) for part in (bridge, temples)))  # fmt: skip


def _mask(frame: Frame, points: Sequence[Point], mouth: Point) -> Polygon:
    """From the middle of the nose to under the chin."""
    if len(points) == 68:
        return hull([*frame.grown(points[3:14], 0.04), frame.moved(points[29], 0, -0.05)])
    x, y = frame.local(mouth)
    sides = ((-0.98, 0.5), (-0.9, 0.9), (-0.62, 1.4), (-0.25, 1.66))
    corners = [(x + side * dx, y * dy) for dx, dy in sides for side in (-1, 1)]
    return hull([frame.at(*corner) for corner in (*corners, (x / 2, 0.38 * y))])


def _low_mask(frame: Frame, points: Sequence[Point], mouth: Point) -> Polygon:
    """From the upper lip to under the chin."""
    if len(points) == 68:
        return hull([*frame.grown(points[5:12], 0.03), points[33]])
    x, y = frame.local(mouth)
    sides = ((-0.85, 1.0), (-0.62, 1.4), (-0.25, 1.66))
    corners = [(x + side * dx, y * dy) for dx, dy in sides for side in (-1, 1)]
    return hull([frame.at(*corner) for corner in (*corners, (x, 0.74 * y))])


def _scarf(frame: Frame, points: Sequence[Point], mouth: Point) -> Polygon:
    """From the bridge of the nose and the cheekbones to the neck, wider than the face."""
    x, y = frame.local(mouth)
    nose = frame.local(points[28]) if len(points) == 68 else (x / 4, 0.28 * y)
    sides = ((-1.12, 0.34), (-1.18, 1.0), (-1.1, 1.7), (-1.0, 2.3))
    corners = [(x + side * dx, y * dy) for dx, dy in sides for side in (-1, 1)]
    return hull([frame.at(*corner) for corner in (*corners, nose)])


def _hat(frame: Frame, points: Sequence[Point]) -> Polygon:
    """From a little over the brows to over the head."""
    brows = [frame.local(point)[1] for point in points[17:27]] if len(points) == 68 else [-0.5]
    edge = min(brows) - 0.1
    corners = ((-1.1, edge), (1.1, edge), (1.15, -1.3), (0.8, -1.9), (-0.8, -1.9), (-1.15, -1.3))
    return tuple(frame.at(*corner) for corner in corners)
