"""Confidence intervals: bootstrap and t over clusters, and Wilson for one share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.bounds import (
    NAMES,
    Method,
    bca_bounds,
    expanded_bounds,
    percentile_bounds,
    t_bounds,
)
from harness.stats.coverage import SIMULATED_LEVEL, SMALL, small_sample_coverage
from harness.stats.jackknife import left_out
from harness.stats.resample import ClusterTotals, cluster_totals, resamples
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]
Estimate = Callable[[Floats], Floats]
"""Totals of shape (draws, k) to values of shape (draws,), nan where undefined."""
Choice = Method | Literal["auto"]
"""A way to bounds, or ``auto``: expanded below 50 clusters, BCa from there on."""
_MANY = 50
"""Clusters from which BCa covers no worse than the expanded percentile (simulated)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval and what it rests on."""

    low: float
    """nan where there is no interval; ``reason`` then says why."""
    high: float
    level: float
    """Nominal coverage, 0..1."""
    method: str
    """How it was made, to be printed beside it."""
    clusters: int
    """Independent units it rests on (for Wilson: trials)."""
    draws: int = 0
    """Resamples drawn; 0 for a closed form or the jackknife."""
    undefined: int = 0
    """Resamples left out because the metric was undefined in them."""
    reason: str = ""
    """Why there is no interval, or why its width is not to be trusted; else empty."""

    @property
    def known(self) -> bool:
        """Whether there are bounds."""
        return not (math.isnan(self.low) or math.isnan(self.high))


def bootstrap(
    rows: Floats,
    clusters: Sequence[Any] | NDArray[Any] | None,
    value: Estimate,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
    method: Choice = "percentile",
) -> Interval:
    """Interval of one metric; see :func:`bootstrap_many`."""
    many = bootstrap_many(
        rows, clusters, {"value": value}, draws=draws, level=level, seed=seed, method=method
    )
    return many["value"]


def bootstrap_many(
    rows: Floats | CodedRows,
    clusters: Sequence[Any] | NDArray[Any] | None,
    values: Mapping[str, Estimate],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
    method: Choice = "percentile",
) -> dict[str, Interval]:
    """Intervals of several metrics from the same resamples of clusters.

    ``rows`` (n, k) are additive rows of n samples, as they are or coded, ``clusters`` (n,) their clusters (None: each
    sample its own), ``values`` the metrics as functions of totals. Ways to bounds:

    - ``percentile`` (Efron and Tibshirani 1993, ch. 13): stays within the metric's range.
    - ``expanded`` (Hesterberg 2015): wider quantiles, for few clusters the best of the four.
    - ``bca`` (Efron 1987): mends bias and skew, for many clusters; where its correction is
      undefined the expanded bounds stand and ``method`` says so.
    - ``t``: jackknife standard error, no draws; right for means of clusters.
    - ``auto``: ``expanded`` below 50 clusters, else ``bca``.

    Their simulated coverage is in results/benchmarks/coverage.md.

    Without samples, with one cluster, or where a metric is undefined in every resample, the
    bounds are nan and ``reason`` says why. Raises HarnessError for draws below 1, a level
    outside (0, 1), an unknown method or malformed rows.
    """
    _check_level(level)
    if draws < 1:
        raise HarnessError(f"{draws} draws give no interval", mend="draw at least 1,000")
    if method != "auto" and method not in NAMES:
        raise HarnessError(
            f"no interval method {method!r}", mend=f"use one of: auto, {', '.join(NAMES)}"
        )
    groups = cluster_totals(rows, clusters)
    chosen = resolve(method, groups.clusters)
    if groups.clusters < 2:
        reason = "no samples" if groups.clusters == 0 else "one cluster: nothing to resample"
        nothing = _unknown(groups, chosen, level=level, draws=0, reason=reason)
        return dict.fromkeys(values, nothing)
    if chosen == "t":
        return {name: _student(groups, value, level=level) for name, value in values.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in values}
    for totals in resamples(groups, draws=draws, seed=seed):
        for name, value in values.items():
            drawn[name].append(value(totals))
    return {
        name: _resampled(np.concatenate(parts), groups, values[name], chosen, level=level)
        for name, parts in drawn.items()
    }


def resolve(method: Choice, clusters: int) -> Method:
    """The way to bounds that ``auto`` takes for a number of clusters; any other as it is."""
    if method == "auto":
        return "expanded" if clusters < _MANY else "bca"
    return method


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson (1927) score interval of a share of n independent trials, within 0..1.

    nan bounds for n = 0. Raises HarnessError unless 0 <= successes <= n and 0 < level < 1.
    """
    _check_level(level)
    if not 0 <= successes <= n:
        raise HarnessError(
            f"{successes} successes in {n} trials", mend="pass counts with 0 <= successes <= n"
        )
    if n == 0:
        return Interval(math.nan, math.nan, level, "Wilson", 0, reason="no samples")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high, level, "Wilson", n)


def _resampled(
    values: Floats, groups: ClusterTotals, value: Estimate, method: Method, *, level: float
) -> Interval:
    defined = values[~np.isnan(values)]
    draws, undefined = values.size, values.size - defined.size
    if defined.size == 0:
        reason = "undefined in every resample"
        return _unknown(groups, method, level=level, draws=draws, reason=reason)
    count, name = groups.clusters, _name(method, groups.clusters, level)
    bounds: tuple[float, float] | None = None
    if method == "bca" and defined.min() < defined.max():
        bounds = bca_bounds(defined, left_out(groups, value), level=level)
    if bounds is None and method == "percentile":
        bounds = percentile_bounds(defined, level=level)
    if bounds is None:
        bounds = expanded_bounds(defined, clusters=count, level=level)
        if method == "bca":
            name = f"{_name('expanded', count, level)} (BCa is undefined here)"
    reason = ""
    if defined.min() == defined.max():
        reason = "every resample gives this one value: no spread was seen, which is not certainty"
    elif undefined * 2 > draws:
        reason = f"undefined in {undefined} of {draws} resamples"
    return Interval(*bounds, level, name, count, draws, undefined, reason)


def _student(groups: ClusterTotals, value: Estimate, *, level: float) -> Interval:
    left = left_out(groups, value)
    bounds = t_bounds(left, clusters=groups.clusters, level=level)
    if bounds is None:
        reason = "undefined, or undefined without one of the clusters"
        return _unknown(groups, "t", level=level, draws=0, reason=reason)
    reason = "" if bounds[0] < bounds[1] else "no spread between clusters, which is not certainty"
    return Interval(
        *bounds, level, _name("t", groups.clusters, level), groups.clusters, reason=reason
    )


def _unknown(
    groups: ClusterTotals, method: Method, *, level: float, draws: int, reason: str
) -> Interval:
    count = groups.clusters
    name = _name(method, count, level)
    return Interval(math.nan, math.nan, level, name, count, draws, draws, reason)


def _name(method: Method, clusters: int, level: float) -> str:
    name = NAMES[method]
    if clusters >= SMALL:
        return name
    simulated = small_sample_coverage(clusters, method=method)
    if simulated is None or level != SIMULATED_LEVEL:
        return f"{name}; small sample"
    low, high = simulated
    return f"{name}; small sample: simulated coverage {low:.2f} to {high:.2f}"


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise HarnessError(f"level {level} is not between 0 and 1", mend="use 0.95, say")
