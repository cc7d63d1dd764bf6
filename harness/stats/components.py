"""Variance components of a score: prompt, model, label order, condition.

Every combination of the factors' levels is one cell with one score, over the same samples. The
model is a crossed random-effects one,

    score = mean + an effect of each factor + one of each pair of factors + rest,

and its variances are estimated by the method of moments: mean squares of the balanced analysis
of variance are set equal to their expectations and solved (Searle, Casella and McCulloch 1992,
ch. 4). With U a set of factors, N cells and L_f levels of factor f,

    E[MS_U] = rest + sum over V containing U of N / (product of L_f, f in V) * variance_V.

Pairs are told from the rest where there are three factors or more; with two, the rest is their
interaction. An estimate below zero is set to zero and marked.

Scores of finitely many samples differ by chance, which adds to each component. Resampling the
samples' clusters (the same for all cells) shows how much: the mean of the resampled components
exceeds the estimate by about what the estimate exceeds its value over endless samples. That
excess is taken off once from the estimate and twice from the resampled quantiles. So the
intervals are about these very cells over other samples. They do not say how other prompts or
models would vary: for that, a factor's levels are a sample of one, two, three.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.interval import Interval
from harness.stats.resample import cluster_sums, multiplicities
from harness.stats.scored import Scored, side_by_side

Floats = NDArray[np.float64]
Term = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """The variance that one factor, one pair of factors or the rest adds to a score."""

    factors: tuple[str, ...]
    """One or two factors; empty for the rest."""
    variance: float
    """In squared units of the score, what the samples' chance adds taken off; 0 and up."""
    share: float
    """Of the sum of all components, 0..1; nan where that sum is 0."""
    interval: Interval
    """Of the variance, over resampled clusters of samples."""
    raw: float
    """The moment estimate before correction; may be below zero."""
    excess: float
    """What the chance of the samples adds to ``raw``, from the resamples."""
    zeroed: bool
    """Whether the estimate was below zero and was set to zero."""

    @property
    def deviation(self) -> float:
        """Root of the variance, in units of the score."""
        return math.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class Components:
    """All components of a score over cells."""

    mean: float
    """Mean score of the cells."""
    rows: tuple[Component, ...]
    """Factors in the order given, then pairs, then the rest."""
    cells: int
    fixed: tuple[str, ...]
    """Factors with one level, which vary nothing here."""
    n: int
    """Samples behind each cell."""


def variance_components(
    cells: Mapping[tuple[str, ...], Scored],
    factors: Sequence[str],
    metric: str,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int,
) -> Components:
    """Components of a metric over fully crossed cells.

    ``cells`` maps one level for each factor to a metric family over the same n samples in the
    same order, ``clusters`` (n,) is as in :func:`harness.stats.bootstrap_many`. Raises
    HarnessError where a combination of levels is missing, where fewer than two factors vary,
    where the samples differ, or where the metric is undefined in a cell.
    """
    levels, fixed = _levels(cells, factors)
    shape = tuple(len(names) for names in levels.values())
    families = [cells[key] for key in _keys(levels, factors, cells)]
    sums = [cluster_sums(rows, clusters) for rows in side_by_side(families)]
    value = partial(families[0].value, metric)
    count = sums[0].shape[0]
    terms = _terms(len(shape))
    scores = np.array([value(table.sum(axis=0)[None])[0] for table in sums]).reshape(shape)
    if np.isnan(scores).any() or count < 2 or draws < 1 or not 0 < level < 1:
        raise HarnessError(
            "no components: the metric is undefined in a cell, there is one cluster, or draws "
            "and level make no interval",
            hint="choose a metric defined in every cell, two clusters or more, 0 < level < 1",
        )
    drawn = [
        np.stack([value(weights @ table) for table in sums], axis=-1)
        for weights in multiplicities(count, draws=draws, seed=seed)
    ]
    resampled = _moments(np.concatenate(drawn).reshape(-1, *shape), terms)
    rows = _rows(
        terms,
        tuple(levels),
        _moments(scores[None], terms)[0],
        resampled[~np.isnan(resampled).any(axis=1)],
        Interval(math.nan, math.nan, level, _METHOD, count, draws),
    )
    n = families[0].rows().shape[0]
    return Components(float(scores.mean()), rows, len(sums), fixed, n)


_METHOD = "bootstrap over clusters of samples, shifted by twice its excess"


def _terms(factors: int) -> tuple[Term, ...]:
    """Single factors, pairs where three or more factors leave a rest, and () for the rest."""
    singles = list(itertools.combinations(range(factors), 1))
    pairs = list(itertools.combinations(range(factors), 2)) if factors > 2 else []
    return (*singles, *pairs, ())


def _moments(scores: Floats, terms: tuple[Term, ...]) -> Floats:
    """(draws, terms) moment estimates from scores of shape (draws, L_1, L_2, ...)."""
    shape = scores.shape[1:]
    axes, cells = range(len(shape)), math.prod(shape)
    squares: dict[Term, Floats] = {}
    rest = scores - scores.mean(axis=tuple(a + 1 for a in axes), keepdims=True)
    left = cells - 1
    for term in terms[:-1]:
        others = tuple(a + 1 for a in axes if a not in term)
        effect = rest.mean(axis=others, keepdims=True)
        rest = rest - effect
        degrees = math.prod(shape[a] - 1 for a in term)
        times = cells // math.prod(shape[a] for a in term)
        squares[term] = times * (effect**2).sum(axis=tuple(a + 1 for a in axes)) / degrees
        left -= degrees
    variance: dict[Term, Floats] = {(): (rest**2).sum(axis=tuple(a + 1 for a in axes)) / left}
    for term in sorted(terms[:-1], key=len, reverse=True):
        above = sum(
            (cells // math.prod(shape[a] for a in other) * variance[other])
            for other in terms[:-1]
            if set(term) < set(other)
        )
        times = cells // math.prod(shape[a] for a in term)
        variance[term] = (squares[term] - variance[()] - above) / times
    return np.stack([variance[term] for term in terms], axis=-1)


def _rows(
    terms: tuple[Term, ...],
    names: tuple[str, ...],
    raw: Floats,
    resampled: Floats,
    blank: Interval,
) -> tuple[Component, ...]:
    undefined = blank.draws - len(resampled)
    excess = resampled.mean(axis=0) - raw if len(resampled) else np.zeros_like(raw)
    corrected = raw - excess
    kept = np.maximum(corrected, 0.0)
    tails = [(1 - blank.level) / 2, (1 + blank.level) / 2]
    rows = []
    for at, term in enumerate(terms):
        interval = blank
        if len(resampled):
            low, high = np.quantile(resampled[:, at], tails) - 2 * excess[at]
            interval = Interval(
                max(0.0, float(low)),
                max(0.0, float(high)),
                blank.level,
                blank.method,
                blank.clusters,
                blank.draws,
                undefined,
            )
        rows.append(
            Component(
                factors=tuple(names[a] for a in term),
                variance=float(kept[at]),
                share=float(kept[at] / kept.sum()) if kept.sum() > 0 else math.nan,
                interval=interval,
                raw=float(raw[at]),
                excess=float(excess[at]),
                zeroed=bool(corrected[at] < 0),
            )
        )
    return tuple(rows)


def _levels(
    cells: Mapping[tuple[str, ...], Scored], factors: Sequence[str]
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Levels of each factor that varies, in order of appearance, and the factors that do not."""
    for key in cells:
        if len(key) != len(factors):
            raise HarnessError(
                f"cell {key} has {len(key)} levels for {len(factors)} factors",
                hint="name one level for each factor",
            )
    found = {f: list(dict.fromkeys(key[at] for key in cells)) for at, f in enumerate(factors)}
    varying = {f: names for f, names in found.items() if len(names) > 1}
    if len(varying) < 2:
        raise HarnessError(
            f"{len(varying)} of the factors {list(factors)} vary",
            hint="components need cells crossed over two factors or more",
        )
    return varying, tuple(f for f in factors if f not in varying)


def _keys(
    levels: Mapping[str, Sequence[str]],
    factors: Sequence[str],
    cells: Mapping[tuple[str, ...], Scored],
) -> list[tuple[str, ...]]:
    """The keys of all cells, the last varying factor fastest."""
    first = next(iter(cells))
    choices = [levels.get(f, [first[at]]) for at, f in enumerate(factors)]
    keys = list(itertools.product(*choices))
    missing = [key for key in keys if key not in cells]
    if missing:
        raise HarnessError(
            f"{len(missing)} combinations have no cell, for one {missing[0]}",
            hint="run them, or leave out a level so that the rest is fully crossed",
        )
    return keys
