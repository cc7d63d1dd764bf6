"""Raters of known accuracy: what tests and results/benchmarks/raters.py draw from."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EMOTIONS = ("anger", "joy", "sadness")
COLUMNS = ("rater", "item", "condition", "field", "value", "true")


@dataclass(frozen=True)
class World:
    """Endless raters and items; P(right) is a logistic function of condition, emotion, rater and item."""

    level: Mapping[tuple[str, str], float]
    """(condition, emotion) -> the log odds of a typical rater and item."""
    raters: float = 0.7
    """Standard deviation of raters, in log odds."""
    items: float = 0.7

    def right(self, condition: str, emotion: str) -> float:
        """P(right) over endless raters and items, by quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(61)
        spread = float(np.hypot(self.raters, self.items))
        shares = 1 / (1 + np.exp(-(self.level[condition, emotion] + spread * nodes)))
        return float(weights @ shares / weights.sum())


def drawn(
    world: World, *, raters: int, items: int, within: bool, seed: int, typical: bool = False
) -> list[tuple[str, ...]]:
    """Rows of a study: `items` of each emotion, the same under every condition; `raters` under all conditions, or so
    many under each. `typical`: the last rater has the median skill of all there are."""
    draw = np.random.default_rng(seed)
    conditions = list(dict.fromkeys(condition for condition, _ in world.level))
    emotions = list(dict.fromkeys(emotion for _, emotion in world.level))
    item_effect = {(e, k): draw.normal(0, world.items) for e in emotions for k in range(items)}
    rows = []
    for at in range(raters if within else raters * len(conditions)):
        effect = draw.normal(0, world.raters)
        if typical and at == raters - 1:
            effect = 0.0
        for condition in conditions if within else [conditions[at % len(conditions)]]:
            for (emotion, k), own in item_effect.items():
                odds = world.level[condition, emotion] + effect + own
                others = [e for e in emotions if e != emotion]
                right = draw.random() < 1 / (1 + np.exp(-odds))
                said = emotion if right else others[draw.integers(len(others))]
                rows.append((f"r{at:03d}", f"{emotion}-{k}", condition, "emotion", said, emotion))
    return rows


def write(path: Path, rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> Path:
    """A table of such rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)
    return path
