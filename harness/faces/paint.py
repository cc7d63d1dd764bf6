"""Paint a face: supersampled flat colour, then light, then the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from harness.core.errors import HarnessError
from harness.faces import features, hair, ranges
from harness.faces.canvas import Canvas, View, dim, flat_list, mix
from harness.faces.creases import creases_of
from harness.faces.cues import read_cues
from harness.faces.face import Colour, Face, Identity
from harness.faces.geometry import Pull, Shape, shape_of
from harness.faces.light import shading
from harness.faces.sensor import Pixels, background, capture

SMALLEST, LARGEST = 32, 1024


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawn picture."""

    pixels: Pixels
    """Shape (size, size, 3), RGB."""
    cues: dict[str, Any]
    """What is to be seen, measured on what was drawn; see `harness.faces.cues`."""
    teeth: NDArray[np.bool_]
    """Where teeth are visible, shape (size, size)."""
    landmarks: dict[str, list[tuple[float, float]]]
    """Pixel positions of eyes, brows, nose and mouth."""


def draw(face: Face, *, size: int = 224) -> Drawing:
    """Draw a face.

    Args:
        size: side of the square picture in pixels, 32 to 1024.

    Raises:
        HarnessError: for a size out of range.
    """
    if not SMALLEST <= size <= LARGEST:
        raise HarnessError(
            f"a picture of {size} pixels cannot be drawn", hint=f"use {SMALLEST} to {LARGEST}"
        )
    factor = 2 if size >= 160 else 3 if size >= 96 else 4
    view = View.of(face, size * factor)
    shape = shape_of(face.identity, face.units, face.gaze)
    canvas = Canvas(view, background(face.nuisance, size * factor))
    person, teeth, hidden = _paint(canvas, face, shape)
    flat = np.asarray(canvas.image.reduce(factor), np.float32)
    light, sheen = shading(face, shape, size)
    folds = _creases(canvas, face, shape, factor, hidden)
    cover = np.asarray(person.reduce(factor), np.float32) * np.float32(1 / 255)
    light = 1 + cover * (light * folds - 1)
    lit = flat * _tinted(light) + (cover * sheen * folds * folds)[..., None]
    shown = np.asarray(teeth.reduce(factor)) >= 128
    cues = read_cues(face, shape, teeth_area=float(shown.sum()) / View.of(face, size).unit ** 2)
    return Drawing(
        pixels=capture(lit, face.nuisance),
        cues=cues,
        teeth=shown,
        landmarks=_landmarks(face, shape, size),
    )


def _tinted(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shadows on skin are warmer than its lit side; shape (size, size, 3)."""
    shadow = np.clip(1 - light, 0, None)
    return np.stack([light + 0.10 * shadow, light - 0.02 * shadow, light - 0.06 * shadow], axis=2)


def skin_colour(identity: Identity) -> Colour:
    """Colour of the skin under plain light, as a camera that exposes a little for it shows it."""
    tone = dim(
        ranges.MONK_SCALE[identity.skin_tone - 1], ranges.SKIN_EXPOSURE[identity.skin_tone - 1]
    )
    warm: Colour = (228, 150, 122) if identity.skin_tone <= 5 else (146, 84, 60)
    share = 0.12 if 5 <= identity.skin_tone <= 7 else 0.20 if identity.skin_tone < 5 else 0.30
    return mix(tone, warm, share + 0.06 * identity.skin_hue)


def _paint(
    canvas: Canvas, face: Face, shape: Shape
) -> tuple[Image.Image, Image.Image, Image.Image | None]:
    """Everything in flat colour. Returns the masks of the person, the visible teeth, the hair
    over the forehead."""
    identity, skin = face.identity, skin_colour(face.identity)
    person, pen = canvas.mask()
    hair.back_hair(canvas, identity, pen)
    _body(canvas, identity, skin, pen)
    head = canvas.view.place(shape.outline, flat=True)
    canvas.polygon(head, skin)
    pen.polygon(flat_list(head), fill=255)
    _blush(canvas, identity, shape, skin)
    hair.beard(canvas, identity, shape)
    for eye in shape.eyes:
        features.paint_eye(canvas, identity, eye, skin)
    features.paint_nose(canvas, identity, shape, skin)
    teeth = features.paint_mouth(canvas, face, shape.mouth, skin)
    for brow in shape.brows:
        features.paint_brow(canvas, identity, brow, skin)
    over = hair.front_hair(canvas, identity, shape, pen)
    hair.glasses(canvas, identity)
    return person, teeth, over


def _body(canvas: Canvas, identity: Identity, skin: Colour, person: ImageDraw.ImageDraw) -> None:
    """Neck, shoulders and ears."""
    t = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    neck = np.array([[-0.52, 0.7], [0.52, 0.7], [0.56, 2.4], [-0.56, 2.4]])
    collar = np.array([[-0.62, 1.5], [0.0, 1.72], [0.62, 1.5], [2.4, 1.85], [2.4, 3], [-2.4, 3]])
    collar = np.concatenate([collar, np.array([[-2.4, 1.85]])])
    parts = [(neck, dim(skin, 0.74)), (collar, identity.clothes)]
    for side in (-1, 1):
        ear = np.stack([0.10 * np.cos(t), 0.2 * np.sin(t)], axis=1) * identity.ear_size
        ear += np.array([side * 0.985 * identity.face_width, 0.12])
        parts.append((ear, dim(skin, 0.9)))
    for points, colour in parts:
        pixels = canvas.view.place(points, flat=True)
        canvas.polygon(pixels, colour)
        person.polygon(flat_list(pixels), fill=255)


def _blush(canvas: Canvas, identity: Identity, shape: Shape, skin: Colour) -> None:
    """Warmer cheeks and darker eye sockets, softly edged."""
    small = 4
    size = canvas.view.side // small
    layer = Image.new("L", (size, size), 0)
    shade = Image.new("L", (size, size), 0)
    cheek_pen, shade_pen = ImageDraw.Draw(layer), ImageDraw.Draw(shade)
    t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    for side, lift in zip((-1, 1), shape.cheek_lift, strict=True):
        cheek = np.stack([side * 0.52 + 0.2 * np.cos(t), 0.42 - lift + 0.15 * np.sin(t)], axis=1)
        cheek_pen.polygon(flat_list(canvas.view.place(cheek) / small), fill=75)
        x = side * identity.eye_gap
        socket = np.stack([x + 0.26 * np.cos(t), -0.05 + 0.15 * np.sin(t)], axis=1)
        shade_pen.polygon(flat_list(canvas.view.place(socket) / small), fill=80)
    radius = 0.09 * canvas.view.unit / small
    big = canvas.image.size
    for mask, colour in (
        (layer, mix(skin, (214, 84, 74), 0.45)),
        (shade, mix(dim(skin, 0.72), (96, 50, 60), 0.2)),
    ):
        soft = mask.filter(ImageFilter.BoxBlur(radius)).resize(big, Image.Resampling.BILINEAR)
        canvas.paste(colour, soft)


def _creases(
    canvas: Canvas, face: Face, shape: Shape, factor: int, hidden: Image.Image | None
) -> NDArray[np.float32]:
    """Factor on the brightness for folds: dark along each, light below it."""
    layer, pen = canvas.mask()
    unit = canvas.view.unit
    for crease in creases_of(face.identity, Pull.of(face.units), shape):
        pixels = canvas.view.place(crease.points, lift=0.02)
        width = max(1, round(crease.width * unit))
        pen.line(flat_list(pixels), fill=round(255 * crease.depth), width=width, joint="curve")
    if hidden is not None:
        layer.paste(0, (0, 0), hidden)
    small = layer.reduce(factor)
    soft = small.filter(ImageFilter.GaussianBlur(0.011 * unit / factor))
    rim = ImageChops.offset(soft, 0, max(1, round(0.03 * unit / factor)))
    dark = np.asarray(soft, np.float32) * np.float32(1 / 255)
    lit = np.asarray(rim, np.float32) * np.float32(1 / 255)
    strength = 0.42 if face.identity.skin_tone <= 6 else 0.55
    out: NDArray[np.float32] = 1 - np.float32(strength) * dark + np.float32(0.14) * lit * (1 - dark)
    return out


def _landmarks(face: Face, shape: Shape, size: int) -> dict[str, list[tuple[float, float]]]:
    view = View.of(face, size)
    groups = {
        "right_eye": np.concatenate([shape.eyes[0].upper, shape.eyes[0].lower]),
        "left_eye": np.concatenate([shape.eyes[1].upper, shape.eyes[1].lower]),
        "right_brow": shape.brows[0].spine,
        "left_brow": shape.brows[1].spine,
        "nose": np.array([[0.0, shape.nose_base]]),
        "mouth": np.concatenate([shape.mouth.upper_outer, shape.mouth.lower_outer]),
        "inner_mouth": np.concatenate([shape.mouth.upper_inner, shape.mouth.lower_inner]),
        "outline": shape.outline,
    }
    return {
        name: [(round(float(x), 2), round(float(y), 2)) for x, y in view.place(points)]
        for name, points in groups.items()
    }
