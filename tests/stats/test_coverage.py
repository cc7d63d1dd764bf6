"""Simulated coverage of the intervals: populations with a known UAR and UF1, drawn and re-drawn."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics import label_family
from harness.stats.bounds import Method
from harness.stats.coverage import small_sample_coverage
from harness.stats.paired import paired
from tests.stats.simulate import (
    METHODS,
    POPULATIONS,
    UNEQUAL,
    leaning_models,
    members,
    simulated_coverage,
    simulated_numbers,
)


@pytest.mark.parametrize(("population", "within"), [("even", 1), ("skewed", 1), ("skewed", 8)])
@pytest.mark.parametrize("method", ["expanded", "bca"])
def test_fifty_clusters_are_covered_as_promised(
    population: str, within: int, method: Method
) -> None:
    """Ten samples or more expected of each class. ``auto`` takes BCa from 50 clusters on."""
    found = simulated_coverage(
        population, clusters=50, within=within, methods=[method], repetitions=900, draws=600, seed=1
    )
    for metric in ("uar", "uf1"):
        assert 0.93 <= found[method, metric] <= 0.97


@pytest.mark.parametrize("within", [1, 8])
def test_the_percentile_interval_covers_a_little_less(within: int) -> None:
    found = simulated_coverage("skewed", clusters=60, within=within, repetitions=400, draws=600)
    for metric in ("uar", "uf1"):
        assert 0.90 <= found["percentile", metric] <= 0.98


def test_resampling_alike_samples_one_by_one_promises_too_much() -> None:
    found = simulated_coverage(
        "skewed", clusters=60, within=8, by_sample=True, repetitions=200, draws=400
    )
    assert found["percentile", "uar"] < 0.88


@pytest.mark.parametrize(
    ("clusters", "methods"), [(8, ["percentile", "expanded"]), (17, ["expanded", "bca", "t"])]
)
def test_the_printed_coverage_is_what_simulation_gives(
    clusters: int, methods: list[Method]
) -> None:
    found = [
        simulated_coverage(
            population, clusters=clusters, methods=methods, repetitions=250, draws=400
        )
        for population in POPULATIONS
    ]
    for method in methods:
        printed = small_sample_coverage(clusters, method=method)
        assert printed is not None
        shares = [one[method, metric] for one in found for metric in ("uar", "uf1")]
        # Three standard errors of a share near .85 from 250 repetitions.
        assert min(shares) == pytest.approx(printed[0], abs=0.07)
        assert max(shares) == pytest.approx(printed[1], abs=0.07)


@pytest.mark.parametrize("clusters", [5, 8, 12, 17, 24, 29])
def test_expanded_is_no_worse_than_others_for_few_equal_clusters(clusters: int) -> None:
    """Within what simulation can tell; `unequal` is wider still, and taken where sizes are unequal."""
    worst = {m: (small_sample_coverage(clusters, method=m) or (0.0, 0.0))[0] for m in METHODS}
    assert worst["expanded"] >= max(worst[m] for m in METHODS if m != "unequal") - 0.01


def test_unequal_clusters_are_covered() -> None:
    """One instance of results/benchmarks/coverage.md: BCa, which other clusters get, covers about .86 here."""
    found = simulated_coverage(
        "coarse",
        clusters=50,
        within=UNEQUAL,
        methods=["unequal", "bca"],
        repetitions=250,
        draws=400,
    )
    assert found["unequal", "uar"] >= 0.92 > found["bca", "uar"]
    numbers = simulated_numbers(
        clusters=50, within=UNEQUAL, methods=["unequal"], repetitions=150, draws=400
    )
    assert min(numbers.values()) >= 0.91


def test_models_that_lean_to_different_classes_keep_the_level_and_gain_power() -> None:
    unit, found = members(60, 5), {0.0: [0, 0], 0.15: [0, 0]}
    for gap, alarms in found.items():
        generator = np.random.default_rng(1)
        for seed in range(150):
            truth, first, second = leaning_models(generator, unit, lean=0.25, gap=gap)
            a, b = label_family(truth, first), label_family(truth, second)
            one = paired(a, b, "uar", unit, seed=seed)
            swapped = paired(a, b, "uar", unit, test="sign-flip", flips=199, seed=seed)
            assert (one.p <= 0.05) == (one.interval.low > 0 or one.interval.high < 0)
            alarms[0] += one.p <= 0.05
            alarms[1] += swapped.p <= 0.05
    assert 0.01 <= found[0.0][0] / 150 <= 0.09
    assert found[0.15][0] > found[0.15][1]


def test_the_table_is_read_downwards() -> None:
    assert small_sample_coverage(30) is None
    assert small_sample_coverage(23) == small_sample_coverage(17)
    low, high = small_sample_coverage(2) or (1.0, 1.0)
    assert low == 0.0 and high < 0.85


@pytest.mark.bench
@pytest.mark.parametrize("clusters", [50, 100])
@pytest.mark.parametrize("within", [1, 8])
@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_the_automatic_choice_covers_in_a_full_simulation(
    population: str, within: int, clusters: int
) -> None:
    """5,000 repetitions: a share near .95 is known to .006. `auto` takes BCa from 50 clusters on."""
    found = simulated_coverage(
        population, clusters=clusters, within=within, methods=["bca"], repetitions=5000, draws=1000
    )
    for metric in ("uar", "uf1"):
        assert 0.92 <= found["bca", metric] <= 0.97, (metric, found)
