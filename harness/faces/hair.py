"""Hair, beard and glasses."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from harness.faces.canvas import Canvas, dim, flat_list, mix
from harness.faces.face import Colour, Identity
from harness.faces.geometry import SIDES, Points, Shape, open_spline, spline


def back_hair(canvas: Canvas, identity: Identity, person: ImageDraw.ImageDraw) -> None:
    """Hair or cloth behind the head; adds its area to the mask of the person."""
    reach = {"long": 1.75, "bob": 0.95, "scarf": 1.9}.get(identity.hair_style)
    w = identity.face_width
    colour = dim(identity.hair_colour, 0.72)
    if identity.hair_style == "scarf":
        colour = dim(identity.clothes, 0.8)
    if reach is not None:
        half = np.array([[0.0, -1.5], [0.7, -1.36], [1.12 * w, -0.8], [1.2 * w, 0.0]])
        tail = np.array([[1.24 * w, 0.6 * reach], [1.1 * w, reach], [0.6, reach + 0.02]])
        right = np.concatenate([half, tail])
        knots = np.concatenate([right, right[:0:-1] * np.array([-1.0, 1.0])])
        _blob(canvas, spline(knots, 6), colour, person)
    if identity.hair_style == "bun":
        t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = np.stack([0.36 * np.cos(t), -1.42 + 0.3 * np.sin(t)], axis=1)
        _blob(canvas, ring, colour, person)
    if identity.hair_style == "curly":
        rng = _strands(identity)
        for angle in np.linspace(-0.1 * np.pi, 1.1 * np.pi, 17):
            radius = 0.27 + 0.07 * rng.random()
            cx, cy = 0.98 * w * np.cos(angle), -0.28 - 1.0 * np.sin(angle)
            t = np.linspace(0, 2 * np.pi, 18, endpoint=False)
            curl = np.stack([cx + radius * np.cos(t), cy + radius * np.sin(t)], axis=1)
            _blob(canvas, curl, dim(identity.hair_colour, 0.75 + 0.2 * rng.random()), person)


def front_hair(
    canvas: Canvas, identity: Identity, shape: Shape, person: ImageDraw.ImageDraw
) -> Image.Image | None:
    """Hair over the top of the head, down to the hairline, with strands. Returns its mask."""
    if identity.hair_style == "bald":
        return None
    if identity.hair_style == "scarf":
        return _scarf(canvas, identity, shape, person)
    w, long = identity.face_width, identity.face_length
    puff = {"curly": 0.10, "bun": 0.0}.get(identity.hair_style, 0.06)
    side_end = {"short": 0.02, "curly": 0.05, "bun": -0.2}.get(identity.hair_style, 0.12)
    angles = np.linspace(np.pi * 1.02, -np.pi * 0.02, 25)
    crown = (1.30 + puff) * long
    wide = (0.985 + 0.7 * puff) * w
    outer = np.stack([wide * np.cos(angles), -0.3 - (crown - 0.3) * np.sin(angles)], axis=1)
    outer[0, 1] = outer[-1, 1] = side_end
    line = _hairline(identity, w, side_end)
    top = canvas.view.place(outer, flat=True)
    low = canvas.view.place(line, lift=-0.25)
    region = np.concatenate([top, low])
    canvas.polygon(region, identity.hair_colour)
    inside = _filled(canvas, region)
    person.polygon(flat_list(region), fill=255)
    _draw_strands(canvas, identity, outer, line, inside)
    return inside


def _scarf(
    canvas: Canvas, identity: Identity, shape: Shape, person: ImageDraw.ImageDraw
) -> Image.Image:
    """A cloth around the face, over the ears and under the chin. Returns its mask."""
    w, long, view = identity.face_width, identity.face_length, canvas.view
    rim = np.array(
        [
            [0.0, -1.40 * long],
            [0.62 * w, -1.22 * long],
            [1.02 * w, -0.7],
            [1.12 * w, 0.1],
            [1.1 * w, 0.8],
            [1.0, 1.5],
            [0.9, 2.2],
        ]
    )
    hole = np.array(
        [
            [0.0, -0.90 * long],
            [0.5 * w, -0.80],
            [0.80 * w, -0.38],
            [0.87 * w, 0.1],
            [0.84 * w, 0.5],
            [0.9 * identity.jaw_width * w, min(1.0, shape.chin - 0.3)],
            [0.0, shape.chin - 0.02],
        ]
    )
    mirror = np.array([-1.0, 1.0])
    outer = view.place(spline(np.concatenate([rim, rim[:0:-1] * mirror]), 6), flat=True)
    inner = view.place(spline(np.concatenate([hole, hole[-2:0:-1] * mirror]), 8), lift=-0.3)
    layer, pen = canvas.mask()
    pen.polygon(flat_list(outer), fill=255)
    pen.polygon(flat_list(inner), fill=0)
    person.polygon(flat_list(outer), fill=255)
    canvas.paste(identity.clothes, layer)
    rng = _strands(identity)
    fold = dim(identity.clothes, 0.8)
    folds, fold_pen = canvas.mask()
    for lean in rng.uniform(0.04, 0.2, 3):
        ring = spline(np.concatenate([hole, hole[-2:0:-1] * mirror]) * (1 + lean), 8)
        fold_pen.line(flat_list(view.place(ring, flat=True)), fill=150, width=3)
    canvas.paste(fold, ImageChops.darker(folds, layer))
    canvas.line(np.concatenate([inner, inner[:1]]), dim(identity.clothes, 0.6), 0.02)
    return layer


def _hairline(identity: Identity, w: float, side_end: float) -> Points:
    """From the right temple of the picture over the forehead to the left one."""
    h = identity.hairline
    x = np.array([0.93, 0.86, 0.74, 0.48, 0.2, 0.0, -0.2, -0.48, -0.74, -0.86, -0.93]) * w
    y = np.array([side_end, -0.3, -0.58, h + 0.05, h, h + 0.02, h, h + 0.05, -0.58, -0.3, side_end])
    if identity.hair_style == "parted":  # swept from one side of the head to the other
        y = y + 0.22 * np.clip(x * 1.1 + 0.35, -0.3, 0.9) * (np.abs(x) < 0.8)
    if identity.hair_style == "bob":  # a fringe above the brows
        y = np.where(np.abs(x) < 0.8, np.maximum(y, -0.60 + 0.05 * np.abs(x)), y)
    return open_spline(np.stack([x, y], axis=1), 4)


def _draw_strands(
    canvas: Canvas, identity: Identity, outer: Points, line: Points, inside: Image.Image
) -> None:
    """Locks that fan out from the crown to the hairline, lighter and darker in turn."""
    rng = _strands(identity)
    view, base = canvas.view, identity.hair_colour
    x = rng.uniform(-0.9, 0.9) * 0.4 if identity.hair_style == "parted" else 0.0
    crown = np.array([x, -1.28 * identity.face_length])
    if identity.hair_style == "curly":
        _draw_curls(canvas, identity, inside)
        return
    position = np.sort(rng.random(44)) * (len(line) - 1)
    tips = np.stack(
        [np.interp(position, np.arange(len(line)), line[:, axis]) for axis in (0, 1)], axis=1
    )
    t = np.linspace(0, 1, 8)[:, None]
    light, light_pen = canvas.mask()
    dark, dark_pen = canvas.mask()
    width = max(1, round(0.02 * view.unit))
    for i, tip in enumerate(tips):
        start = crown + np.array([tip[0] * 0.25, rng.uniform(-0.02, 0.14)])
        # Hair rises from the crown and falls outwards, so the bend lies above the chord.
        bend = np.array([tip[0] * 0.85, min(crown[1] + 0.1, float(tip[1]))])
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * tip
        pen = (light_pen, dark_pen)[i % 2]
        pen.line(flat_list(view.place(curve, flat=True)), fill=105, width=width, joint="curve")
    canvas.paste(mix(base, (255, 236, 214), 0.24), ImageChops.darker(light, inside))
    canvas.paste(dim(base, 0.55), ImageChops.darker(dark, inside))


def _draw_curls(canvas: Canvas, identity: Identity, inside: Image.Image) -> None:
    """Small arcs all over, lighter and darker."""
    rng = _strands(identity)
    n = 110
    x, y = rng.uniform(-1.0, 1.0, n), rng.uniform(-1.45, 0.0, n)
    radius = rng.uniform(0.035, 0.07, n) * canvas.view.unit
    start = rng.uniform(0, 360, n)
    centres = canvas.view.place(np.stack([x, y], axis=1), flat=True)
    layers = (canvas.mask(), canvas.mask())
    width = max(1, round(0.022 * canvas.view.unit))
    for i, (cx, cy) in enumerate(centres.tolist()):
        r, a = float(radius[i]), float(start[i])
        layers[i % 2][1].arc((cx - r, cy - r, cx + r, cy + r), a, a + 200, fill=110, width=width)
    base = identity.hair_colour
    canvas.paste(mix(base, (255, 236, 214), 0.26), ImageChops.darker(layers[0][0], inside))
    canvas.paste(dim(base, 0.55), ImageChops.darker(layers[1][0], inside))


def _strands(identity: Identity) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([identity.texture, 7])))


def _filled(canvas: Canvas, pixels: Points) -> Image.Image:
    layer, pen = canvas.mask()
    pen.polygon(flat_list(pixels), fill=255)
    return layer


def _blob(canvas: Canvas, points: Points, colour: Colour, person: ImageDraw.ImageDraw) -> None:
    pixels = canvas.view.place(points, flat=True)
    canvas.polygon(pixels, colour)
    person.polygon(flat_list(pixels), fill=255)


def beard(canvas: Canvas, identity: Identity, shape: Shape) -> None:
    """Hair on the lower face, softly edged; the lips are painted over it afterwards."""
    kind = identity.beard
    if kind == "none":
        return
    layer, pen = canvas.mask()
    mouth_y = float(shape.mouth.upper_outer[:, 1].mean())
    half = max(abs(float(c[0])) for c in shape.mouth.corners)
    strength = {"stubble": 70, "full": 225, "goatee": 215, "moustache": 215}[kind]
    moustache = np.array(
        [[0.0, mouth_y - 0.1], [half * 0.7, mouth_y - 0.07], [half + 0.05, mouth_y + 0.05]]
    )
    lower = np.array([[half * 0.6, mouth_y + 0.03], [0.0, mouth_y + 0.0]])
    ring = np.concatenate([moustache, lower, (lower[:-1] * [-1, 1]), (moustache[:0:-1] * [-1, 1])])
    if kind != "goatee" or identity.texture % 2:
        pen.polygon(flat_list(canvas.view.place(ring)), fill=strength)
    if kind in ("full", "stubble"):
        low = shape.outline[(shape.outline[:, 1] > 0.45)]
        rim = low[np.argsort(np.arctan2(low[:, 0], low[:, 1] - 0.45))]
        inner = np.array([[0.62, 0.62], [half + 0.1, mouth_y + 0.05], [0.0, mouth_y + 0.1]])
        inner = np.concatenate([inner, inner[:-1][::-1] * np.array([-1.0, 1.0])])
        region = np.concatenate(
            [canvas.view.place(rim * np.array([0.99, 1.0]), flat=True), canvas.view.place(inner)]
        )
        pen.polygon(flat_list(region), fill=strength)
    if kind == "goatee":
        top = float(shape.mouth.lower_outer[:, 1].max())
        t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        middle = (top + shape.chin) / 2 + 0.03
        height = (shape.chin - top) / 2
        spot = np.stack([0.26 * np.cos(t), middle + height * np.sin(t)], axis=1)
        pen.polygon(flat_list(canvas.view.place(spot)), fill=strength)
    soft = layer.filter(ImageFilter.BoxBlur(0.028 * canvas.view.unit))
    canvas.paste(mix(identity.hair_colour, (60, 50, 46), 0.25), soft)


def glasses(canvas: Canvas, identity: Identity) -> None:
    """Frames around the eyes; the lenses are clear, so lids and gaze stay visible."""
    if identity.glasses == "none":
        return
    view = canvas.view
    shade: Colour = ((30, 28, 30), (94, 62, 40), (120, 118, 122))[identity.texture % 3]
    if identity.skin_tone >= 8:  # dark frames would vanish
        shade = mix(shade, (222, 206, 180), 0.6)
    power = 2.0 if identity.glasses == "round" else 4.5
    t = np.linspace(0, 2 * np.pi, 41)
    c, s = np.cos(t), np.sin(t)
    x = 0.30 * np.sign(c) * np.abs(c) ** (2 / power)
    y = 0.235 * np.sign(s) * np.abs(s) ** (2 / power) + 0.03
    for side in SIDES:
        rim = np.stack([side * identity.eye_gap + x, y], axis=1)
        canvas.line(view.place(rim, lift=0.12), shade, 0.032)
        edge = np.array([[side * (identity.eye_gap + 0.3), 0.0], [side * 0.97, -0.05]])
        if identity.hair_style != "scarf":
            canvas.line(view.place(edge), shade, 0.03)
    gap = identity.eye_gap - 0.3
    bridge = np.array([[-gap, 0.0], [0.0, -0.035], [gap, 0.0]])
    canvas.line(view.place(bridge, lift=0.14), shade, 0.03)
