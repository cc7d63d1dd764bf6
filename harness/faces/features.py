"""Paint eyes, brows, nose and mouth in flat colour; light is added later."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from harness.faces.canvas import Canvas, dim, flat_list, mix
from harness.faces.face import Colour, Face, Identity
from harness.faces.geometry import IRIS_RADIUS, SIDES, Brow, Eye, Mouth, Points, Shape

SCLERA: Colour = (236, 232, 228)
ENAMEL: Colour = (240, 236, 224)
MOUTH_DARK: Colour = (52, 20, 22)
TONGUE: Colour = (150, 66, 70)


def _tile(canvas: Canvas, pixels: Points) -> tuple[tuple[int, int, int, int], Points]:
    """The whole-pixel box around a shape, and the shape within it."""
    low = np.floor(pixels.min(axis=0)).astype(int) - 1
    high = np.ceil(pixels.max(axis=0)).astype(int) + 2
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return box, pixels - low


def paint_eye(canvas: Canvas, identity: Identity, eye: Eye, skin: Colour) -> None:
    """One eye: white, iris, pupil, glint, the shadow of the upper lid, lash lines."""
    view = canvas.view
    top, low = view.place(eye.upper), view.place(eye.lower)
    lash: Colour = dim(mix(skin, (24, 16, 14), 0.82), 0.9)
    if eye.opening > 0.012:
        ring = np.concatenate([top, low[::-1]])
        box, local = _tile(canvas, ring)
        size = (box[2] - box[0], box[3] - box[1])
        tile = Image.new("RGB", size, mix(SCLERA, skin, 0.12))
        pen = ImageDraw.Draw(tile)
        centre = view.place(np.array([eye.iris]))[0] - np.array(box[:2])
        r = IRIS_RADIUS * view.unit
        _disc(pen, centre, r, dim(identity.iris_colour, 0.55))
        _disc(pen, centre, r * 0.84, identity.iris_colour)
        _disc(pen, centre, r * 0.42, (12, 10, 10))
        _disc(pen, centre + np.array([-0.3, -0.35]) * r, r * 0.2, (250, 250, 250))
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).polygon(flat_list(local), fill=255)
        canvas.image.paste(tile, box[:2], mask)
        under = top + np.array([0.0, 0.018 * view.unit])
        canvas.line(under[2:-2], mix(lash, SCLERA, 0.45), 0.016)
        canvas.line(low[1:-1], mix(skin, lash, 0.45), 0.013)
    canvas.line(top, lash, 0.032)
    flick = np.array([eye.upper[-2], eye.upper[-1] + [eye.side * 0.025, -0.004]])
    canvas.line(view.place(flick), lash, 0.026)


def _disc(pen: ImageDraw.ImageDraw, centre: Points, radius: float, fill: Colour) -> None:
    x, y = float(centre[0]), float(centre[1])
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def paint_brow(canvas: Canvas, identity: Identity, brow: Brow, skin: Colour) -> None:
    """One eyebrow: a tapered shape with a few lighter hairs."""
    view = canvas.view
    colour = mix(dim(identity.hair_colour, 0.75), skin, 0.12)
    gap = abs(sum(colour) - sum(skin))
    if gap < 150:  # pale hair on pale skin, or dark on dark, must still show
        colour = dim(colour, 0.6) if sum(skin) > 260 else dim(colour, 0.45)
    slope = np.gradient(brow.spine, axis=0)
    normal = np.stack([-slope[:, 1], slope[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    offset = normal * brow.thickness[:, None]
    ring = np.concatenate([brow.spine + offset, (brow.spine - offset)[::-1]])
    canvas.polygon(view.place(ring), colour)
    fine = mix(colour, skin, 0.3)
    for i in range(len(brow.spine) - 1):
        root = brow.spine[i] + offset[i] * (0.5, -0.1, -0.6)[i % 3]
        tip = root + slope[i] * 0.9 - np.abs(offset[i]) * np.array([0.0, 0.35])
        canvas.line(view.place(np.array([root, tip])), fine, 0.012)


def paint_nose(canvas: Canvas, identity: Identity, shape: Shape, skin: Colour) -> None:
    """Nostrils, wings and the shadow under the tip."""
    view = canvas.view
    dark = dim(mix(skin, (70, 26, 20), 0.55), 0.62)
    soft = dim(mix(skin, (120, 60, 46), 0.3), 0.8)
    t = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    w = identity.nose_width
    for side, lift in zip(SIDES, shape.wing_lift, strict=True):
        y = shape.nose_base - 0.4 * lift
        wing = np.array(
            [[w * 0.98, y - 0.14 - lift], [w * 1.12, y - 0.05 - lift], [w * 0.95, y + 0.01 - lift]]
        ) * np.array([side, 1.0])
        canvas.line(view.place(wing, lift=0.1), soft, 0.026)
        hole = np.stack(
            [side * w * 0.5 + 0.36 * w * np.cos(t), y + 0.002 + 0.026 * np.sin(t)], axis=1
        )
        canvas.polygon(view.place(hole, lift=0.12), dark)
    under = np.array([[-w * 0.4, 0.032], [0.0, 0.05], [w * 0.4, 0.032]])
    under[:, 1] += shape.nose_base
    canvas.line(view.place(under, lift=0.12), soft, 0.02)


def lip_colour(identity: Identity, skin: Colour) -> Colour:
    """Colour of the lips against the skin."""
    pale = identity.skin_tone <= 6
    rose: Colour = (176, 62, 70) if pale else (124, 52, 58)
    return mix(dim(skin, 0.9 if pale else 1.0), rose, 0.42 + 0.3 * identity.lip_colour)


def paint_mouth(canvas: Canvas, face: Face, mouth: Mouth, skin: Colour) -> Image.Image:
    """Lips and what lies between them. Returns the mask of visible teeth, 0 to 255."""
    view = canvas.view
    colour = lip_colour(face.identity, skin)
    edges = {
        name: view.place(points, lift=0.06)
        for name, points in (
            ("uo", mouth.upper_outer),
            ("ui", mouth.upper_inner),
            ("li", mouth.lower_inner),
            ("lo", mouth.lower_outer),
        )
    }
    upper = np.concatenate([edges["uo"], edges["ui"][::-1]])
    lower = np.concatenate([edges["li"], edges["lo"][::-1]])
    canvas.polygon(upper, dim(colour, 0.84))
    canvas.polygon(lower, colour)
    shine = mouth.lower_inner * 0.45 + mouth.lower_outer * 0.55
    thick = float((mouth.lower_outer - mouth.lower_inner)[:, 1].max())
    canvas.line(view.place(shine[11:22], lift=0.06), mix(colour, (255, 225, 215), 0.22), thick / 3)
    teeth = _paint_opening(canvas, face, mouth, edges)
    dark = dim(mix(colour, MOUTH_DARK, 0.7), 0.85)
    if mouth.gap < 0.02:
        canvas.line((edges["ui"] + edges["li"]) / 2, dark, 0.026)
    else:
        canvas.line(edges["ui"], dark, 0.014)
    for i in (0, -1):
        x, y = edges["ui"][i]
        r = 0.013 * view.unit
        canvas.draw.ellipse((x - r, y - r, x + r, y + r), fill=dark)
    return teeth


def _paint_opening(
    canvas: Canvas, face: Face, mouth: Mouth, edges: dict[str, Points]
) -> Image.Image:
    teeth, pen = canvas.mask()
    if mouth.gap < 0.02:
        return teeth
    view = canvas.view
    opening, cut = canvas.mask()
    cut.polygon(flat_list(np.concatenate([edges["ui"], edges["li"][::-1]])), fill=255)
    canvas.paste(MOUTH_DARK, opening)
    if mouth.gap > 0.09:
        floor = mouth.lower_inner[6:27]
        back = floor - np.array([0.0, 1.0]) * (0.45 * mouth.gap)
        bump = np.sin(np.linspace(0, np.pi, len(floor)))[:, None]
        back = floor + (back - floor) * bump**0.6
        tongue, lick = canvas.mask()
        ring = np.concatenate([view.place(floor), view.place(back)[::-1]])
        lick.polygon(flat_list(ring), fill=255)
        canvas.paste(TONGUE, ImageChops.darker(tongue, opening))
    if face.teeth > 0.0:
        row = _teeth(face, mouth)
        pen.polygon(flat_list(view.place(row, lift=0.05)), fill=255)
        teeth = ImageChops.darker(teeth, opening)
        canvas.paste(ENAMEL, teeth)
        _gaps(canvas, row, teeth)
    return teeth


def _teeth(face: Face, mouth: Mouth) -> Points:
    """The row of upper teeth, from behind the lip to its lower edge, bow-shaped."""
    u = np.linspace(-1.0, 1.0, 25)
    x = np.interp(u, np.linspace(-1, 1, len(mouth.upper_inner)), mouth.upper_inner[:, 0])
    lip = np.interp(u, np.linspace(-1, 1, len(mouth.upper_inner)), mouth.upper_inner[:, 1])
    length = face.teeth * 0.125 * (1 - 0.45 * np.abs(u) ** 2)
    inside = np.abs(u) < 0.9
    top = np.stack([x, lip - 0.05], axis=1)[inside]
    edge = np.stack([x, lip + length], axis=1)[inside]
    return np.concatenate([top, edge[::-1]])


def _gaps(canvas: Canvas, row: Points, teeth: Image.Image) -> None:
    """Faint lines between teeth."""
    half = len(row) // 2
    layer, pen = canvas.mask()
    top, edge = row[:half], row[half:][::-1]
    width = max(1, round(0.008 * canvas.view.unit))
    for i in range(1, half - 1, 3):
        ends = canvas.view.place(np.array([top[i], edge[i]]), lift=0.05)
        pen.line(flat_list(ends), fill=70, width=width)
    canvas.paste((150, 138, 128), ImageChops.darker(layer, teeth))
