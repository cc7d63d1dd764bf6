"""Visible cues of a drawn face, by explicit rules on its geometry.

Each rule compares the landmarks with those of the same person at rest, in face units, before the
head is turned; so neither pose nor identity changes a cue. Teeth alone are counted in pixels.
Rules are tried from top to bottom; the first that holds gives the value.

eyebrows   asymmetrical: mean heights of the brows moved apart by BROW_ASYMMETRY or more
           inner-raised: inner ends rose by BROW_INNER or more, and by BROW_SLOPE more than the outer
           raised:       mean height rose by BROW_MOVED or more
           lowered:      inner ends sank by BROW_MOVED or more
           else neutral
eyes       closed:       opening below EYE_CLOSED of rest
           wide:         opening above EYE_WIDE of rest
           narrowed:     opening below EYE_NARROW of rest
           else normal   (mean of both eyes)
mouth      smile:        mean of the corners rose by SMILE_RISEN or more, and by CORNER_MOVED or
                         more over the middle
           open:         gap between the lips of MOUTH_OPEN or more
           frown:        mean of the corners sank by CORNER_MOVED or more under the middle
           pressed:      red of both lips thinner than LIP_PRESSED of rest
           pursed:       narrower than LIP_PURSED of rest
           else neutral
teeth_visible  yes: visible teeth cover TEETH_AREA square face units or more, counted in pixels
cheeks     raised: a cheek rose by CHEEK_RAISED or more
nose       wrinkled: a nostril wing rose by NOSE_WRINKLED or more
forehead   lined: depth of the lines across it of FOREHEAD_LINED or more, or a frown line as deep
head_pose  the largest turn of HEAD_TURNED degrees or more: turned left, turned right, up, down,
           tilted left, tilted right; else frontal. Left and right are the subject's.
gaze       the larger offset of GAZE_AVERTED or more: left, right, up, down; else direct;
           not visible when the eyes are closed. Left and right are the subject's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.faces.creases import forehead_depth
from harness.faces.face import Face, Pose
from harness.faces.geometry import SIDES, Mouth, Pull, Shape, shape_of

BROW_ASYMMETRY = 0.035
BROW_INNER = 0.025
BROW_SLOPE = 0.03
BROW_MOVED = 0.022
EYE_CLOSED = 0.2
EYE_WIDE = 1.18
EYE_NARROW = 0.8
MOUTH_OPEN = 0.05
SMILE_RISEN = 0.04
CORNER_MOVED = 0.03
LIP_PRESSED = 0.75
LIP_PURSED = 0.9
TEETH_AREA = 0.006
CHEEK_RAISED = 0.025
NOSE_WRINKLED = 0.012
FOREHEAD_LINED = 0.3
HEAD_TURNED = 5.0
GAZE_AVERTED = 0.3

CUE_VALUES: dict[str, tuple[str, ...]] = {
    "eyebrows": ("raised", "neutral", "lowered", "inner-raised", "asymmetrical"),
    "eyes": ("wide", "normal", "narrowed", "closed"),
    "mouth": ("smile", "neutral", "frown", "open", "pressed", "pursed"),
    "teeth_visible": ("yes", "no"),
    "cheeks": ("raised", "neutral"),
    "nose": ("wrinkled", "neutral"),
    "forehead": ("lined", "smooth"),
    "head_pose": (
        "frontal",
        "turned left",
        "turned right",
        "up",
        "down",
        "tilted left",
        "tilted right",
    ),
    "gaze": ("direct", "left", "right", "up", "down", "not visible"),
}
"""Every cue with its values."""


def read_cues(face: Face, shape: Shape, *, teeth_area: float) -> dict[str, Any]:
    """The cues of a drawn face.

    Args:
        shape: what was drawn.
        teeth_area: area of the visible teeth in square face units, counted in pixels.
    """
    rest = shape_of(face.identity, (), face.gaze)
    eyes = _eyes(shape, rest)
    pull = Pull.of(face.units)
    knit = max(pull.at(4, s) for s in SIDES) * 0.95 + 0.25 * face.identity.age
    lined = max(forehead_depth(face.identity, pull), knit) >= FOREHEAD_LINED
    cheek = max(now - then for now, then in zip(shape.cheek_lift, rest.cheek_lift, strict=True))
    return {
        "eyebrows": _brows(shape, rest),
        "eyes": eyes,
        "mouth": _mouth(shape.mouth, rest.mouth),
        "teeth_visible": "yes" if teeth_area >= TEETH_AREA else "no",
        "cheeks": "raised" if cheek >= CHEEK_RAISED else "neutral",
        "nose": "wrinkled" if max(shape.wing_lift) >= NOSE_WRINKLED else "neutral",
        "forehead": "lined" if lined else "smooth",
        "head_pose": _pose(face.pose),
        "gaze": "not visible" if eyes == "closed" else _gaze(face.gaze),
    }


def _brows(shape: Shape, rest: Shape) -> str:
    rise = np.array(
        [r.spine[:, 1] - s.spine[:, 1] for s, r in zip(shape.brows, rest.brows, strict=True)]
    )
    inner, outer = float(rise[:, :3].mean()), float(rise[:, 4:8].mean())
    if abs(float(rise[0].mean() - rise[1].mean())) >= BROW_ASYMMETRY:
        return "asymmetrical"
    if inner >= BROW_INNER and inner - outer >= BROW_SLOPE:
        return "inner-raised"
    if float(rise.mean()) >= BROW_MOVED:
        return "raised"
    return "lowered" if inner <= -BROW_MOVED else "neutral"


def _eyes(shape: Shape, rest: Shape) -> str:
    share = sum(e.opening for e in shape.eyes) / sum(e.opening for e in rest.eyes)
    if share < EYE_CLOSED:
        return "closed"
    if share > EYE_WIDE:
        return "wide"
    return "narrowed" if share < EYE_NARROW else "normal"


def _mouth(mouth: Mouth, rest: Mouth) -> str:
    def red(m: Mouth) -> float:
        upper = (m.upper_inner - m.upper_outer)[:, 1].max()
        return float(upper + (m.lower_outer - m.lower_inner)[:, 1].max())

    def corners(m: Mouth) -> float:
        return float(m.corners[0][1] + m.corners[1][1]) / 2

    risen = corners(rest) - corners(mouth)
    sag = (corners(mouth) - mouth.middle) - (corners(rest) - rest.middle)
    smiling = risen >= SMILE_RISEN and sag <= -CORNER_MOVED
    if smiling:
        return "smile"
    if mouth.gap >= MOUTH_OPEN:
        return "open"
    if sag >= CORNER_MOVED:
        return "frown"
    if red(mouth) < LIP_PRESSED * red(rest):
        return "pressed"
    width, usual = (float(m.corners[1][0] - m.corners[0][0]) for m in (mouth, rest))
    return "pursed" if width < LIP_PURSED * usual else "neutral"


def _pose(pose: Pose) -> str:
    turns = {
        "turned left": pose.yaw,
        "turned right": -pose.yaw,
        "up": pose.pitch,
        "down": -pose.pitch,
        "tilted right": -pose.roll,
        "tilted left": pose.roll,
    }
    name = max(turns, key=lambda key: turns[key])
    return name if turns[name] >= HEAD_TURNED else "frontal"


def _gaze(gaze: tuple[float, float]) -> str:
    offsets = {"left": gaze[0], "right": -gaze[0], "down": gaze[1], "up": -gaze[1]}
    name = max(offsets, key=lambda key: offsets[key])
    return name if offsets[name] >= GAZE_AVERTED else "direct"
