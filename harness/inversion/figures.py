"""Means over victims with their intervals, differences in pairs, and what they say of a defence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.stats.bootstraps import bootstrap, difference_interval
from harness.stats.interval import wilson
from harness.stats.multiple import holm
from harness.stats.paired import difference_test

Values = NDArray[np.float64]
LEVEL = 0.05
NOTABLE = 0.1
"""A defence that certainly lowers acceptance by less than this is called none."""
LEAST_VICTIMS = 10
"""Over fewer nothing is said of a defence."""
TooFew = Literal["undecided: too few victims to tell"]
TOO_FEW: TooFew = "undecided: too few victims to tell"
Verdict = Literal["stops", "weakens", "no defence", "undecided"] | TooFew


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over victims, or a difference of two, with its 95% interval."""

    value: float
    low: float
    high: float
    spread: bool = True
    """False where all victims gave the same, so that no resample differs: the bounds are then what so many victims may
    not have shown."""


@dataclass(frozen=True, slots=True)
class DefenceFigures:
    """A defence against none, at the largest number of queries."""

    name: str
    difference: Estimate
    """Acceptance with it minus acceptance without, over the same victims."""
    p: float
    """Two-sided, adjusted over the defences by Holm."""
    over_control: Estimate
    """Acceptance with it minus that of the faces rebuilt for others."""
    verdict: Verdict


def mean_of(values: Values, *, seed: int) -> Estimate:
    """A mean of shares over victims. Where all are 0, or all 1, Wilson's interval of so many victims; where they are
    alike between, what the share that so many may not have shown, all 0 or all 1, would make of it."""
    value = float(values.mean())
    if np.ptp(values) == 0:
        if value in (0.0, 1.0):
            found = wilson(round(values.sum()), len(values))
            return Estimate(value, found.low, found.high, spread=False)
        unseen = _unseen(len(values))
        return Estimate(value, value - unseen * value, value + unseen * (1 - value), spread=False)
    found = bootstrap(_rows(values), None, _mean, method="auto", seed=seed)
    return Estimate(value, found.low, found.high)


def difference_of(a: Values, b: Values, *, seed: int) -> Estimate:
    """Mean of a - b over the same victims. Where it is alike in all of them, no resample would tell how sure it is: then
    the bounds are those of the two means, each against the other's; where it is 0, the share of victims that so many may
    not have shown, with a difference of 1 either way."""
    value = float((a - b).mean())
    if np.ptp(a - b) == 0:
        if value == 0:
            unseen = _unseen(len(a))
            return Estimate(value, -unseen, unseen, spread=False)
        one, other = mean_of(a, seed=seed), mean_of(b, seed=seed)
        return Estimate(value, one.low - other.high, one.high - other.low, spread=False)
    both = np.hstack([_rows(a), _rows(b)])
    found = difference_interval(
        both, None, lambda t: _mean(t[..., :2]) - _mean(t[..., 2:]), seed=seed
    )
    return Estimate(value, found.low, found.high)


def judge_defences(
    names: Sequence[str],
    accepted: Sequence[Values],
    controls: Sequence[Values],
    without: Values,
    *,
    seed: int,
) -> tuple[DefenceFigures, ...]:
    """Each defence against none. `accepted` and `controls`: for each defence (victims,)."""
    if not names:
        return ()
    p = holm([_p(values, without, seed=seed) for values in accepted])
    found = []
    for at, name in enumerate(names):
        change = difference_of(accepted[at], without, seed=seed)
        left = difference_of(accepted[at], controls[at], seed=seed)
        found.append(
            DefenceFigures(
                name, change, float(p[at]), left,
                verdict_of(change, float(p[at]), left, victims=len(without)),
            )
        )  # fmt: skip
    return tuple(found)


def verdict_of(change: Estimate, p: float, left: Estimate, *, victims: int) -> Verdict:
    """TOO_FEW: over fewer than LEAST_VICTIMS; `stops`: fewer are accepted, and not certainly more than of others' faces; `weakens`: fewer, but more than those;
    `no defence`: not fewer, or certainly by less than NOTABLE; else `undecided`."""
    if victims < LEAST_VICTIMS:
        return TOO_FEW
    if p < LEVEL and change.value < 0:
        return "weakens" if left.low > 0 else "stops"
    if change.low > -NOTABLE or (p < LEVEL and change.value > 0):
        return "no defence"
    return "undecided"


def _p(a: Values, b: Values, *, seed: int) -> float:
    if np.array_equal(a, b):
        return 1.0
    return difference_test(_rows(a), _rows(b), None, _mean, seed=seed).p


def _unseen(victims: int) -> float:
    """The greatest share that so many victims may not have shown, none of them having it (Clopper and Pearson 1934)."""
    return 1 - float((LEVEL / 2) ** (1 / victims))


def _rows(values: Values) -> Values:
    return np.column_stack([values, np.ones(len(values))])


def _mean(totals: Values) -> Values:
    found: Values = totals[..., 0] / totals[..., 1]
    return found
