"""Everything the renderer knows about a picture, as numeric training targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.affect_tiny.training.landmarks import COUNT
from harness.faces import BASIC_8, CUE_VALUES, MICRO_7, UNIT_TABLE

UNITS: tuple[int, ...] = tuple(UNIT_TABLE)
EMOTIONS = BASIC_8
CLASSES: dict[str, tuple[str, ...]] = {
    "emotion": EMOTIONS,
    **CUE_VALUES,
    "glasses": ("yes", "no"),
    "beard": ("none", "stubble", "moustache", "goatee", "full"),
    "age_group": ("18-29", "30-49", "50-69", "70+"),
}
"""What is learnt as classes."""
MIRRORED = {"left": "right", "right": "left", "turned left": "turned right"}
MIRRORED |= {"turned right": "turned left", "tilted left": "tilted right"}
MIRRORED |= {"tilted right": "tilted left"}
UNKNOWN = -100
"""A class that is not known, as cross entropy ignores it."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Truths of a pool as arrays."""

    units: NDArray[np.float32]
    """(n, units, 2): intensity on the subject's left and right."""
    affect: NDArray[np.float32]
    """(n, 2): valence and arousal; nan where not known."""
    classes: dict[str, NDArray[np.int64]]
    """(n,) for each entry of `CLASSES`."""
    points: NDArray[np.float32]
    """(n, points, 2): landmarks as shares of the side; 0 where they are not known."""


def unit_array(truths: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    """(n, units, 2) intensities."""
    out = np.zeros((len(truths), len(UNITS), 2), dtype=np.float32)
    place = {str(number): i for i, number in enumerate(UNITS)}
    for row, truth in zip(out, truths, strict=True):
        for number, sides in truth["units"].items():
            row[place[number]] = sides
    return out


def face_targets(truths: Sequence[dict[str, Any]]) -> Targets:
    """Targets of drawn faces."""
    classes = {
        name: np.array([values.index(t[name]) for t in truths]) for name, values in CLASSES.items()
    }
    affect = np.array([[t["valence"], t["arousal"]] for t in truths], dtype=np.float32)
    unknown = [[0.0, 0.0]] * COUNT
    points = np.array([t.get("points", unknown) for t in truths], dtype=np.float32)
    return Targets(unit_array(truths), affect, classes, points)


def clip_targets(truths: Sequence[dict[str, Any]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Units at the apex (n, units, 2) and the fine class (n,) of drawn clips."""
    return unit_array(truths), np.array([MICRO_7.index(t["emotion"]) for t in truths])


def mirror_classes(name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The classes of the mirrored pictures."""
    names = CLASSES[name]
    table = np.array([names.index(MIRRORED.get(v, v)) for v in names])
    return np.asarray(table[values], dtype=np.int64)
