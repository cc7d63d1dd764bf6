"""Harrell's concordance of a risk with censored times, with a jackknife interval.

A pair is admissible where it is known who had the event first: the earlier time is an event, or both times are equal and
one of them is an event and the other is not. It is concordant where the one with the earlier event has the higher risk;
equal risks count one half (Harrell et al. 1982, JAMA 247; Harrell, Lee and Mark 1996, Statistics in Medicine 15).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Concordance:
    """C with an interval; .5 is no better than chance."""

    value: float
    """0 to 1; nan where no pair is admissible."""
    low: float
    high: float
    """Ends of the 95% interval: delete-one jackknife, normal, within 0 to 1; nan where there is none."""
    pairs: int
    """Admissible pairs."""


def concordance(
    time: Floats,
    event: NDArray[np.bool_],
    risk: Floats,
    *,
    strata: NDArray[np.int64] | None = None,
) -> Concordance:
    """Harrell's C of `risk` (n,), higher for those expected to have the event earlier, with `time` (n,) of the event or of
    censoring and `event` (n,). With `strata` (n,), pairs are within a stratum only. Takes time in n log² n: 2 s for 100,000
    samples."""
    agree, pairs = np.zeros(time.size), np.zeros(time.size)
    codes = np.zeros(time.size, dtype=np.int64) if strata is None else strata
    order = np.argsort(codes, kind="stable")
    for inside in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if inside.size > 1:
            agree[inside], pairs[inside] = _shares(time[inside], event[inside], risk[inside])
    return _jackknifed(agree, pairs)


def _shares(time: Floats, event: NDArray[np.bool_], risk: Floats) -> tuple[Floats, Floats]:
    """The concordant (equal risks one half) and the admissible pairs that each sample is in."""
    # Events come before those who are censored at the same time; a pair is admissible where the places differ and the
    # earlier one is an event.
    place = np.unique(time, return_inverse=True)[1] * 2 + ~event
    level = np.unique(risk, return_inverse=True)[1]
    happened, all_ones = event.astype(np.float64), np.ones(time.size)
    agree, pairs = np.zeros(time.size), np.zeros(time.size)
    for first, own, other, sign in (
        (place, happened, all_ones, 1),
        (-place, all_ones, happened, -1),
    ):
        below = _behind_and_below(first, sign * level, other)
        above = _behind_and_below(first, -sign * level, other)
        total = _behind(first, other)
        agree += own * (below + (total - below - above) / 2)
        pairs += own * total
    return agree, pairs


def _behind(place: NDArray[np.int64], weight: Floats) -> Floats:
    """(n,) the weight of those with a greater place."""
    order = np.argsort(place, kind="stable")
    summed = np.concatenate([[0.0], np.cumsum(weight[order])])
    behind: Floats = summed[-1] - summed[np.searchsorted(place[order], place, side="right")]
    return behind


def _behind_and_below(place: NDArray[np.int64], level: NDArray[np.int64], weight: Floats) -> Floats:
    """(n,) the weight of those with a greater place and a lower level: merge sort from the bottom up, each step for all
    blocks at once. Equal places stand in the order of their levels, so that none of them counts."""
    order = np.lexsort((level, place))
    rank = np.unique(level[order], return_inverse=True)[1].astype(np.int64)
    sorted_weight, span = weight[order], int(rank.max()) + 1
    at, found, size = np.arange(rank.size), np.zeros(rank.size), 1
    while size < rank.size:
        base = at // (2 * size) * span
        right = at // size % 2 == 1
        keys = base[right] + rank[right]
        by = np.argsort(keys, kind="stable")
        summed = np.concatenate([[0.0], np.cumsum(sorted_weight[right][by])])
        keys, left = keys[by], ~right
        found[left] += summed[np.searchsorted(keys, base[left] + rank[left])]
        found[left] -= summed[np.searchsorted(keys, base[left])]
        size *= 2
    back = np.empty_like(found)
    back[order] = found
    return back


def _jackknifed(agree: Floats, pairs: Floats) -> Concordance:
    """From the concordant and admissible pairs that each sample is in."""
    good, total = agree.sum() / 2, pairs.sum() / 2
    if total == 0:
        return Concordance(math.nan, math.nan, math.nan, 0)
    value, count = float(good / total), agree.size
    left = total - pairs
    if (left <= 0).any():
        return Concordance(value, math.nan, math.nan, int(total))
    without = (good - agree) / left
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    reach = NormalDist().inv_cdf(0.975) * error
    return Concordance(value, max(value - reach, 0.0), min(value + reach, 1.0), int(total))
