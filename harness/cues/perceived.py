"""Compare reported cues with annotated ones, and measure how false alarms relate to judgements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cues.estimate import Estimate, estimate, ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Perception:
    """One cue: how often a value that is there is seen, and one that is not is seen."""

    cue: str
    value: str
    hits: Estimate
    """Share seen of those that show it."""
    false_alarms: Estimate
    """Share seen of those that do not."""


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """What goes with seeing a cue that is not there, within the same true class."""

    cue: str
    label: str
    """The judgement whose rate is compared."""
    effect: Estimate
    """Rate of the judgement with a false alarm minus with a correct rejection, true classes weighted as
    Mantel and Haenszel do: a class where one of the two never occurs has no weight."""
    alarms: int
    rejections: int
    by_class: tuple[tuple[str, int, float, int, float], ...]
    """(true class, alarms, rate among them, rejections, rate among them)."""


def perception(
    cue: str,
    value: str,
    truth: Sequence[str],
    seen: Sequence[str | None],
    clusters: Sequence[Any],
    *,
    seed: int,
) -> Perception:
    """Hit and false-alarm rate of one value of a cue; an answer that names no value is not seen."""
    there = np.array([t == value for t in truth])
    said = np.array([s == value for s in seen])
    rows = np.stack([there & said, there, ~there & said, ~there], axis=1).astype(np.float64)

    def share(top: int) -> Estimate:
        return estimate(
            rows, clusters, lambda t: ratio(t[:, top], t[:, top + 1]),
            seed=seed, n=int(rows[:, top + 1].sum()),
        )  # fmt: skip

    return Perception(cue, value, share(0), share(2))


def false_alarm_effect(
    cue: str,
    *,
    truth: Sequence[str],
    seen: Sequence[str | None],
    judged: Sequence[str | None],
    classes: Sequence[str],
    label: str,
    clusters: Sequence[Any],
    seed: int,
    value: str = "yes",
    absent: str = "no",
) -> FalseAlarm | None:
    """The stratified risk difference (Mantel and Haenszel; Greenland and Robins 1985, eq. 4).

        sum_k w_k (a_k / n1_k - b_k / n0_k) / sum_k w_k,   w_k = n1_k n0_k / (n1_k + n0_k)

    over true classes k, of n1 false alarms a are judged `label`, of n0 correct rejections b.

    Args:
        truth: annotated value of the cue; only samples where it is `absent` count.
        seen: reported value; neither `value` nor `absent`: the sample does not count.
        judged: the model's label.
        classes: true class of each sample.

    Returns None where no class has both.
    """
    names = sorted(set(classes))
    place = {name: i for i, name in enumerate(names)}
    rows = np.zeros((len(truth), 4 * len(names)))
    for i, (there, said, name) in enumerate(zip(truth, seen, classes, strict=True)):
        if there != absent or said not in {value, absent}:
            continue
        at = 4 * place[name] + (0 if said == value else 2)
        rows[i, at] = 1
        rows[i, at + 1] = judged[i] == label
    counted = rows.sum(axis=0).reshape(-1, 4)
    if not (counted[:, 0] * counted[:, 2]).any():
        return None
    alarms, rejections = int(counted[:, 0].sum()), int(counted[:, 2].sum())
    by_class = tuple(
        (name, int(n1), float(a / n1) if n1 else float("nan"), int(n0), float(b / n0) if n0 else float("nan"))
        for name, (n1, a, n0, b) in zip(names, counted, strict=True)
        if n1 + n0
    )  # fmt: skip
    effect = estimate(rows, clusters, risk_difference, seed=seed, n=alarms + rejections)
    return FalseAlarm(cue, label, effect, alarms, rejections, by_class)


def risk_difference(totals: Floats) -> Floats:
    """(draws, 4k) of n1, a, n0, b per class to the Mantel-Haenszel risk difference (draws,)."""
    table = totals.reshape(len(totals), -1, 4)
    n1, a, n0, b = (table[..., i] for i in range(4))
    both = n1 + n0
    weight = np.divide(n1 * n0, both, out=np.zeros_like(both), where=both > 0)
    up = np.divide(a, n1, out=np.zeros_like(a), where=n1 > 0)
    down = np.divide(b, n0, out=np.zeros_like(b), where=n0 > 0)
    return ratio((weight * (up - down)).sum(axis=1), weight.sum(axis=1))
