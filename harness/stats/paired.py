"""Whether A differs from B over the same samples, by how much, and by which test.

Interval and test answer the one question in two ways and may disagree where p is near alpha: the
interval resamples clusters, the test swaps A and B within them. For the metrics here both keep
their level (results/benchmarks/coverage.md); where they disagree, the test decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.bootstraps import Choice, bootstrap
from harness.stats.interval import Interval
from harness.stats.mcnemar import mcnemar
from harness.stats.scored import Scored, side_by_side
from harness.stats.signflip import sign_flip

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Estimate = Callable[[Floats], Floats]
Clusters = Sequence[Any] | NDArray[Any] | None
_FEW = 6
"""Below so many clusters 2 / 2^clusters is above .05."""
PairedTest = Literal["auto", "mcnemar", "sign-flip"]


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
    keeps a slice. ``test``: see :func:`difference_test`. Raises HarnessError where the two are
    not over the same samples, or for a test that does not fit.
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

    interval = bootstrap(
        np.hstack([rows_a, rows_b]),
        names,
        difference,
        draws=draws,
        level=level,
        seed=seed,
        method=method,
    )
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
        reason=found.reason,
    )


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
    are right; ``sign-flip`` fits all. ``auto`` takes McNemar where it fits. Raises HarnessError
    where ``mcnemar`` is asked for and does not fit, or for an unknown test.
    """
    if test not in ("auto", "mcnemar", "sign-flip"):
        raise HarnessError(f"no test {test!r}", hint="use one of: auto, mcnemar, sign-flip")
    if rows_a.shape[0] == 0:
        return Tested(math.nan, "no test", "no samples")
    if test != "sign-flip":
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
    found = sign_flip(rows_a, rows_b, clusters, value, flips=flips, seed=seed)
    if math.isnan(found.p):
        return Tested(math.nan, "no test", "the metric is undefined over these samples")
    how = "exact" if found.exact else f"{found.flips:,} drawn"
    count = rows_a.shape[0] if clusters is None else np.unique(np.asarray(clusters)).size
    reason = ""
    if count < _FEW:
        reason = f"with {count} clusters no difference gives a p below {2.0 ** (1 - count):.3g}"
    return Tested(found.p, f"sign-flip permutation over clusters ({how})", reason)


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
