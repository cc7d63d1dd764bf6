"""Bootstrap and t intervals over clusters for metrics of sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    unequal_bounds,
)
from harness.stats.coverage import SIMULATED_LEVEL, SMALL, small_sample_coverage
from harness.stats.interval import Interval, check_level
from harness.stats.jackknife import LeftOut, left_out, left_out_many
from harness.stats.resample import (
    ClusterTotals,
    cluster_totals,
    resamples,
    resamples_together,
    shares_draws,
)
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]
Estimate = Callable[[Floats], Floats]
"""Totals of shape (draws, k) to values of shape (draws,), nan where undefined."""
Choice = Method | Literal["auto"]
"""A way to bounds, or ``auto``: unequal where clusters are of unequal sizes, else expanded below 50 clusters, BCa
from there on."""
_DIFFERENCES = 50
"""Clusters from which the t interval of a difference covers as it should (simulated)."""
_UNEQUAL = 0.9
"""Kish's effective share of clusters below which their sizes count as unequal."""
_MANY = 50
"""Clusters from which BCa covers no worse than the expanded percentile (simulated)."""
_HELD = 3 << 23
"""Numbers of cluster sums held at a time for cuts that are resampled together (200 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """What is resampled: rows of samples, their clusters, and what is read off the sums."""

    rows: Floats | CodedRows
    """(n, k) additive rows."""
    clusters: Sequence[Any] | NDArray[Any] | None
    """(n,) the samples' clusters; None: each its own."""
    values: Mapping[str, Estimate]
    """Metric -> its function of totals."""


def bootstrap(
    rows: Floats | CodedRows,
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
    - ``bca`` (Efron 1987): corrects bias and skew, for many clusters; where its correction is
      undefined the expanded bounds stand and ``method`` says so.
    - ``t``: jackknife standard error, no draws; right for means of clusters and for differences.
    - ``unequal``: the wider of expanded percentile and t, with degrees of freedom that unequal
      clusters leave (Satterthwaite 1946).
    - ``auto``: ``unequal`` where the clusters' sizes differ (by Kish's effective number they
      count as fewer than nine tenths), else ``expanded`` below 50 clusters, else ``bca``.

    Their simulated coverage is in results/benchmarks/coverage.md.

    Without samples, with one cluster, or where a metric is undefined in every resample, the
    bounds are nan and ``reason`` says why. Raises HarnessError for draws below 1, a level
    outside (0, 1), an unknown method or malformed rows.
    """
    cut = Resampled(rows, clusters, values)
    return bootstrap_each([cut], draws=draws, level=level, seed=seed, method=method)[0]


def bootstrap_each(
    cuts: Sequence[Resampled],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
    method: Choice = "percentile",
) -> list[dict[str, Interval]]:
    """What :func:`bootstrap_many` gives of each, in their order.

    Those of equally many clusters are resampled together, which takes a fraction of the time.
    """
    check_level(level)
    if draws < 1:
        raise HarnessError(f"{draws} draws give no interval", hint="draw at least 1,000")
    if method != "auto" and method not in NAMES:
        raise HarnessError(
            f"no interval method {method!r}", hint=f"use one of: auto, {', '.join(NAMES)}"
        )
    found: list[dict[str, Interval]] = [{} for _ in cuts]
    for batch in _together(cuts):
        count = batch[0][1].clusters
        if count < 2:
            reason = "no samples" if count == 0 else "one cluster: nothing to resample"
            for place, groups in batch:
                chosen = resolve(method, groups)
                nothing = _unknown(groups, chosen, level=level, draws=0, reason=reason)
                found[place] = dict.fromkeys(cuts[place].values, nothing)
        elif method == "t":
            for place, groups in batch:
                values = cuts[place].values
                found[place] = {n: _student(groups, v, level=level) for n, v in values.items()}
        else:
            drawn = _draw(cuts, batch, draws=draws, seed=seed)
            for (place, groups), parts in zip(batch, drawn, strict=True):
                chosen = resolve(method, groups)
                found[place] = _bounds(parts, groups, cuts[place].values, chosen, level=level)
    return found


def difference_interval(
    rows: Floats | CodedRows,
    clusters: Sequence[Any] | NDArray[Any] | None,
    difference: Estimate,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """Interval of the difference of two scores whose rows stand side by side, (n, k + l).

    ``t`` from 50 clusters on, where the difference is defined without each of them; else as
    ``auto`` of :func:`bootstrap_many`.
    """
    count = len(rows) if clusters is None else int(np.unique(np.asarray(clusters)).size)
    if count >= _DIFFERENCES:
        found = bootstrap(rows, clusters, difference, level=level, seed=seed, method="t")
        if found.known:
            return found
    return bootstrap(rows, clusters, difference, draws=draws, level=level, seed=seed, method="auto")


def _together(cuts: Sequence[Resampled]) -> Iterator[list[tuple[int, ClusterTotals]]]:
    """(place, totals) of cuts with metrics, those that share their draws at a time as far as `_HELD` allows."""
    waiting: dict[int, list[tuple[int, ClusterTotals]]] = {}
    held = 0
    for place, cut in enumerate(cuts):
        if not cut.values:
            continue
        groups = cluster_totals(cut.rows, cut.clusters)
        held += groups.totals.size
        if held > _HELD:
            while waiting:
                yield waiting.popitem()[1]
            held = groups.totals.size
        key = groups.clusters if shares_draws(groups) else -1 - place
        waiting.setdefault(key, []).append((place, groups))
    yield from waiting.values()


def _draw(
    cuts: Sequence[Resampled],
    batch: Sequence[tuple[int, ClusterTotals]],
    *,
    draws: int,
    seed: int,
) -> list[dict[str, Floats]]:
    """For each cut of a batch its metrics in all resamples, each (draws,)."""
    drawn: list[dict[str, list[Floats]]] = [
        {n: [] for n in cuts[place].values} for place, _ in batch
    ]
    tables = [groups for _, groups in batch]
    many = (
        resamples_together(tables, draws=draws, seed=seed)
        if len(tables) > 1
        else ([block] for block in resamples(tables[0], draws=draws, seed=seed))
    )
    for blocks in many:
        for (place, _), totals, parts in zip(batch, blocks, drawn, strict=True):
            for name, value in cuts[place].values.items():
                parts[name].append(value(totals))
    return [{name: np.concatenate(found) for name, found in parts.items()} for parts in drawn]


def _bounds(
    drawn: Mapping[str, Floats],
    groups: ClusterTotals,
    values: Mapping[str, Estimate],
    method: Method,
    *,
    level: float,
) -> dict[str, Interval]:
    """The intervals of several metrics from their values in the resamples."""
    defined = {name: found[~np.isnan(found)] for name, found in drawn.items()}
    moving = {
        name: values[name]
        for name, found in defined.items()
        if method in ("bca", "unequal") and found.size and found.min() < found.max()
    }
    left = left_out_many(groups, moving)
    return {
        name: _resampled(found, groups, left.get(name), method, level=level, draws=drawn[name].size)
        for name, found in defined.items()
    }


def resolve(method: Choice, groups: ClusterTotals) -> Method:
    """The way to bounds that ``auto`` takes for these clusters; any other as it is."""
    if method != "auto":
        return method
    if groups.alike < _UNEQUAL:
        return "unequal"
    return "expanded" if groups.clusters < _MANY else "bca"


def _resampled(
    defined: Floats,
    groups: ClusterTotals,
    left: LeftOut | None,
    method: Method,
    *,
    level: float,
    draws: int,
) -> Interval:
    """An interval from the resamples in which a metric is defined; `left` where the method asks for it."""
    undefined = draws - defined.size
    if defined.size == 0:
        reason = "undefined in every resample"
        return _unknown(groups, method, level=level, draws=draws, reason=reason)
    count, name = groups.clusters, _name(method, groups.clusters, level)
    bounds = None
    if left is not None and method == "bca":
        bounds = bca_bounds(defined, left, level=level)
    elif left is not None:
        bounds = unequal_bounds(defined, left, alike=groups.alike, level=level)
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
    return Interval(
        *bounds, level, name, count, draws, undefined, reason, _simulated(method, count, level)
    )


def _student(groups: ClusterTotals, value: Estimate, *, level: float) -> Interval:
    left = left_out(groups, value)
    bounds = t_bounds(left, level=level)
    if bounds is None:
        reason = "undefined, or undefined without one of the clusters"
        return _unknown(groups, "t", level=level, draws=0, reason=reason)
    reason = "" if bounds[0] < bounds[1] else "no spread between clusters, which is not certainty"
    return Interval(
        *bounds,
        level,
        _name("t", groups.clusters, level),
        groups.clusters,
        reason=reason,
        simulated=_simulated("t", groups.clusters, level),
    )


def _unknown(
    groups: ClusterTotals, method: Method, *, level: float, draws: int, reason: str
) -> Interval:
    count = groups.clusters
    name = _name(method, count, level)
    return Interval(math.nan, math.nan, level, name, count, draws, draws, reason)


def _simulated(method: Method, clusters: int, level: float) -> tuple[float, float] | None:
    return small_sample_coverage(clusters, method=method) if level == SIMULATED_LEVEL else None


def _name(method: Method, clusters: int, level: float) -> str:
    name, simulated = NAMES[method], _simulated(method, clusters, level)
    if clusters >= SMALL:
        return name
    if simulated is None:
        return f"{name}; small sample"
    low, high = simulated
    return f"{name}; small sample: simulated coverage {low:.2f} to {high:.2f}"
