"""Planned power against simulated power."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from harness.core.errors import HarnessError
from harness.metrics import label_family
from harness.stats.mcnemar import mcnemar
from harness.stats.paired import paired
from harness.stats.power import intraclass_correlation, minimum_difference, prospect, sample_size
from harness.stats.signflip import sign_flip
from tests.stats.simulate import two_models


def share(totals: np.ndarray) -> np.ndarray:
    """Right over count."""
    return totals[..., 1] / totals[..., 0]


@pytest.mark.parametrize(("n", "discordance"), [(300, 0.3), (1000, 0.15), (3067, 0.152)])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_mcnemar_finds_the_minimum_difference_as_often_as_planned(
    n: int, discordance: float, power: float
) -> None:
    wanted = minimum_difference(n, discordance=discordance, power=power).difference
    one_way = [(discordance + wanted) / 2, (discordance - wanted) / 2, 1 - discordance]
    counts = np.random.default_rng(0).multinomial(n, one_way, size=3000)
    found = np.mean([mcnemar(int(b), int(c)) <= 0.05 for b, c, _ in counts])
    assert power - 0.045 <= found <= power + 0.025  # the exact test is careful


def test_clusters_cost_what_the_design_effect_says() -> None:
    clusters, within, psi, rho, repetitions = 60, 10, 0.3, 0.2, 500
    plan = minimum_difference(600, discordance=psi, clusters=clusters, correlation=rho)
    assert plan.effective == pytest.approx(600 / 2.8)
    generator, unit = np.random.default_rng(0), np.repeat(np.arange(clusters), within)
    chances = [(psi + plan.difference) / 2, (psi - plan.difference) / 2, 1 - psi]
    found, correlations = 0, []
    for seed in range(repetitions):
        own = generator.choice([1, -1, 0], size=(clusters, 1), p=chances)
        each = generator.choice([1, -1, 0], size=(clusters, within), p=chances)
        gap = np.where(generator.random(each.shape) < math.sqrt(rho), own, each).ravel()
        correlations.append(intraclass_correlation(gap, unit.tolist()))
        rows_a, rows_b = (np.column_stack([np.ones(600), side * gap > 0]) for side in (1, -1))
        found += sign_flip(rows_a, rows_b, unit, share, flips=399, seed=seed).p <= 0.05
    assert np.mean(correlations) == pytest.approx(rho, abs=0.02)
    assert found / repetitions == pytest.approx(0.8, abs=0.05)


def test_uar_costs_what_the_rarest_class_costs() -> None:
    sizes, psi = [300, 60, 40], 0.3
    plan = minimum_difference(400, discordance=psi, class_sizes=sizes)
    assert plan.effective == pytest.approx(9 / (1 / 300 + 1 / 60 + 1 / 40))
    chances = [(psi + plan.difference) / 2, (psi - plan.difference) / 2, 1 - psi]
    truth = np.repeat(["a", "b", "c"], sizes)
    generator, found = np.random.default_rng(0), 0
    for seed in range(200):
        gap = generator.choice([1, -1, 0], size=400, p=chances)
        a, b = (
            label_family(truth.tolist(), np.where(side * gap > 0, truth, "?").tolist())
            for side in (1, -1)
        )
        found += (
            sign_flip(
                a.rows(), b.rows(), None, lambda t, f=a: f.value("uar", t), flips=399, seed=seed
            ).p
            <= 0.05
        )
    assert found / 200 == pytest.approx(0.8, abs=0.08)


@given(
    st.integers(30, 20_000),
    st.floats(0.05, 0.9),
    st.sampled_from([1.0, 4.0]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([None, [0.5, 0.3, 0.2]]),
)
def test_sample_size_turns_the_minimum_difference_round(
    n: int, discordance: float, size: float, correlation: float, shares: list[float] | None
) -> None:
    n -= n % 40  # whole clusters and whole classes
    if n == 0:
        n = 40
    plan = minimum_difference(
        n,
        discordance=discordance,
        clusters=int(n / size),
        correlation=correlation,
        class_sizes=None if shares is None else [round(n * share) for share in shares],
    )
    if math.isnan(plan.difference):
        assert plan.reason
        return
    back = sample_size(
        plan.difference,
        discordance=discordance,
        cluster_size=size,
        correlation=correlation,
        class_shares=shares,
    )
    assert n - 1 <= back.n <= n + 1


def test_more_samples_find_smaller_differences() -> None:
    found = [minimum_difference(n, discordance=0.2).difference for n in (50, 200, 800, 3200)]
    assert found == sorted(found, reverse=True)
    assert found[2] / found[3] == pytest.approx(2, abs=0.05)


def test_too_few_samples_have_a_reason() -> None:
    found = minimum_difference(5, discordance=0.2)
    assert math.isnan(found.difference) and "cannot show" in found.reason
    assert minimum_difference(500, discordance=0.0).reason


def test_prospect_of_a_finished_comparison() -> None:
    truth, first, second = two_models(
        np.random.default_rng(1), clusters=80, within=5, recalls=(0.62, 0.6)
    )
    a, b = label_family(truth, first), label_family(truth, second)
    found = paired(a, b, "accuracy", np.repeat(np.arange(80), 5), seed=1)
    seen = prospect(found)
    width = found.interval.high - found.interval.low
    assert seen.detectable == pytest.approx(width / 2 * (1 + 0.8416 / 1.96), rel=1e-3)
    assert seen.samples == pytest.approx(400 * (seen.detectable / found.difference) ** 2)
    same = prospect(paired(a, a, "accuracy", seed=1))
    assert math.isnan(same.detectable) and same.reason


def test_intraclass_correlation_is_that_of_the_analysis_of_variance() -> None:
    generator = np.random.default_rng(0)
    unit = generator.integers(0, 12, 90)
    value = generator.normal(size=12)[unit] + generator.normal(size=90)
    table = anova_lm(ols("y ~ C(g)", pd.DataFrame({"y": value, "g": unit})).fit())
    between, within = table["mean_sq"]
    sizes = np.bincount(unit)
    typical = (90 - (sizes**2).sum() / 90) / 11
    wanted = (between - within) / (between + (typical - 1) * within)
    assert intraclass_correlation(value, unit.tolist()) == pytest.approx(wanted)
    assert intraclass_correlation([1.0, -1.0] * 10, np.repeat(range(10), 2).tolist()) == 0
    for values, clusters in (([1.0], ["a"]), ([1.0, 2.0], ["a", "b"]), ([1.0] * 4, list("aabb"))):
        assert math.isnan(intraclass_correlation(values, clusters))


@pytest.mark.parametrize(
    "call",
    [
        lambda: minimum_difference(0, discordance=0.1),
        lambda: minimum_difference(10, discordance=0.1, clusters=11),
        lambda: minimum_difference(10, discordance=1.1),
        lambda: minimum_difference(10, discordance=0.1, class_sizes=[5, 4]),
        lambda: minimum_difference(10, discordance=0.1, power=1.0),
        lambda: sample_size(0.0, discordance=0.1),
        lambda: sample_size(0.2, discordance=0.1),
        lambda: sample_size(0.1, discordance=0.2, cluster_size=0.5),
        lambda: sample_size(0.1, discordance=0.2, class_shares=[0.5, 0.4]),
    ],
)
def test_misuse_has_a_mend(call: Callable[[], object]) -> None:
    with pytest.raises(HarnessError) as caught:
        call()
    assert caught.value.hint
