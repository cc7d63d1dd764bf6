"""Populations with a known UAR and UF1, drawn again and again; for the tests and the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.metrics import label_family
from harness.stats import ClusterTotals, Method, cluster_totals, resamples
from harness.stats.bounds import bca_bounds, expanded_bounds, percentile_bounds, t_bounds
from harness.stats.jackknife import left_out

Floats = NDArray[np.float64]

METHODS: tuple[Method, ...] = ("percentile", "expanded", "bca", "t")

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
    """UAR and UF1 of the population."""
    hits, sizes, named = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return {
        "uar": float(np.mean(hits / sizes)),
        "uf1": float(np.mean(2 * hits / (sizes + named))),
    }


def simulated_coverage(
    population: str,
    *,
    clusters: int,
    within: int = 1,
    by_sample: bool = False,
    methods: Sequence[Method] = ("percentile",),
    repetitions: int,
    draws: int,
    seed: int = 7,
) -> dict[tuple[Method, str], float]:
    """Share of 95% intervals that hold the true value, by method and metric.

    Each of the ``within`` samples of a cluster repeats the cluster's own (truth, answer) half of
    the time, so that samples of a cluster are alike. ``by_sample`` resamples without regard to it.
    """
    table = joint(*POPULATIONS[population])
    classes, wanted = table.shape[0], true_values(table)
    names = [str(code) for code in range(classes)]
    value = label_family(names, names).value
    generator = np.random.default_rng(seed)
    held = {(method, name): 0 for method in methods for name in wanted}
    unit = None if by_sample else np.repeat(np.arange(clusters), within)
    for repetition in range(repetitions):
        cells = generator.choice(table.size, size=(clusters, within), p=table.ravel())
        alike = generator.random(cells.shape) < 0.5
        truth, answer = np.divmod(np.where(alike, cells[:, :1], cells).ravel(), classes)
        rows = np.zeros((truth.size, classes * (classes + 1)))
        rows[np.arange(truth.size), truth * (classes + 1) + answer] = 1.0
        groups = cluster_totals(rows, unit)
        totals = np.concatenate(list(resamples(groups, draws=draws, seed=repetition)))
        for name, true in wanted.items():
            for method in methods:
                low, high = _bounds(method, groups, partial(value, name), totals)
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
        found = t_bounds(left_out(groups, value), clusters=groups.clusters, level=0.95)
        return found or (np.nan, np.nan)
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
