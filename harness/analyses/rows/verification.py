"""Verification of persons by scores of pairs: curves, accuracy on ten folds, errors by group, intervals over subjects.

Intervals resample subjects: a genuine pair counts as often as its subject was drawn, an impostor pair as often as both
of its subjects were (the product of the two), so that pairs that share a subject vary together. Thresholds and rates are
of answered pairs; the share answered stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.verification import Curve, best_threshold, curve, equal_error_rate
from harness.score.table import rounded

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

DRAWS = 1000
LEVEL = 0.95
FOLDS = 10
LIMITS = (0.1, 0.01, 0.001)
"""False accept rates at which true accept rates are told."""
_BLOCK = 1 << 22
"""Weights held at a time."""
MOST_POINTS = 200
"""Points of a curve that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Scored pairs."""

    scores: Floats
    """(n,)"""
    genuine: Bools
    """(n,)"""
    first: Ints
    """(n,) number of the first subject."""
    second: Ints
    """(n,) of the second; that of the first again where it is the same or is not known."""
    persons: int
    """Subjects that are numbered."""

    def at(self, mask: Bools) -> Pairs:
        """Some of the pairs."""
        return Pairs(
            self.scores[mask], self.genuine[mask], self.first[mask], self.second[mask], self.persons
        )

    @property
    def counts(self) -> tuple[int, int]:
        """Genuine pairs and impostors."""
        genuine = int(self.genuine.sum())
        return genuine, self.genuine.size - genuine


@dataclass(frozen=True, slots=True)
class Folded:
    """Accuracy on folds, each with the threshold of the others."""

    accuracies: tuple[float, ...]
    """Of each fold."""
    thresholds: tuple[float, ...]
    shared: int
    """Subjects that are in pairs of more than one fold."""
    reason: str = ""
    """Why there is none."""
    one_sided: int = 0
    """Folds whose pairs are all of one person, or all of two."""


def draws_of(pairs: Pairs, *, seed: int, draws: int = DRAWS) -> Iterator[Floats]:
    """Weights (block, n) of the pairs, block by block, `draws` in all."""
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK // max(1, pairs.scores.size))
    used = np.unique(np.concatenate([pairs.first, pairs.second]))
    place = np.zeros(pairs.persons, np.int64)
    place[used] = np.arange(used.size)
    first, second = place[pairs.first], place[pairs.second]
    for start in range(0, draws, size):
        block = min(size, draws - start)
        times = rng.multinomial(used.size, np.full(used.size, 1 / used.size), size=block)
        one = times[:, first].astype(np.float64)
        yield np.where(first == second, one, one * times[:, second])


def intervals(
    pairs: Pairs, values: Mapping[str, Callable[[Curve], Floats]], *, seed: int, draws: int = DRAWS
) -> dict[str, tuple[float | None, float | None]]:
    """95% percentile bounds of what is read off the curve; None where most resamples have no value, or all have the
    same, which is no certainty."""
    found: dict[str, list[Floats]] = {name: [] for name in values}
    for weights in draws_of(pairs, seed=seed, draws=draws):
        drawn = curve(pairs.scores, pairs.genuine, weights)
        for name, value in values.items():
            found[name].append(value(drawn))
    ends = {name: bounds(np.concatenate(parts)) for name, parts in found.items()}
    return {
        name: (low, high) if low != high else (None, None) for name, (low, high) in ends.items()
    }


def bounds(values: Floats) -> tuple[float | None, float | None]:
    """The middle 95% of what is defined; None where half of it or more is not."""
    known = values[~np.isnan(values)]
    if known.size * 2 <= values.size:
        return None, None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return rounded(float(low)), rounded(float(high))


def accepted(limit: float) -> Callable[[Curve], Floats]:
    """The true accept rate at a false accept rate of at most `limit`, draw by draw."""

    def read(drawn: Curve) -> Floats:
        allowed = np.where(drawn.far <= limit + 1e-12, drawn.tar, -1.0)
        return np.where(np.isnan(drawn.far[..., -1] + drawn.tar[..., -1]), np.nan, allowed.max(-1))

    return read


def whole(pairs: Pairs, *, seed: int, draws: int = DRAWS) -> dict[str, Any]:
    """AUROC, EER and true accept rates of pairs with their intervals, and points of the curve."""
    found = curve(pairs.scores, pairs.genuine)
    reads: dict[str, Callable[[Curve], Floats]] = {
        "auroc": lambda drawn: drawn.auroc,
        "eer": lambda drawn: equal_error_rate(drawn.far, drawn.tar),
        **{f"tar {limit:g}": accepted(limit) for limit in LIMITS},
    }
    ends = intervals(pairs, reads, seed=seed, draws=draws)
    told = {name: (float(reads[name](found)), *ends[name]) for name in ("auroc", "eer")}
    tars = []
    for limit in LIMITS:
        threshold, far, tar = found.at_far(limit)
        low, high = ends[f"tar {limit:g}"]
        tars.append(
            {
                "limit": limit, "far": rounded(far), "tar": rounded(tar), "low": low, "high": high,
                "threshold": rounded(threshold) if np.isfinite(threshold) else None,
            }
        )  # fmt: skip
    return {
        **{name: {"value": rounded(v), "low": a, "high": b} for name, (v, a, b) in told.items()},
        "tars": tars,
        "distinct": int(np.unique(pairs.scores).size),
        "curve": points(found),
    }


def points(found: Curve) -> list[list[float]]:
    """At most `MOST_POINTS` (far, tar) of a curve."""
    count = found.thresholds.size
    kept = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64))
    return [[round(float(found.far[k]), 6), round(float(found.tar[k]), 6)] for k in kept]


def ten_folds(pairs: Pairs, given: Sequence[str] | None) -> Folded:
    """Accuracy of each fold at the threshold that is best on the others.

    `given` are the folds that the data set names. Without them subjects are parted into ten folds in the order of their
    numbers; a pair is tested in the fold of its first subject, and of the others those pairs set the threshold that
    share no subject with the tested ones.
    """
    folds, apart = _folds(pairs, given)
    shared = _shared(pairs, folds)
    accuracies, thresholds, one_sided = [], [], 0
    for fold in np.unique(folds):
        tested = folds == fold
        one_sided += bool(np.unique(pairs.genuine[tested]).size == 1)
        held = np.zeros(pairs.persons, np.bool_)
        held[pairs.first[tested]] = held[pairs.second[tested]] = True
        learnt = ~tested if not apart else ~(tested | held[pairs.first] | held[pairs.second])
        known = pairs.genuine[learnt]
        if not known.any() or known.all():
            reason = "the other folds hold no pairs of both kinds that share no subject with a fold"
            return Folded((), (), shared, reason)
        threshold = best_threshold(pairs.scores[learnt], known)
        right = (pairs.scores[tested] >= threshold) == pairs.genuine[tested]
        accuracies.append(float(right.mean()))
        thresholds.append(threshold)
    if len(accuracies) < 2:
        return Folded((), (), shared, "there are fewer than two folds")
    return Folded(tuple(accuracies), tuple(thresholds), shared, one_sided=one_sided)


def _folds(pairs: Pairs, given: Sequence[str] | None) -> tuple[Ints, bool]:
    """The fold of each pair, and whether pairs that share a subject with a fold are kept from its threshold."""
    if given is not None:
        _, folds = np.unique(np.asarray(given), return_inverse=True)
        return folds.astype(np.int64), False
    firsts, place = np.unique(pairs.first, return_inverse=True)
    return (place * FOLDS // max(FOLDS, firsts.size)).astype(np.int64), True


def _shared(pairs: Pairs, folds: Ints) -> int:
    """Subjects with pairs in more than one fold."""
    seen = np.concatenate([np.stack([p, folds]) for p in (pairs.first, pairs.second)], axis=1)
    subjects = np.unique(seen, axis=1)[0]
    return int((np.unique(subjects, return_counts=True)[1] > 1).sum())


def error_rates(pairs: Pairs, threshold: float, *, seed: int) -> dict[str, Any]:
    """False match rate of the impostors and false non-match rate of the genuine pairs at a threshold, with intervals.

    Where no pair or every pair is wrong, the bound is what so few subjects may have hidden (Clopper-Pearson).
    """
    over = pairs.scores >= threshold
    drawn: tuple[list[Floats], list[Floats]] = ([], [])
    for weights in draws_of(pairs, seed=seed):
        for kept, wrong, rates in (
            (~pairs.genuine, over, drawn[0]), (pairs.genuine, ~over, drawn[1]),
        ):  # fmt: skip
            total = weights[:, kept].sum(axis=1)
            bad = weights[:, kept & wrong].sum(axis=1)
            rates.append(np.where(total > 0, bad / np.where(total > 0, total, 1), np.nan))
    genuine, impostors = pairs.counts
    found: dict[str, Any] = {"genuine": genuine, "impostors": impostors}
    for name, kept, wrong, rates in (
        ("fmr", ~pairs.genuine, over, drawn[0]), ("fnmr", pairs.genuine, ~over, drawn[1]),
    ):  # fmt: skip
        low, high = bounds(np.concatenate(rates))
        value = float(wrong[kept].mean()) if kept.any() else np.nan
        if value in (0.0, 1.0):  # resampling sees no spread, which is no certainty
            hidden = 1 - ((1 - LEVEL) / 2) ** (1 / np.unique(pairs.first[kept]).size)
            low, high = (0.0, rounded(hidden)) if value == 0 else (rounded(1 - hidden), 1.0)
        found[name] = {"value": rounded(value), "low": low, "high": high}
    return found
