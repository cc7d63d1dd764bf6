"""A number with its interval over clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.stats.bootstraps import bootstrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number of an audit."""

    value: float
    """nan where it is undefined."""
    low: float
    high: float
    """95% interval; nan where there is none."""
    n: int
    """Samples behind it."""
    clusters: int
    method: str


def estimate(
    rows: Floats,
    clusters: Sequence[Any] | NDArray[Any],
    value: Callable[[Floats], Floats],
    *,
    seed: int,
    n: int | None = None,
    level: float = 0.95,
) -> Estimate:
    """A function of totals with its cluster bootstrap interval (`harness.stats.bootstrap`, auto).

    Args:
        rows: (samples, k), additive.
        clusters: (samples,).
        value: totals (draws, k) to values (draws,), nan where undefined.
        n: samples behind the number, where not all rows.
    """
    table = np.asarray(rows, dtype=np.float64)
    whole = float(value(table.sum(axis=0)[None])[0]) if len(table) else float("nan")
    found = bootstrap(table, clusters, value, seed=seed, method="auto", level=level)
    return Estimate(
        whole, found.low, found.high, len(table) if n is None else n, found.clusters, found.method
    )


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Elementwise quotient, nan where the bottom is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)


def mean_of(values: Floats, clusters: Sequence[Any] | NDArray[Any], *, seed: int) -> Estimate:
    """The mean of values (n,) with its interval; nan values are left out."""
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    rows = np.stack([values[known], np.ones(int(known.sum()))], axis=1)
    kept = np.asarray(clusters)[known]
    return estimate(rows, kept, lambda t: ratio(t[:, 0], t[:, 1]), seed=seed)
