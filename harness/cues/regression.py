"""Regress a model's own valence or arousal on the cues that it reports.

Ordinary least squares on one-hot cues. Sums of X'X, X'y and y'y are additive, so resampling
clusters and leaving folds out need no second pass over the samples. R2 in sample inflates with the
number of cues; the cross-validated one leaves whole clusters (subjects) out, so that nobody is in
both halves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cues.estimate import Estimate
from harness.stats.bounds import expanded_bounds
from harness.stats.resample import cluster_sums, cluster_totals, resamples

Floats = NDArray[np.float64]

FOLDS = 10
DRAWS = 2000
LEAST = 5
"""A value of a cue that was reported less often than this joins the reference."""


@dataclass(frozen=True, slots=True)
class RegressionEffect:
    """How far an outcome moves, in its own standard deviations, with one value of a cue."""

    cue: str
    value: str
    reference: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Weight:
    """What a cue adds to the prediction."""

    cue: str
    drop: Estimate
    """Loss of in-sample R2 without the cue, all others kept."""
    drop_held_out: float
    """Loss of cross-validated R2 without it; below 0 where the cue only adds noise."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One outcome on all cues."""

    outcome: str
    r2: Estimate
    r2_held_out: Estimate
    """Cross-validated over clusters; its interval resamples the folds' clusters with the fits held fixed."""
    effects: tuple[RegressionEffect, ...]
    weights: tuple[Weight, ...]
    n: int
    left_out: int
    """Samples without a number or without one of the cues."""


@dataclass(frozen=True, slots=True)
class Design:
    """One-hot cues beside an intercept."""

    matrix: Floats
    """(n, p), the first column all ones."""
    columns: tuple[tuple[str, str, str], ...]
    """(cue, value, reference) of each column but the first."""

    def of(self, cue: str) -> NDArray[np.int64]:
        """Columns of one cue."""
        return np.array([i for i, c in enumerate(self.columns, 1) if c[0] == cue], dtype=np.int64)


def one_hot(cues: Mapping[str, Sequence[str]]) -> Design:
    """Columns for every value of every cue but its commonest, which is the reference.

    Values reported fewer than `LEAST` times stay with the reference.
    """
    n = len(next(iter(cues.values()), ()))
    columns: list[Floats] = [np.ones(n)]
    names: list[tuple[str, str, str]] = []
    for cue, values in cues.items():
        found, counts = np.unique(np.asarray(values, dtype=object).astype(str), return_counts=True)
        reference = str(found[counts.argmax()]) if len(found) else ""
        for value, count in zip(found, counts, strict=True):
            if value != reference and count >= LEAST:
                columns.append(np.array([v == value for v in values], dtype=np.float64))
                names.append((cue, str(value), reference))
    return Design(np.stack(columns, axis=1), tuple(names))


def fit(
    outcome: str,
    y: Floats,
    cues: Mapping[str, Sequence[str]],
    clusters: Sequence[Any],
    *,
    seed: int,
    left_out: int = 0,
) -> Fit | None:
    """Regress y (n,) on cues. None where there is too little: fewer than 3 clusters, no spread in y,
    or fewer samples than columns."""
    design = one_hot(cues)
    p = design.matrix.shape[1]
    names = np.asarray(clusters)
    if len(y) <= p + 1 or np.ptp(y) == 0 or len(np.unique(names)) < 3 or p == 1:
        return None
    rows = _rows(design.matrix, y)
    sums = cluster_sums(rows, names)
    drawn = np.concatenate(
        list(resamples(cluster_totals(rows, names), draws=DRAWS, seed=seed)), axis=0
    )
    totals = np.concatenate([rows.sum(axis=0)[None], drawn], axis=0)
    every = np.arange(p)
    beta, r2 = _solve(totals, p, every)
    held = _held_out(sums, p, every, seed=seed)
    count = len(sums)

    def with_interval(values: Floats) -> Estimate:
        return _interval(values, n=len(y), clusters=count)

    spread = _spread(totals, p)
    effects = [
        RegressionEffect(*names_of, with_interval(beta[:, i] / spread))
        for i, names_of in enumerate(design.columns, 1)
    ]
    weights = []
    for cue in cues:
        kept = np.setdiff1d(every, design.of(cue))
        if len(kept) == p:
            continue
        without = _solve(totals, p, kept)[1]
        loss = held.value - _held_out(sums, p, kept, seed=seed).value
        weights.append(Weight(cue, with_interval(r2 - without), loss))
    weights.sort(key=lambda weight: -weight.drop.value)
    return Fit(outcome, with_interval(r2), held, tuple(effects), tuple(weights), len(y), left_out)


def _rows(x: Floats, y: Floats) -> Floats:
    """(n, p*p + p + 3): X'X, X'y, y'y, y, 1."""
    n, p = x.shape
    square = (x[:, :, None] * x[:, None, :]).reshape(n, p * p)
    return np.concatenate(
        [square, x * y[:, None], (y * y)[:, None], y[:, None], np.ones((n, 1))], axis=1
    )


def _parts(totals: Floats, p: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    xx = totals[:, : p * p].reshape(-1, p, p)
    xy = totals[:, p * p : p * p + p]
    return xx, xy, totals[:, -3], totals[:, -2], totals[:, -1]


def _solve(totals: Floats, p: int, kept: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Coefficients (draws, p), 0 where not kept, and R2 (draws,)."""
    xx, xy, yy, y, n = _parts(totals, p)
    inverse = np.linalg.pinv(xx[:, kept[:, None], kept], hermitian=True)
    beta = np.zeros_like(xy)
    beta[:, kept] = (inverse @ xy[:, kept, None])[..., 0]
    residual = yy - np.einsum("dp,dp->d", beta, xy)
    whole = yy - y * y / n
    return beta, 1 - np.divide(residual, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _spread(totals: Floats, p: int) -> Floats:
    """Standard deviation of y in each draw."""
    _, _, yy, y, n = _parts(totals, p)
    return np.sqrt(np.maximum(yy / n - (y / n) ** 2, 1e-300))


def _held_out(sums: Floats, p: int, kept: NDArray[np.int64], *, seed: int) -> Estimate:
    """Cross-validated R2: each cluster is foretold by a fit on the other folds' clusters.

    The total it is held against is about the mean of the same training clusters (Q2).
    """
    count = len(sums)
    folds = np.random.default_rng([seed, 23]).permutation(count) % min(FOLDS, count)
    total = sums.sum(axis=0)
    errors, spreads = np.zeros(count), np.zeros(count)
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        train = (total - sums[inside].sum(axis=0))[None]
        beta = _solve(train, p, kept)[0][0]
        mean = float(train[0, -2] / train[0, -1])
        xx, xy, yy, y, n = _parts(sums[inside], p)
        fitted = np.einsum("p,dpq,q->d", beta, xx, beta)
        errors[inside] = yy - 2 * xy @ beta + fitted
        spreads[inside] = yy - 2 * mean * y + n * mean * mean
    table = np.stack([errors, spreads], axis=1)
    drawn = np.concatenate(list(resamples(cluster_totals(table), draws=DRAWS, seed=seed)), axis=0)
    both = np.concatenate([table.sum(axis=0)[None], drawn], axis=0)
    values = 1 - np.divide(
        both[:, 0], both[:, 1], out=np.full(len(both), np.nan), where=both[:, 1] > 0
    )
    return _interval(values, n=int(total[-1]), clusters=count)


def _interval(values: Floats, *, n: int, clusters: int) -> Estimate:
    """The first value is the whole sample's, the others the resamples'."""
    defined = values[1:][~np.isnan(values[1:])]
    low = high = float("nan")
    if len(defined) and clusters > 1:
        low, high = expanded_bounds(defined, clusters=clusters, level=0.95)
    method = "expanded percentile bootstrap over clusters"
    return Estimate(float(values[0]), low, high, n, clusters, method)
