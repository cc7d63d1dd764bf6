"""Agreement between raters, between repeats of one model, and over seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError

Floats = NDArray[np.float64]
Ratings = Sequence[Sequence[Hashable | None]]
"""Raters by items: one sequence for each rater, None where there is no rating."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A chance-corrected agreement and what it rests on."""

    value: float
    """1 for full agreement, 0 for chance; nan where undefined, and ``reason`` says why."""
    name: str
    items: int
    """Items it rests on."""
    raters: int
    left_out: int = 0
    """Items without the ratings that the coefficient asks for."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Flips:
    """How often a model answers otherwise when asked again."""

    samples: float
    """Share of samples whose repeats are not all alike, 0..1; nan without two repeats."""
    pairs: float
    """Chance that two different repeats of one sample differ, mean over samples, 0..1."""
    n: int
    repeats: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """One score over several seeds or repeats."""

    mean: float
    variance: float
    """Sample variance (n - 1); nan below two values."""
    deviation: float
    """Its root, in units of the score."""
    low: float
    high: float
    n: int
    """Values that are defined."""
    reason: str = ""


def cohen_kappa(a: Sequence[Hashable | None], b: Sequence[Hashable | None]) -> Agreement:
    """Cohen (1960) kappa of two raters over the items that both rated.

    nan where both use one and the same category throughout. Raises HarnessError for unequal
    lengths.
    """
    name = "Cohen kappa"
    both = [pair for pair in zip(*_raters([a, b]), strict=True) if None not in pair]
    left = len(a) - len(both)
    if not both:
        return Agreement(math.nan, name, 0, 2, left, "no item has two ratings")
    n = len(both)
    first, second = Counter(x for x, _ in both), Counter(y for _, y in both)
    agreed = sum(x == y for x, y in both) / n
    chance = sum(first[word] * second[word] for word in first) / n**2
    if chance == 1:
        return Agreement(math.nan, name, n, 2, left, "both raters use one category only")
    return Agreement((agreed - chance) / (1 - chance), name, n, 2, left)


def fleiss_kappa(ratings: Ratings) -> Agreement:
    """Fleiss (1971) kappa of two or more raters over the items that all of them rated.

    ``ratings``: one sequence for each rater. nan where all ratings are of one category. Raises
    HarnessError for unequal lengths or fewer than two raters.
    """
    name, raters = "Fleiss kappa", len(_raters(ratings))
    items = [Counter(item) for item in zip(*ratings, strict=True) if None not in item]
    left = len(ratings[0]) - len(items)
    if not items:
        return Agreement(math.nan, name, 0, raters, left, "no item has all ratings")
    n = len(items)
    alike = sum(count * (count - 1) for item in items for count in item.values())
    agreed = alike / (n * raters * (raters - 1))
    totals = sum(items, Counter())
    chance = sum((count / (n * raters)) ** 2 for count in totals.values())
    if len(totals) == 1:
        return Agreement(math.nan, name, n, raters, left, "all ratings are of one category")
    return Agreement((agreed - chance) / (1 - chance), name, n, raters, left)


def krippendorff_alpha(
    ratings: Ratings, *, scale: Literal["nominal", "ordinal", "interval"] = "nominal"
) -> Agreement:
    """Krippendorff (2011) alpha; raters may miss items, items with one rating say nothing.

    ``ratings``: one sequence for each rater, of names, or of finite numbers on an ``ordinal`` or
    ``interval`` scale. nan where all ratings that can be paired are equal. Raises HarnessError for
    unequal lengths, fewer than two raters, or such a scale of what are no finite numbers.
    """
    name, raters = f"Krippendorff alpha, {scale}", len(_raters(ratings))
    items = [[value for value in item if value is not None] for item in zip(*ratings, strict=True)]
    paired = [item for item in items if len(item) > 1]
    left = len(items) - len(paired)
    if not paired:
        return Agreement(math.nan, name, 0, raters, left, "no item has two ratings")
    if scale == "interval":
        observed, expected = _interval_disagreement([_numbers(item) for item in paired])
    elif scale == "ordinal":
        observed, expected = _interval_disagreement(_ranked([_numbers(item) for item in paired]))
    else:
        observed, expected = _nominal_disagreement(paired)
    if expected == 0:
        reason = "all ratings are equal: there is no disagreement to expect"
        return Agreement(math.nan, name, len(paired), raters, left, reason)
    return Agreement(1 - observed / expected, name, len(paired), raters, left)


def flips(repeats: Ratings) -> Flips:
    """How often answers change: ``repeats`` holds one sequence of n answers for each repeat.

    None, "no answer", is an answer of its own here. Raises HarnessError for unequal lengths.
    """
    count = len(repeats)
    if count < 2 or not repeats[0]:
        reason = "no samples" if count > 1 else "asked once only"
        return Flips(math.nan, math.nan, len(repeats[0]) if count else 0, count, reason)
    samples = [Counter(answers) for answers in zip(*_raters(repeats), strict=True)]
    alike = [sum(k * (k - 1) for k in sample.values()) for sample in samples]
    pairs = 1 - sum(alike) / (len(samples) * count * (count - 1))
    changed = sum(len(sample) > 1 for sample in samples) / len(samples)
    return Flips(changed, pairs, len(samples), count)


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample variance of one score over seeds; nan values are left out and not counted."""
    known = [float(value) for value in values if not math.isnan(value)]
    if not known:
        nan = math.nan
        return Spread(nan, nan, nan, nan, nan, 0, "no value is defined")
    variance = float(np.var(known, ddof=1)) if len(known) > 1 else math.nan
    reason = "" if len(known) > 1 else "one value has no spread"
    mean = float(np.mean(known))
    return Spread(mean, variance, math.sqrt(variance), min(known), max(known), len(known), reason)


def _raters(ratings: Ratings) -> Ratings:
    lengths = sorted({len(rater) for rater in ratings})
    if len(ratings) < 2 or len(lengths) > 1:
        raise HarnessError(
            f"{len(ratings)} raters with {lengths} ratings",
            hint="give two or more raters, each with one rating (or None) per item",
        )
    return ratings


def _nominal_disagreement(items: list[list[Hashable]]) -> tuple[float, float]:
    counts = [Counter(item) for item in items]
    totals = sum(counts, Counter())
    n = totals.total()
    unlike = [c.total() ** 2 - sum(k * k for k in c.values()) for c in counts]
    observed = sum(u / (c.total() - 1) for u, c in zip(unlike, counts, strict=True)) / n
    return observed, (n * n - sum(k * k for k in totals.values())) / (n * (n - 1))


def _interval_disagreement(items: list[Floats]) -> tuple[float, float]:
    """Squared differences of all ordered pairs of m values are 2 m times their squared spread."""
    every = np.concatenate(items)
    if every.min() == every.max():
        return 0.0, 0.0
    n = every.size
    within = [2 * x.size * float(np.sum((x - x.mean()) ** 2)) / (x.size - 1) for x in items]
    return sum(within) / n, 2 * float(np.sum((every - every.mean()) ** 2)) / (n - 1)


def _ranked(items: list[Floats]) -> list[Floats]:
    """Each number's mean rank among all: the ordinal metric is the squared distance of these."""
    every = np.concatenate(items)
    values, counts = np.unique(every, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return [middle[np.searchsorted(values, item)] for item in items]


def _numbers(item: Sequence[Hashable]) -> Floats:
    found = [float(v) for v in item if isinstance(v, int | float | np.number)]
    if len(found) != len(item) or not all(math.isfinite(v) for v in found):
        raise HarnessError(
            f"ratings {list(item)!r} are not all finite numbers",
            hint="use scale='nominal', and None where there is no rating",
        )
    return np.array(found)
