"""The score of guessing: answers drawn independently per sample by their frequency.

A metric here is a function f of sums of rows. Under guessing the sums have a mean and a covariance that are known
without drawing anything, and so the score's expectation and spread follow to second order (the delta method; Lehmann
and Casella 1998, section 1.8): E f = f(mean) + tr(H cov) / 2 and var f = g' cov g, with gradient g and second
derivatives H of f. For a share of samples (accuracy, the recall of a class) both are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import MetricFamily, family_for, metric_of
from harness.run.dictionary_encoding import Coded, distinct
from harness.score.baselines import Fitted
from harness.stats.interval import Interval
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

METHOD = "range of such guessing, normal with the variance of the guesses"
EXPECTED = "expectation of answers drawn by how often each occurs"

_PAIRS = 1 << 15
"""Pairs of truth and guess up to which all are looked at; beyond, each truth has evenly spaced guesses."""
_LEAST = 4
"""Guesses of a truth at the least."""
_GOLDEN = 0.6180339887498949
"""Moves the evenly spaced guesses of one truth against those of the next, so that together they leave no gaps."""
_STEP = 0.1
"""Length of a step along one standard deviation in which derivatives are taken."""
_WIDE = 1024
"""Above so many columns of a row, the spread of single classes is not worked out: it would take minutes."""
_MANY = 256
"""Above so many directions they are replaced by as many as a row has columns, where those are fewer."""
_BLOCK = 1 << 20
"""Numbers of totals looked at at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """What is guessed for each of n samples."""

    fits: Sequence[Fitted]
    """The different guessers: an answer is drawn by its count."""
    codes: NDArray[np.int32]
    """(n,) which of them guesses."""


@dataclass(frozen=True, slots=True, eq=False)
class Guessed:
    """What n guessed samples add to the metrics of a family."""

    family: MetricFamily
    """Of all pairs of truth and guess: it reads the rows."""
    mean: CodedRows
    """(n, k) the expected row of each sample."""
    pairs: Floats
    """(p, k) how the row of each pair differs from the expected one of its truth."""
    shares: Floats
    """(p,) how likely the guess of the pair is for its truth."""
    kinds: Codes
    """(p,) the truth of each pair, as `mean.codes` numbers them."""

    def intervals(
        self,
        metrics: Sequence[str],
        chosen: CodedRows,
        spec: FieldSpec,
        *,
        level: float,
    ) -> Iterator[tuple[float, Interval]]:
        """Of each metric the expected score over some samples, and the range of `level` of all guessers, which stays
        within that of the metric. `chosen`: rows of `mean`."""
        total, count = chosen.totals(), len(chosen)
        directions = self._directions(np.bincount(chosen.codes, minlength=len(self.mean.table)))
        reach = NormalDist().inv_cdf((1 + level) / 2)
        for metric in metrics:
            found = metric_of(spec, metric)
            value, spread = float(self.family.value(metric, total)), math.nan
            if found.smooth and not (found.of_class and total.size > _WIDE):
                bend, spread = self._derivatives(metric, total, value, directions)
                value += 0.0 if math.isnan(bend) else bend
            least, most = found.range
            value = min(max(value, least), most)
            low, high = max(value - reach * spread, least), min(value + reach * spread, most)
            if math.isnan(spread) or math.isnan(value):
                low = high = math.nan
            yield value, Interval(low, high, level, METHOD, count)

    def _directions(self, counts: Codes) -> Floats:
        """(d, k) vectors whose squares sum to the covariance of the totals, where a truth occurs `counts` times."""
        weights = np.sqrt(counts[self.kinds] * self.shares)
        moving = weights > 0
        found: Floats = self.pairs[moving] * weights[moving, None]
        if len(found) > max(_MANY, found.shape[1]) and found.shape[1] <= _MANY:
            sizes, axes = np.linalg.eigh(found.T @ found)
            keep = sizes > 1e-12 * max(float(sizes[-1]), 1e-300)
            found = np.sqrt(sizes[keep])[:, None] * axes.T[keep]
        return found

    def _derivatives(
        self, metric: str, total: Floats, value: float, directions: Floats
    ) -> tuple[float, float]:
        """Half the trace of second derivatives times covariance, and the standard deviation to first order."""
        bend = variance = 0.0
        step = max(1, _BLOCK // max(1, total.size))
        for start in range(0, len(directions), step):
            moved = _STEP * directions[start : start + step]
            ahead = self.family.value(metric, total + moved)
            behind = self.family.value(metric, total - moved)
            variance += float(((ahead - behind) ** 2).sum()) / (4 * _STEP**2)
            bend += float((ahead - 2 * value + behind).sum()) / (2 * _STEP**2)
        return bend, float(np.sqrt(variance))


def guessed(spec: FieldSpec, truth: Coded[Value], guesses: Guesses) -> Guessed:
    """The expected rows of samples whose answers are guessed, with what they may differ by."""
    who = Coded(guesses.codes, range(len(guesses.fits)))
    codes, first = distinct([truth, who])
    most = max(_LEAST, _PAIRS // max(1, len(first)))
    drawn = _all_drawn([guesses.fits[code] for code in who.at(first)], most)
    sizes = np.array([len(values) for values, _ in drawn], dtype=np.int64)
    kinds = np.repeat(np.arange(len(first)), sizes)
    shares = np.concatenate([shares for _, shares in drawn]) if drawn else np.empty(0)
    said = [value for values, _ in drawn for value in values]
    family = family_for(spec, truth.at(first[kinds]), said)
    rows = family.rows()
    starts = np.cumsum(sizes) - sizes
    mean = np.add.reduceat(rows * shares[:, None], starts) if len(rows) else rows
    rows -= mean[kinds]
    return Guessed(family, CodedRows(mean, codes), rows, shares, kinds)


def _all_drawn(fits: Sequence[Fitted], most: int) -> list[tuple[Sequence[Value], Floats]]:
    """For each place the answers of its guesses with their shares: all, or of very many `most` evenly spaced ones in their
    order, equally likely."""
    places: dict[int, list[int]] = {}
    for place, fit in enumerate(fits):
        places.setdefault(id(fit), []).append(place)
    found: dict[int, tuple[Sequence[Value], Floats]] = {}
    for mine in places.values():
        fit = fits[mine[0]]
        counts = np.array(fit.counts, dtype=np.float64)
        if len(fit.values) <= most:
            found |= dict.fromkeys(mine, (fit.values, counts / counts.sum()))
            continue
        ends = np.cumsum(counts)
        for place in mine:
            at = (np.arange(most) + (place * _GOLDEN) % 1) / most * ends[-1]
            chosen = np.searchsorted(ends, at, side="right").tolist()
            found[place] = [fit.values[c] for c in chosen], np.full(most, 1 / most)
    return [found[place] for place in range(len(fits))]
