"""Gap between the best and the worst of several groups, with an interval that accounts for its being a maximum.

The largest of many differences is biased upwards: groups that are equal in truth show a gap too, and resamples of
it show a larger one still, so that their quantiles never reach down to no gap. Here the resampled deviations of the
groups are used instead: the true gap lies within the range of the groups' errors of the gap that is seen (the range
is a seminorm), so the quantile of that range bounds it on both sides. For two groups this is the usual symmetric
interval of a difference, for more Tukey's simultaneous one (Tukey 1953; Miller 1981, ch. 2), with the range's
distribution from a bootstrap over clusters instead of normal theory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.stats.resample import cluster_totals, resamples
from harness.stats.rows import CodedRows, as_coded
from harness.stats.student import t_quantile

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MaxGap:
    """The largest difference between groups."""

    value: float
    """Best minus worst, 0 and up; nan where a group's score is undefined or there are fewer than two."""
    low: float
    """Bounds of the interval, no less than 0; nan where there is none."""
    high: float
    equal: float
    """The gap that groups equal in truth would show on average, by the luck of their samples alone."""
    clusters: int
    draws: int
    undefined: int = 0
    """Resamples left out because some group's score was undefined in them."""


def max_gap(
    rows: Floats | CodedRows,
    groups: Codes,
    clusters: Codes,
    value: Callable[[Floats], Floats],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
) -> MaxGap:
    """The gap of a metric between groups 0..G-1.

    Args:
        rows: (n, k) additive rows of the samples, as they are or coded.
        groups: (n,) each sample's group; samples of -1 are left out.
        clusters: (n,) numbers of the clusters, which are resampled whole, over all groups together.
        value: totals (..., k) to values (...), nan where undefined.
    """
    known = groups >= 0
    coded, groups, clusters = as_coded(rows).at(known), groups[known], clusters[known]
    count, width = int(groups.max(initial=-1)) + 1, coded.table.shape[1]
    if count < 2:
        nothing = math.nan
        return MaxGap(nothing, nothing, nothing, nothing, np.unique(clusters).size, 0)
    totals = cluster_totals(_side_by_side(coded, groups, count), clusters)
    seen = value((totals.sizes @ totals.totals).reshape(count, width))
    gap = float(np.ptp(seen))
    if math.isnan(gap) or totals.clusters < 2:
        return MaxGap(gap, math.nan, math.nan, math.nan, totals.clusters, 0)
    ranges = np.concatenate(
        [
            np.ptp(value(drawn.reshape(-1, count, width)) - seen, axis=1)
            for drawn in resamples(totals, draws=draws, seed=seed)
        ]
    )
    defined = ranges[~np.isnan(ranges)]
    if not defined.size:
        return MaxGap(gap, math.nan, math.nan, math.nan, totals.clusters, draws, draws)
    wider = _few(totals.clusters, level)
    reach = float(np.quantile(defined, level)) * wider
    return MaxGap(
        value=gap,
        low=max(0.0, gap - reach),
        high=gap + reach,
        equal=float(defined.mean()) * wider,
        clusters=totals.clusters,
        draws=draws,
        undefined=draws - defined.size,
    )


@dataclass(frozen=True, slots=True)
class GapChange:
    """How much wider the largest difference between groups is on one measurement than on another."""

    before: float
    after: float
    value: float
    """After less before; nan where either is undefined."""
    low: float
    """Bounds of the interval; nan where there is none."""
    high: float
    clusters: int


def gap_change(
    rows: Floats,
    groups: Codes,
    clusters: Codes,
    before: Callable[[Floats], Floats],
    after: Callable[[Floats], Floats],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
) -> GapChange:
    """The gap of `after` less that of `before` between groups 0..G-1, both read off the same totals (..., k).

    Each gap errs by at most the range of its groups' errors, so their difference errs by at most the sum of both ranges,
    whose quantile over resamples of both together bounds it. Arguments as in :func:`max_gap`.
    """
    known = groups >= 0
    coded, groups, clusters = as_coded(rows).at(known), groups[known], clusters[known]
    count, width = int(groups.max(initial=-1)) + 1, coded.table.shape[1]
    if count < 2:
        nothing = math.nan
        return GapChange(nothing, nothing, nothing, nothing, nothing, np.unique(clusters).size)
    totals = cluster_totals(_side_by_side(coded, groups, count), clusters)
    summed = (totals.sizes @ totals.totals).reshape(count, width)
    seen = [value(summed) for value in (before, after)]
    first, second = (float(np.ptp(one)) for one in seen)
    change = second - first
    if math.isnan(change) or totals.clusters < 2:
        return GapChange(first, second, change, math.nan, math.nan, totals.clusters)
    reaches = []
    for drawn in resamples(totals, draws=draws, seed=seed):
        shaped = drawn.reshape(-1, count, width)
        errors = [value(shaped) - one for value, one in zip((before, after), seen, strict=True)]
        reaches.append(sum(np.ptp(error, axis=1) for error in errors))
    found = np.concatenate(reaches)
    defined = found[~np.isnan(found)]
    if not defined.size:
        return GapChange(first, second, change, math.nan, math.nan, totals.clusters)
    reach = float(np.quantile(defined, level)) * _few(totals.clusters, level)
    return GapChange(first, second, change, change - reach, change + reach, totals.clusters)


def _few(clusters: int, level: float) -> float:
    """How much few clusters widen: resamples spread by (c - 1) / c too little, and have normal tails
    (Hesterberg 2015, section 4.4)."""
    tail = (1 + level) / 2
    normal = NormalDist().inv_cdf(tail)
    return math.sqrt(clusters / (clusters - 1)) * t_quantile(tail, clusters - 1) / normal


def _side_by_side(rows: CodedRows, groups: Codes, count: int) -> CodedRows:
    """(n, count * k) each row in the columns of its sample's group, zeros in those of the others."""
    kinds = len(rows.table)
    found, codes = np.unique(groups * kinds + rows.codes, return_inverse=True)
    width = rows.table.shape[1]
    table = np.zeros((len(found), count, width))
    table[np.arange(len(found)), found // kinds] = rows.table[found % kinds]
    return CodedRows(table.reshape(-1, count * width), codes.astype(np.int32))
