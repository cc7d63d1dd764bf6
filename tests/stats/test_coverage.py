"""Simulated coverage of the bootstrap: populations with a known UAR and UF1, drawn and re-drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.metrics import estimates, label_family
from harness.stats import bootstrap_many, small_sample_coverage

POPULATIONS: dict[str, tuple[list[float], list[float]]] = {
    # class shares, class recalls; errors fall evenly on the other classes
    "even": ([1 / 3, 1 / 3, 1 / 3], [0.6, 0.6, 0.6]),
    "skewed": ([0.5, 0.3, 0.2], [0.7, 0.6, 0.5]),
    "coarse": ([0.7, 0.15, 0.15], [0.85, 0.4, 0.5]),
    "four": ([0.4, 0.3, 0.2, 0.1], [0.7, 0.6, 0.5, 0.4]),
}


def joint(shares: list[float], recalls: list[float]) -> NDArray[np.float64]:
    """(C, C) probabilities of (truth, answer)."""
    count = len(shares)
    table = np.repeat((1 - np.array(recalls))[:, None] / (count - 1), count, axis=1)
    np.fill_diagonal(table, recalls)
    return np.array(shares)[:, None] * table


def true_values(table: NDArray[np.float64]) -> dict[str, float]:
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
    repetitions: int,
    draws: int,
) -> dict[str, float]:
    """Share of 95% intervals that hold the true value.

    Each of the ``within`` samples of a cluster repeats the cluster's own (truth, answer) half of
    the time, so that samples of a cluster are alike. ``by_sample`` resamples without regard to it.
    """
    table = joint(*POPULATIONS[population])
    wanted = true_values(table)
    generator = np.random.default_rng(7)
    held = dict.fromkeys(wanted, 0)
    unit = None if by_sample else np.repeat(np.arange(clusters), within)
    for repetition in range(repetitions):
        cells = generator.choice(table.size, size=(clusters, within), p=table.ravel())
        alike = generator.random(cells.shape) < 0.5
        truth, answer = np.divmod(np.where(alike, cells[:, :1], cells).ravel(), table.shape[0])
        family = label_family([str(t) for t in truth], [str(a) for a in answer])
        found = bootstrap_many(
            family.rows(), unit, estimates(family, list(wanted)), draws=draws, seed=repetition
        )
        for name, value in wanted.items():
            held[name] += found[name].low <= value <= found[name].high
    return {name: count / repetitions for name, count in held.items()}


@pytest.mark.parametrize("within", [1, 8])
def test_sixty_clusters_are_covered_about_as_promised(within: int) -> None:
    found = simulated_coverage("skewed", clusters=60, within=within, repetitions=400, draws=600)
    assert 0.90 <= found["uar"] <= 0.98
    assert 0.90 <= found["uf1"] <= 0.98


def test_resampling_alike_samples_one_by_one_promises_too_much() -> None:
    found = simulated_coverage(
        "skewed", clusters=60, within=8, by_sample=True, repetitions=200, draws=400
    )
    assert found["uar"] < 0.88


@pytest.mark.parametrize("clusters", [8, 17])
def test_the_printed_coverage_is_what_simulation_gives(clusters: int) -> None:
    printed = small_sample_coverage(clusters)
    assert printed is not None
    found = [
        share
        for population in POPULATIONS
        for share in simulated_coverage(
            population, clusters=clusters, repetitions=400, draws=400
        ).values()
    ]
    # Three standard errors of a share near .85 from 400 repetitions.
    assert min(found) == pytest.approx(printed[0], abs=0.055)
    assert max(found) == pytest.approx(printed[1], abs=0.055)


def test_the_table_is_read_downwards() -> None:
    assert small_sample_coverage(30) is None
    assert small_sample_coverage(23) == small_sample_coverage(17)
    low, high = small_sample_coverage(2) or (1.0, 1.0)
    assert low == 0.0 and high < 0.85
