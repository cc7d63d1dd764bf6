"""Populations with known scores, drawn again and again; for the tests and the benchmark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.metrics import label_family, number_family
from harness.stats.bounds import (
    Method,
    bca_bounds,
    expanded_bounds,
    percentile_bounds,
    t_bounds,
    unequal_bounds,
)
from harness.stats.jackknife import left_out
from harness.stats.resample import ClusterTotals, cluster_totals, resamples

Floats = NDArray[np.float64]

METHODS: tuple[Method, ...] = ("percentile", "expanded", "bca", "t", "unequal")

UNEQUAL = (2, 4, 8, 30)
"""Sizes of clusters, as often each."""

POPULATIONS: dict[str, tuple[list[float], list[float]]] = {
    # class shares, class recalls; errors fall evenly on the other classes
    "even": ([1 / 3, 1 / 3, 1 / 3], [0.6, 0.6, 0.6]),
    "skewed": ([0.5, 0.3, 0.2], [0.7, 0.6, 0.5]),
    "coarse": ([0.7, 0.15, 0.15], [0.85, 0.4, 0.5]),
    "four": ([0.4, 0.3, 0.2, 0.1], [0.7, 0.6, 0.5, 0.4]),
}


def joint(shares: list[float], recalls: list[float]) -> Floats:
    """(C, C) probabilities of (truth, answer)."""
    count = len(shares)
    table = np.repeat((1 - np.array(recalls))[:, None] / (count - 1), count, axis=1)
    np.fill_diagonal(table, recalls)
    return np.array(shares)[:, None] * table


def true_values(table: Floats) -> dict[str, float]:
    """UAR, UF1 and accuracy of the population."""
    hits, sizes, named = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return {
        "uar": float(np.mean(hits / sizes)),
        "uf1": float(np.mean(2 * hits / (sizes + named))),
        "accuracy": float(hits.sum()),
    }


def members(clusters: int, within: int | Sequence[int]) -> NDArray[np.int64]:
    """(n,) the cluster of each sample; sizes of clusters as given, again and again."""
    return np.repeat(np.arange(clusters), np.resize(within, clusters))


def simulated_coverage(
    population: str,
    *,
    clusters: int,
    within: int | Sequence[int] = 1,
    by_sample: bool = False,
    methods: Sequence[Method] = ("percentile",),
    metrics: Sequence[str] = ("uar", "uf1"),
    repetitions: int,
    draws: int,
    seed: int = 7,
) -> dict[tuple[Method, str], float]:
    """Share of 95% intervals that hold the true value, by method and metric.

    Each of the ``within`` samples of a cluster (or of as many as the sizes given say) repeats the cluster's own
    (truth, answer) half of the time, so that samples of a cluster are alike. ``by_sample``
    resamples without regard to it.
    """
    table = joint(*POPULATIONS[population])
    classes, wanted = table.shape[0], {m: v for m, v in true_values(table).items() if m in metrics}
    names = [str(code) for code in range(classes)]
    value = label_family(names, names).value
    generator = np.random.default_rng(seed)
    held = {(method, name): 0 for method in methods for name in wanted}
    unit = members(clusters, within)
    resampled = None if by_sample else unit
    for repetition in range(repetitions):
        cells = generator.choice(table.size, size=unit.size, p=table.ravel())
        alike = generator.random(cells.shape) < 0.5
        own = cells[np.searchsorted(unit, np.arange(clusters))]
        truth, answer = np.divmod(np.where(alike, own[unit], cells), classes)
        rows = np.zeros((truth.size, classes * (classes + 1)))
        rows[np.arange(truth.size), truth * (classes + 1) + answer] = 1.0
        groups = cluster_totals(rows, resampled)
        totals = np.concatenate(list(resamples(groups, draws=draws, seed=repetition)))
        for name, true in wanted.items():
            for method in methods:
                low, high = _bounds(method, groups, partial(value, name), totals)
                held[method, name] += low <= true <= high
    return {key: count / repetitions for key, count in held.items()}


def simulated_numbers(
    *,
    clusters: int,
    within: int | Sequence[int] = 1,
    methods: Sequence[Method],
    repetitions: int,
    draws: int,
    seed: int = 7,
) -> dict[tuple[Method, str], float]:
    """The same for MAE and CCC of numbers: clusters have truths and errors of their own, both normal."""
    generator, unit = np.random.default_rng(seed), members(clusters, within)
    deviation, shift = math.sqrt(0.16 * 0.5 + 0.09 + 0.16), 0.1
    wanted = {
        "mae": deviation * math.sqrt(2 / math.pi) * math.exp(-(shift**2) / 2 / deviation**2)
        + shift * (1 - 2 * NormalDist().cdf(-shift / deviation)),
        "ccc": 2 * 0.3 / (0.5 + 0.36 * 0.5 + 0.09 + 0.16 + shift**2),
    }
    held = {(method, name): 0 for method in methods for name in wanted}
    for repetition in range(repetitions):
        own, bias = generator.normal(0, [[0.5], [0.3]], (2, clusters))
        truth = own[unit] + generator.normal(0, 0.5, unit.size)
        answer = 0.6 * truth + shift + bias[unit] + generator.normal(0, 0.4, unit.size)
        family = number_family(truth.tolist(), answer.tolist(), low=-9, high=9)
        groups = cluster_totals(family.rows(), unit)
        totals = np.concatenate(list(resamples(groups, draws=draws, seed=repetition)))
        for name, true in wanted.items():
            for method in methods:
                low, high = _bounds(method, groups, partial(family.value, name), totals)
                held[method, name] += low <= true <= high
    return {key: count / repetitions for key, count in held.items()}


def _bounds(
    method: Method, groups: ClusterTotals, value: partial[Floats], totals: Floats
) -> tuple[float, float]:
    """What ``bootstrap`` gives, but for draws that several methods share."""
    drawn = value(totals)
    drawn = drawn[~np.isnan(drawn)]
    expanded = expanded_bounds(drawn, clusters=groups.clusters, level=0.95)
    if method == "bca":
        return bca_bounds(drawn, left_out(groups, value), level=0.95) or expanded
    if method == "t":
        return t_bounds(left_out(groups, value), level=0.95) or (np.nan, np.nan)
    if method == "unequal":
        left = left_out(groups, value)
        return unequal_bounds(drawn, left, alike=groups.alike, level=0.95)
    return expanded if method == "expanded" else percentile_bounds(drawn, level=0.95)


def two_models(
    generator: np.random.Generator,
    *,
    clusters: int,
    within: int,
    recalls: tuple[float, float] = (0.6, 0.6),
) -> tuple[list[str], list[str], list[str]]:
    """Truths and the answers of two models to clusters of alike samples.

    A cluster is easier or harder for both models, and again for each of them.
    """
    truth = generator.choice(3, size=(clusters, within), p=[0.5, 0.3, 0.2])
    easy = generator.normal(0, 0.15, (clusters, 1))
    answers = []
    for recall in recalls:
        own = generator.normal(0, 0.1, (clusters, 1))
        right = generator.random(truth.shape) < np.clip(recall + easy + own, 0, 1)
        wrong = (truth + generator.integers(1, 3, truth.shape)) % 3
        answers.append([str(code) for code in np.where(right, truth, wrong).ravel()])
    return [str(code) for code in truth.ravel()], answers[0], answers[1]


def leaning_models(
    generator: np.random.Generator,
    unit: NDArray[np.int64],
    *,
    lean: float,
    gap: float = 0.0,
    shares: Sequence[float] = (0.35, 0.3, 0.35),
) -> tuple[list[str], list[str], list[str]]:
    """Truths and the answers of two models, of which one finds more of the first class and the other of the last.

    By as much, ``lean`` of recall, so that both have one UAR, and by symmetry one UF1 where the first and the last
    class are equally common; ``gap`` is added to what the first finds of every class.
    """
    clusters = int(unit.max()) + 1
    truth = generator.choice(3, size=unit.size, p=list(shares))
    easy = generator.normal(0, 0.15, clusters)[unit]
    answers = []
    for sign, more in ((1, gap / 2), (-1, -gap / 2)):
        recall = 0.55 + more + sign * lean * np.array([1.0, 0.0, -1.0])[truth]
        own = generator.normal(0, 0.1, clusters)[unit]
        right = generator.random(truth.shape) < np.clip(recall + easy + own, 0, 1)
        liked, other = (0 if sign > 0 else 2), (truth + generator.integers(1, 3, truth.shape)) % 3
        wrong = np.where((truth != liked) & (generator.random(truth.shape) < 0.8), liked, other)
        answers.append([str(code) for code in np.where(right, truth, wrong)])
    return [str(code) for code in truth], answers[0], answers[1]
