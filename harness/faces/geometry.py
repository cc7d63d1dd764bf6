"""Landmarks of a face from its identity and action units, in face units, seen from the front.

x runs to the right of the picture, y down, the origin lies between the eyes; half the width of an
average face is 1. What each unit moves follows the appearance changes listed in the FACS manual
(Ekman, Friesen & Hager, 2002); how far is ours. Pose is applied later, by `harness.faces.canvas`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.faces.face import Identity
from harness.faces.units import Unit

Points = NDArray[np.float64]
"""Array of shape (n, 2): x, y in face units."""

SIDES = (-1, 1)
"""Left and right of the picture: the subject's right and left."""
EYE_STEPS = np.linspace(-1.0, 1.0, 17)
BROW_STEPS = np.linspace(0.0, 1.0, 9)
MOUTH_STEPS = np.linspace(-1.0, 1.0, 33)
IRIS_RADIUS = 0.1


@dataclass(frozen=True, slots=True)
class Pull:
    """The pull of every action unit on either side."""

    values: dict[int, tuple[float, float]]
    """Unit number to (left of picture, right of picture)."""

    @classmethod
    def of(cls, units: tuple[Unit, ...]) -> Pull:
        """The subject's right side lies on the left of the picture."""
        return cls({u.number: (u.right, u.left) for u in units})

    def at(self, number: int, side: int) -> float:
        """Intensity on one side of the picture (-1 or 1)."""
        pair = self.values.get(number, (0.0, 0.0))
        return pair[0] if side < 0 else pair[1]

    def mean(self, number: int) -> float:
        """Mean of both sides."""
        pair = self.values.get(number, (0.0, 0.0))
        return (pair[0] + pair[1]) / 2

    def along(self, number: int, steps: Points) -> Points:
        """Intensity along the mouth, for steps from -1 (left of picture) to 1."""
        a, b = self.values.get(number, (0.0, 0.0))
        return a + (b - a) * (1 + np.clip(steps * 1.6, -1, 1)) / 2


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye; curves run from the inner to the outer corner."""

    side: int
    upper: Points
    lower: Points
    iris: tuple[float, float]
    """Centre of the iris."""
    opening: float
    """Height of the opening at its middle, in face units; 0 when closed."""


@dataclass(frozen=True, slots=True)
class Brow:
    """One eyebrow; the spine runs from the inner to the outer end."""

    side: int
    spine: Points
    thickness: Points
    """Half the thickness at each point of the spine, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Mouth:
    """Edges of the lips, left to right in the picture; inner edges touch when it is shut."""

    upper_outer: Points
    upper_inner: Points
    lower_inner: Points
    lower_outer: Points
    gap: float
    """Greatest distance between the inner edges."""
    middle: float
    """Height of the line between the lips at its middle, as if they were shut."""

    @property
    def corners(self) -> tuple[Points, Points]:
        """Left and right corner in the picture, each of shape (2,)."""
        return self.upper_inner[0], self.upper_inner[-1]


@dataclass(frozen=True, slots=True)
class Shape:
    """All landmarks of one face."""

    outline: Points
    eyes: tuple[Eye, Eye]
    brows: tuple[Brow, Brow]
    mouth: Mouth
    nose_base: float
    """Height of the underside of the nose at its middle."""
    wing_lift: tuple[float, float]
    """How far each nostril wing is raised."""
    cheek_lift: tuple[float, float]
    """How far each cheek is raised."""
    chin: float
    """Height of the lowest point of the face."""


def shape_of(identity: Identity, units: tuple[Unit, ...], gaze: tuple[float, float]) -> Shape:
    """Landmarks of a person with these action units at work."""
    pull = Pull.of(units)
    jaw = jaw_drop(pull)
    lifts = tuple(
        0.075 * max(pull.at(6, s), 0.75 * pull.at(12, s)) + 0.025 * pull.at(9, s) for s in SIDES
    )
    wings = tuple(0.055 * pull.at(9, s) + 0.02 * pull.at(10, s) for s in SIDES)
    chin = 1.27 * identity.face_length + 0.75 * jaw - 0.03 * pull.mean(17)
    return Shape(
        outline=outline_of(identity, chin, jaw),
        eyes=(_eye(identity, pull, -1, gaze), _eye(identity, pull, 1, gaze)),
        brows=(_brow(identity, pull, -1), _brow(identity, pull, 1)),
        mouth=_mouth(identity, pull),
        nose_base=identity.nose_length - 0.015 * pull.mean(9) - 0.01 * pull.mean(10),
        wing_lift=(wings[0], wings[1]),
        cheek_lift=(lifts[0], lifts[1]),
        chin=chin,
    )


def jaw_drop(pull: Pull) -> float:
    """How far the jaw hangs, in face units."""
    return max(0.13 * pull.mean(26), 0.25 * pull.mean(27))


def spline(knots: Points, per_span: int) -> Points:
    """Closed Catmull-Rom curve through the knots, shape (len(knots) * per_span, 2)."""
    before, after = np.roll(knots, 1, axis=0), np.roll(knots, -1, axis=0)
    beyond = np.roll(knots, -2, axis=0)
    t = np.linspace(0.0, 1.0, per_span, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (k[:, None, :] for k in (before, knots, after, beyond))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    out: Points = curve.reshape(-1, 2)
    return out


def open_spline(knots: Points, per_span: int) -> Points:
    """Catmull-Rom curve from the first knot to the last."""
    ends = (2 * knots[:1] - knots[1:2], 2 * knots[-1:] - knots[-2:-1])
    curve = spline(np.concatenate([ends[0], knots, ends[1]]), per_span)
    return curve[per_span : per_span * len(knots) + 1]


def outline_of(identity: Identity, chin: float, jaw: float) -> Points:
    """Outline of the head without hair, closed."""
    w, long = identity.face_width, identity.face_length
    half = np.array(
        [
            [0.0, -1.28 * long],
            [0.46 * w, -1.18 * long],
            [0.78 * w, -0.86 * long],
            [0.92 * w, -0.38 * long],
            [0.95 * w, 0.08],
            [0.93 * w, 0.45],
            [identity.jaw_width * w, 0.86 * long + 0.4 * jaw],
            [identity.chin_width + 0.14, 1.14 * long + 0.7 * jaw],
            [identity.chin_width * 0.45, chin - 0.015],
        ]
    )
    mirrored = half[:0:-1] * np.array([-1.0, 1.0])
    knots = np.concatenate([half, np.array([[0.0, chin]]), mirrored])
    return spline(knots, 6)


def _eye(identity: Identity, pull: Pull, side: int, gaze: tuple[float, float]) -> Eye:
    au = {n: pull.at(n, side) for n in (1, 2, 4, 5, 6, 7, 9, 12, 43)}
    upper = 0.092 * identity.eye_open + 0.075 * au[5] + 0.008 * max(au[1], au[2])
    upper -= 0.030 * au[7] + 0.016 * au[4] * (1 - au[5]) + 0.014 * au[9] + 0.016 * au[6]
    lower = 0.058 * identity.eye_open + 0.012 * au[5]
    lower -= 0.034 * au[7] + 0.038 * au[6] + 0.015 * au[9] + 0.008 * au[12]
    upper += (-lower - upper) * min(1.0, au[43] * 1.1)  # the upper lid comes down on the lower
    opening = max(0.0, upper + lower)
    t = EYE_STEPS
    cx, half = identity.eye_gap, identity.eye_width
    tilt = identity.eye_tilt * t - 0.012 * au[1] * au[4] * (1 - t) / 2
    arch_up = (1 - np.abs(t + 0.08) ** 2.3).clip(0) * (1 - np.abs(t) ** 8)
    arch_low = (1 - np.abs(t - 0.08) ** 2.4).clip(0) * (1 - np.abs(t) ** 8)
    x = side * (cx + half * t)
    top = np.stack([x, tilt - upper * arch_up], axis=1)
    low = np.stack([x, tilt + lower * arch_low], axis=1)
    low[:, 1] = np.maximum(low[:, 1], top[:, 1])
    iris = (side * cx + 0.075 * gaze[0], -0.012 + 0.035 * gaze[1])
    return Eye(side=side, upper=top, lower=low, iris=iris, opening=opening)


def _brow(identity: Identity, pull: Pull, side: int) -> Brow:
    au = {n: pull.at(n, side) for n in (1, 2, 4, 5, 6, 9, 43)}
    t = BROW_STEPS
    inner = np.clip(1 - t * 1.25, 0, 1) ** 1.1
    outer = np.clip(0.12 + t / 0.72, 0, 1) * (1 - 0.3 * np.clip((t - 0.7) / 0.3, 0, 1))
    x = identity.brow_inner + (0.70 - identity.brow_inner) * t
    arch = identity.brow_arch * np.sin(np.pi * np.clip(t * 0.82 + 0.03, 0, 1)) * 1.6
    y = identity.brow_height + 0.02 - arch + identity.brow_tilt * t + 0.03 * t**3
    # Raised and knit together (1 with 4) the inner ends stay up: the frontalis wins there.
    y = y - 0.145 * au[1] * inner - 0.135 * au[2] * outer
    y = y + 0.105 * au[4] * (1 - 0.62 * t) * (1 - 0.72 * au[1])
    y = y + 0.08 * au[9] * inner + 0.015 * au[6] * t + 0.02 * au[43] - 0.015 * au[5]
    x = x - 0.075 * au[4] * (1 - t) ** 1.2 - 0.03 * au[9] * inner
    body = 0.75 + 0.35 * np.sin(np.pi * np.clip(t + 0.15, 0, 1))
    taper = np.where(t < 0.55, 1.0, 1 - (np.clip(t - 0.55, 0, 1) / 0.45) ** 1.5 * 0.85)
    spine = np.stack([side * x, y], axis=1)
    return Brow(side=side, spine=spine, thickness=identity.brow_thickness * body * taper)


def _mouth_line(identity: Identity, pull: Pull) -> tuple[Points, Points]:
    """The line along which the lips meet, and its distance from the middle of the face."""
    u = MOUTH_STEPS
    rise, reach = np.zeros_like(u), np.zeros_like(u)
    for side in SIDES:
        au = {n: pull.at(n, side) for n in (6, 10, 12, 14, 15, 17, 20, 23, 24, 27)}
        corner = identity.mouth_rest - 0.145 * au[12] - 0.034 * au[14] + 0.125 * au[15]
        corner += 0.015 * au[20] - 0.01 * au[6] * au[12] + 0.02 * au[17]
        width = identity.mouth_width + 0.105 * au[12] + 0.045 * au[14] + 0.14 * au[20]
        width += 0.02 * au[15] - 0.065 * au[23] - 0.02 * au[24] - 0.06 * au[27] - 0.02 * au[17]
        half = u * side >= 0
        near = np.abs(u)
        # A one-sided pull acts close to its corner, so the middle of the mouth stays in place.
        rise = np.where(half, corner * near**1.8, rise)
        reach = np.where(half, side * near * width, reach)
    middle = -0.055 * pull.mean(17) + 0.022 * pull.mean(12) - 0.012 * pull.mean(15)
    middle -= 0.02 * pull.mean(10)
    y = identity.mouth_height + rise + middle * (1 - u**2)
    return y, reach


def _mouth(identity: Identity, pull: Pull) -> Mouth:
    u = MOUTH_STEPS
    line, x = _mouth_line(identity, pull)
    au = {n: pull.along(n, u) for n in (10, 12, 17, 20, 23, 24, 25)}
    dome = (1 - u**2).clip(0)
    part = pull.mean(25)
    press = pull.mean(24)
    shut = 1.0 if part > 0.02 else 0.0  # nothing below shows a gap unless the lips part
    upper_gap = shut * (0.028 * part + 0.05 * au[10] * part + 0.02 * au[12] * part)
    lower_gap = shut * (0.052 * part + 0.03 * au[12] * part + 0.02 * au[20] * part)
    lower_gap = lower_gap + shut * jaw_drop(pull) * 1.15
    upper_gap = upper_gap * (1 - 0.8 * press)
    square = (1 - np.abs(u) ** 3.2).clip(0)  # stretched lips open along their whole width
    open_low = np.where(pull.mean(20) + pull.mean(10) > 0.3, square, dome**0.75)
    top_inner = line - upper_gap * dome**0.7 - 0.035 * au[10] * dome**0.5 * (1 - dome * 0.35)
    low_inner = line + lower_gap * open_low - 0.035 * au[10] * dome**0.5 * (1 - shut)
    low_inner = np.maximum(low_inner, top_inner)
    thin = (1 - 0.55 * au[23]) * (1 - 0.72 * au[24]) * (1 - 0.25 * au[12]) * (1 - 0.2 * au[20])
    bow = 1 - 0.20 * np.exp(-((u / 0.13) ** 2))
    upper = identity.lip_upper * thin * bow * (1 - np.abs(u) ** 1.7).clip(0)
    lower = identity.lip_lower * thin * (1 - np.abs(u) ** 2.2).clip(0) * (1 + 0.12 * au[17])
    return Mouth(
        upper_outer=np.stack([x, top_inner - upper], axis=1),
        upper_inner=np.stack([x, top_inner], axis=1),
        lower_inner=np.stack([x, low_inner], axis=1),
        lower_outer=np.stack([x, low_inner + lower], axis=1),
        gap=float((low_inner - top_inner).max()),
        middle=float(line[len(line) // 2]),
    )
