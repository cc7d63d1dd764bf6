"""Paired difference of A and B over the same samples: size, interval and test.

Swapping A and B within clusters is exact where A and B are exchangeable, whatever the number of
clusters. Two models of one UAR that lean to different classes are not: the swap then counts what
each class moves as if it were chance, and finds too little. From 50 clusters on the test is
therefore that of the difference over its jackknife standard error, which supposes the difference
alone to be 0, and the interval is the same t's: both say the same. With fewer clusters, or a class
that fewer than 10 of them hold, the swap stays. There, and with McNemar's exact test, interval and test answer the one question in two ways and may disagree where p is near alpha;
the test then decides, and `reason` says so. Simulated: results/benchmarks/coverage.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.bootstraps import Choice, bootstrap, difference_interval
from harness.stats.interval import Interval
from harness.stats.jackknife import left_out
from harness.stats.mcnemar import mcnemar
from harness.stats.resample import cluster_sums, cluster_totals
from harness.stats.scored import Scored, side_by_side
from harness.stats.signflip import sign_flip
from harness.stats.student import two_sided_p

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Estimate = Callable[[Floats], Floats]
Clusters = Sequence[Any] | NDArray[Any] | None
_FEW = 6
"""Below so many clusters 2 / 2^clusters is above .05."""
_MANY = 50
"""Clusters from which the t test keeps its level (simulated)."""
_RARE = 10
"""Clusters that each class must stand in for that: with fewer, a class recall is too coarse for t (simulated)."""
_LEVEL = 0.05
"""The level at which a test and a 95% interval say the same, or do not."""
PairedTest = Literal["auto", "mcnemar", "sign-flip", "t", "mcnemar-or-swap"]


@dataclass(frozen=True, slots=True)
class Tested:
    """A two-sided test of "no difference"."""

    p: float
    """nan where there is no test; ``reason`` then says why."""
    name: str
    """Which test, to be printed beside p."""
    reason: str = ""
    """Why there is no p, or why it cannot be small; else empty."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A against B over the same samples."""

    value_a: float
    value_b: float
    difference: float
    """value_a - value_b; nan where either is undefined."""
    interval: Interval
    """Of the difference, from resamples of clusters in which A and B stay together."""
    p: float
    """Two-sided p of ``test``; nan where there is none."""
    test: str
    """Which test gave p."""
    b: int | None
    """Samples that A has right and B wrong; None where samples are not right or wrong."""
    c: int | None
    """Samples that B has right and A wrong."""
    n: int
    """Samples."""
    clusters: int
    reason: str = ""
    """Why there is no p, or why it cannot be small; else empty."""

    @property
    def discordance(self) -> float:
        """Share of discordant samples, 0..1; nan where samples are not right or wrong."""
        if self.b is None or self.c is None or self.n == 0:
            return math.nan
        return (self.b + self.c) / self.n


def paired(
    a: Scored,
    b: Scored,
    metric: str,
    clusters: Clusters = None,
    *,
    select: Bools | None = None,
    test: PairedTest = "auto",
    method: Choice = "auto",
    draws: int = 2000,
    flips: int = 10_000,
    level: float = 0.95,
    seed: int,
) -> PairedDifference:
    """Difference of ``metric`` between two families over the same n samples, in the same order.

    ``clusters`` (n,) and ``method`` as in :func:`harness.stats.bootstrap_many`; ``select`` (n,)
    keeps a slice. ``method`` ``auto`` is ``t`` from 50 clusters on, which suits differences of any
    clusters. ``test``: see :func:`difference_test`. Raises HarnessError where the two are not over
    the same samples, or for a test that does not fit.
    """
    rows_a, rows_b = side_by_side([a, b])
    names = None if clusters is None else np.asarray(clusters)
    right_by = getattr(a, "right_by", "") or metric  # a label is right or wrong, a number is not
    if select is not None:
        rows_a, rows_b = rows_a[select], rows_b[select]
        names = None if names is None else names[select]
    value = partial(a.value, metric)
    width = rows_a.shape[1]

    def difference(totals: Floats) -> Floats:
        return value(totals[..., :width]) - value(totals[..., width:])

    both = np.hstack([rows_a, rows_b])
    interval = (
        difference_interval(both, names, difference, draws=draws, level=level, seed=seed)
        if method == "auto"
        else bootstrap(both, names, difference, draws=draws, level=level, seed=seed, method=method)
    )
    if test == "auto" and _rare(a, rows_a, names):
        test = "mcnemar-or-swap"
    found = difference_test(rows_a, rows_b, names, value, test=test, flips=flips, seed=seed)
    value_a, value_b = float(value(rows_a.sum(axis=0))), float(value(rows_b.sum(axis=0)))
    counts = discordant(rows_a, rows_b, partial(a.value, right_by))
    return PairedDifference(
        value_a=value_a,
        value_b=value_b,
        difference=value_a - value_b,
        interval=interval,
        p=found.p,
        test=found.name,
        b=None if counts is None else counts[0],
        c=None if counts is None else counts[1],
        n=rows_a.shape[0],
        clusters=interval.clusters,
        reason=found.reason or _disagreement(interval, found),
    )


def _rare(a: Scored, rows: Floats, clusters: Clusters) -> bool:
    """Whether some class of the truth that occurs stands in fewer clusters than `_RARE`."""
    classes = getattr(a, "class_sizes", None)
    if classes is None:
        return False
    held = cluster_sums(classes(rows), clusters) > 0
    counts = held.sum(axis=0)
    return bool((counts[counts > 0] < _RARE).any())


def _count(clusters: Clusters, samples: int) -> int:
    return samples if clusters is None else int(np.unique(np.asarray(clusters)).size)


def _disagreement(interval: Interval, found: Tested) -> str:
    """What to make of a 95% interval and a test at .05 that do not say the same; empty where they do."""
    if not interval.known or math.isnan(found.p) or round(1 - interval.level, 9) != _LEVEL:
        return ""
    without = interval.low > 0 or interval.high < 0
    if without == (found.p <= _LEVEL):
        return ""
    said = "leaves 0 out, p is above .05" if without else "holds 0, p is .05 or less"
    return f"the interval {said}: they are two approximations of one question; the test decides"


def difference_test(
    rows_a: Floats,
    rows_b: Floats,
    clusters: Clusters,
    value: Estimate,
    *,
    test: PairedTest = "auto",
    flips: int = 10_000,
    seed: int,
) -> Tested:
    """Test of "no difference" from rows (n, k) of the same samples, made by ``side_by_side``.

    ``mcnemar`` fits where each cluster is one sample and the metric is the share of samples that
    are right; ``sign-flip`` fits all; ``t`` is the difference over its jackknife standard error.
    ``auto`` takes McNemar where it fits, else ``t`` from 50 clusters on, else ``sign-flip``, which
    also stands in where the standard error is 0 or undefined; ``mcnemar-or-swap`` never takes
    ``t``. Raises HarnessError where ``mcnemar`` is asked for and does not fit, or for an unknown
    test.
    """
    if test not in get_args(PairedTest):
        raise HarnessError(
            f"no test {test!r}", hint=f"use one of: {', '.join(get_args(PairedTest))}"
        )
    if rows_a.shape[0] == 0:
        return Tested(math.nan, "no test", "no samples")
    if test in ("auto", "mcnemar", "mcnemar-or-swap"):
        alone = clusters is None or np.unique(np.asarray(clusters)).size == rows_a.shape[0]
        counts = discordant(rows_a, rows_b, value) if alone else None
        fits = counts is not None and _is_mean(value, rows_a) and _is_mean(value, rows_b)
        if counts is not None and fits:
            return Tested(mcnemar(*counts), "exact McNemar")
        if test == "mcnemar":
            raise HarnessError(
                "McNemar's test does not fit: clusters of several samples, or a metric that is "
                "not the share right",
                hint="use test='auto' or 'sign-flip'",
            )
    count = _count(clusters, rows_a.shape[0])
    if test == "t" or (test == "auto" and count >= _MANY):
        by_t = _t_test(rows_a, rows_b, clusters, value)
        if by_t is not None:
            return by_t
    found = sign_flip(rows_a, rows_b, clusters, value, flips=flips, seed=seed)
    if math.isnan(found.p):
        return Tested(math.nan, "no test", "the metric is undefined over these samples")
    how = "exact" if found.exact else f"{found.flips:,} drawn"
    reason = ""
    if count < _FEW:
        reason = f"with {count} clusters no difference gives a p below {2.0 ** (1 - count):.3g}"
    return Tested(found.p, f"sign-flip permutation over clusters ({how})", reason)


def _t_test(rows_a: Floats, rows_b: Floats, clusters: Clusters, value: Estimate) -> Tested | None:
    """The difference over its jackknife standard error; None where that is 0 or undefined."""
    width = rows_a.shape[1]
    left = left_out(
        cluster_totals(np.hstack([rows_a, rows_b]), clusters),
        lambda totals: value(totals[..., :width]) - value(totals[..., width:]),
    )
    if not left.known or not left.standard_error > 0:
        return None
    p = two_sided_p(left.whole / left.standard_error, left.degrees)
    return Tested(p, f"t test, jackknife over clusters ({left.degrees} degrees of freedom)")


def discordant(rows_a: Floats, rows_b: Floats, value: Estimate) -> tuple[int, int] | None:
    """Samples right under A alone and under B alone; None unless each is right (1) or wrong (0)."""
    right_a, right_b = value(rows_a), value(rows_b)
    for right in (right_a, right_b):
        if not np.isin(right, (0.0, 1.0)).all():
            return None
    return int(np.sum(right_a > right_b)), int(np.sum(right_b > right_a))


def _is_mean(value: Estimate, rows: Floats) -> bool:
    """Whether the metric is the mean of its samples' values; tried on weighted samples."""
    weights = np.random.Generator(np.random.PCG64(0)).integers(0, 4, size=(8, rows.shape[0]))
    weights[0] = 1
    weights[:, 0] = 1
    means = weights @ value(rows) / weights.sum(axis=1)
    return bool(np.allclose(value(weights @ rows), means, rtol=0, atol=1e-9))
