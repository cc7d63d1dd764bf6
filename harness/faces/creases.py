"""Wrinkles, folds and bulges of a face, by its action units and age.

Each line is drawn into one grey map; the light then darkens the map and brightens its lower rim.
Where each line runs follows the appearance changes in the FACS manual (2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.faces.face import Identity
from harness.faces.geometry import SIDES, Points, Pull, Shape


@dataclass(frozen=True, slots=True)
class Crease:
    """One line in face units."""

    points: Points
    width: float
    """Face units."""
    depth: float
    """0 (none) to 1 (a deep fold)."""


def creases_of(identity: Identity, pull: Pull, shape: Shape) -> list[Crease]:
    """Every line the face shows."""
    found = forehead(identity, pull, shape)
    for side in SIDES:
        found += _eye_region(identity, pull, shape, side)
        found += _cheek(identity, pull, shape, side)
        found += _mouth_side(identity, pull, shape, side)
    found += _nose(pull, shape) + _chin(identity, pull, shape)
    return [c for c in found if c.depth > 0.05]


def arc(x0: float, y0: float, x1: float, y1: float, bend: float) -> Points:
    """A bent line; `bend` is its sag at the middle to the right of its direction."""
    t = np.linspace(0.0, 1.0, 9)
    sag = bend * 4 * t * (1 - t)
    dx, dy = x1 - x0, y1 - y0
    length = max(1e-6, float(np.hypot(dx, dy)))
    x = x0 + dx * t - dy / length * sag
    y = y0 + dy * t + dx / length * sag
    return np.stack([x, y], axis=1)


def forehead_depth(identity: Identity, pull: Pull) -> float:
    """Depth in [0, 1] of the lines across the forehead."""
    lift = max(pull.at(n, s) for n in (1, 2) for s in SIDES)
    return min(1.0, 0.95 * lift + 0.3 * identity.age)


def forehead(identity: Identity, pull: Pull, shape: Shape) -> list[Crease]:
    """Lines across the forehead (1, 2) and between the brows (4)."""
    found: list[Crease] = []
    depth = 0.3 * identity.age
    for row in range(3):
        t = np.linspace(-1.0, 1.0, 21)
        inner, outer = np.exp(-((t / 0.42) ** 2)), np.clip(np.abs(t) * 1.5 - 0.35, 0, 1)
        lift = np.zeros_like(t)
        for side in SIDES:
            here = t * side >= 0
            rise = np.maximum(pull.at(1, side) * inner, pull.at(2, side) * outer)
            lift = np.where(here, rise, lift)
        y = -0.52 - 0.115 * row + 0.05 * t**2 - 0.06 * lift
        points = np.stack([0.56 * t, y], axis=1)
        for a in range(0, 20, 4):
            piece = float(lift[a : a + 5].mean())
            found.append(Crease(points[a : a + 5], 0.02, min(1.0, depth + 0.9 * piece)))
    for side in SIDES:
        knit = pull.at(4, side)
        base = 0.25 * identity.age
        root = shape.brows[0 if side < 0 else 1].spine[0]
        at, height = float(root[0]) - side * 0.035, float(root[1])
        line = arc(at, height - 0.10, at - side * 0.02, height + 0.09, 0.012 * side)
        found.append(Crease(line, 0.026, min(1.0, base + 0.95 * knit)))
    return found


def _eye_region(identity: Identity, pull: Pull, shape: Shape, side: int) -> list[Crease]:
    eye = shape.eyes[0 if side < 0 else 1]
    outer, low = eye.upper[-1], eye.lower
    x, y = float(outer[0]), float(outer[1])
    squeeze = pull.at(6, side)
    feet = min(1.0, 0.9 * squeeze + 0.4 * identity.age)
    found = [
        Crease(arc(x + side * 0.04, y + dy, x + side * 0.17, y + 3.0 * dy, 0.0), 0.018, feet)
        for dy in (-0.03, 0.012, 0.05)
    ]
    bag = low + np.array([0.0, 0.045 + 0.012 * identity.age])
    tight = min(1.0, 0.7 * max(squeeze, pull.at(7, side)) + 0.35 * identity.age + 0.12)
    found.append(Crease(bag[3:-2], 0.022, tight))
    fold = eye.upper[1:-1] * np.array([1.0, 1.0]) + np.array([0.0, -0.045])
    lid = (0.25 + 0.4 * identity.lid_crease) * (1 - 0.5 * pull.at(4, side))
    found.append(Crease(fold, 0.018, lid * min(1.0, eye.opening * 9)))
    return found


def _cheek(identity: Identity, pull: Pull, shape: Shape, side: int) -> list[Crease]:
    """The fold from the nostril wing to beside the mouth (nasolabial)."""
    pulls = (0.9 * pull.at(12, side), 0.75 * pull.at(10, side), 0.8 * pull.at(9, side))
    depth = min(1.0, 0.12 + 0.4 * identity.age + max(*pulls, 0.35 * pull.at(6, side)))
    corner = shape.mouth.corners[0 if side < 0 else 1]
    wing = shape.wing_lift[0 if side < 0 else 1]
    x0, y0 = side * (identity.nose_width + 0.06), identity.nose_length - 0.06 - wing
    x1, y1 = float(corner[0]) + side * 0.085, float(corner[1]) + 0.03
    bulge = -side * (0.03 + 0.02 * pull.at(10, side))
    return [Crease(arc(x0, y0, x1, y1, bulge), 0.03, depth)]


def _mouth_side(identity: Identity, pull: Pull, shape: Shape, side: int) -> list[Crease]:
    corner = shape.mouth.corners[0 if side < 0 else 1]
    x, y = float(corner[0]), float(corner[1])
    dimple = arc(x + side * 0.05, y - 0.075, x + side * 0.05, y + 0.075, -side * 0.03)
    pit = Crease(dimple, 0.036, min(1.0, 1.25 * pull.at(14, side)))
    down = min(1.0, 0.9 * pull.at(15, side) + 0.25 * identity.age)
    droop = Crease(arc(x + side * 0.02, y, x + side * 0.055, y + 0.17, -side * 0.02), 0.026, down)
    wide = pull.at(20, side)
    stretch = [
        Crease(arc(x + side * d, y - 0.06, x + side * d, y + 0.1, -side * 0.02), 0.02, 0.6 * wide)
        for d in (0.06, 0.12)
    ]
    squeeze = max(pull.at(23, side), pull.at(24, side))
    end = arc(x + side * 0.02, y - 0.04, x + side * 0.02, y + 0.04, -side * 0.015)
    return [pit, droop, *stretch, Crease(end, 0.028, 0.7 * squeeze)]


def _nose(pull: Pull, shape: Shape) -> list[Crease]:
    found: list[Crease] = []
    for side in SIDES:
        wrinkle = pull.at(9, side)
        for row in range(3):
            y = -0.02 + 0.085 * row
            line = arc(side * 0.03, y, side * (0.15 + 0.01 * row), y - 0.05 + 0.03 * row, 0.0)
            found.append(Crease(line, 0.024, wrinkle))
    across = min(pull.at(9, -1), pull.at(9, 1))
    found.append(Crease(arc(-0.09, -0.1, 0.09, -0.1, 0.012), 0.024, across))
    return found


def _chin(identity: Identity, pull: Pull, shape: Shape) -> list[Crease]:
    """The fold under the lower lip (17) and the pitted skin of the chin boss."""
    y = float(shape.mouth.lower_outer[:, 1].max()) + 0.05
    raised = pull.mean(17)
    fold = Crease(arc(-0.17, y + 0.02, 0.17, y + 0.02, -0.035), 0.03, min(1.0, 0.15 + raised))
    boss = (y + shape.chin) / 2 + 0.02
    pits = [
        Crease(arc(x - 0.02, boss + dy, x + 0.02, boss + dy + 0.01, 0.0), 0.026, 0.8 * raised)
        for x, dy in ((-0.09, 0.0), (0.0, -0.03), (0.09, 0.0), (-0.045, 0.05), (0.045, 0.05))
    ]
    return [fold, *pits]
