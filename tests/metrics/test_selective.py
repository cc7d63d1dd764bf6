"""Risk against coverage by brute force over all orders of equal confidences, by scikit-learn, and its properties."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.metrics.selective import (
    accuracy_at,
    augrc,
    aurc,
    coarser,
    curve,
    excess_aurc,
    levels,
)

NONE = -math.inf
samples = st.lists(
    st.tuples(st.sampled_from([NONE, 0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=6
)


def by_brute_force(pairs: list[tuple[float, bool]]) -> tuple[float, float, dict[float, float]]:
    """AURC, AUGRC and accuracies as exact means over every order of the samples that the confidences allow."""
    risks, general, accuracies, orders = Fraction(0), Fraction(0), dict.fromkeys((0.5, 0.8, 1.0), Fraction(0)), 0  # fmt: skip
    n = len(pairs)
    for order in permutations(pairs):
        if any(a[0] < b[0] for a, b in pairwise(order)):
            continue
        orders += 1
        wrong = [sum(w for _, w in order[:k]) for k in range(1, n + 1)]
        risks += sum((Fraction(w, k) for k, w in enumerate(wrong, 1)), Fraction(0)) / n
        general += Fraction(sum(wrong), n * n)
        for coverage in accuracies:
            k = math.ceil(coverage * n - 1e-9)
            accuracies[coverage] += 1 - Fraction(wrong[k - 1], k)
    told = {coverage: float(total / orders) for coverage, total in accuracies.items()}
    return float(risks / orders), float(general / orders), told


@settings(max_examples=60, deadline=None)
@given(samples)
def test_all_numbers_are_means_over_the_orders_of_equal_confidences(
    pairs: list[tuple[float, bool]],
) -> None:
    found = levels(np.array([c for c, _ in pairs]), np.array([w for _, w in pairs]))
    area, general, accuracies = by_brute_force(pairs)
    assert float(aurc(found.counts)) == pytest.approx(area, abs=1e-12)
    assert float(augrc(found.counts)) == pytest.approx(general, abs=1e-12)
    for coverage, accuracy in accuracies.items():
        assert float(accuracy_at(found.counts, coverage)) == pytest.approx(accuracy, abs=1e-12)
    best = by_brute_force([(float(not wrong), wrong) for _, wrong in pairs])[0]
    assert float(excess_aurc(found.counts)) == pytest.approx(area - best, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(samples, st.floats(0.1, 5.0))
def test_only_the_order_of_confidences_counts_and_the_best_order_has_no_excess(
    pairs: list[tuple[float, bool]], factor: float
) -> None:
    sure, wrong = np.array([c for c, _ in pairs]), np.array([w for _, w in pairs])
    found = levels(sure, wrong)
    assert np.array_equal(levels(sure * factor, wrong).counts, found.counts)
    assert float(excess_aurc(found.counts)) >= -1e-12
    assert float(excess_aurc(levels(1.0 - wrong, wrong).counts)) == pytest.approx(0.0, abs=1e-12)
    flat = levels(np.zeros(len(pairs)), wrong)
    assert float(aurc(flat.counts)) == pytest.approx(wrong.mean()), "it says nothing"
    assert curve(found.counts, points=50)[-1] == pytest.approx((1.0, wrong.mean()))


def test_generalised_area_is_that_of_the_area_under_the_receiver_curve() -> None:
    """Traub et al. 2024, proposition 3.3: AUGRC = (1 - AUROC) r (1 - r) + r² / 2, up to terms of 1/n."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    sure = rng.uniform(size=4000)
    wrong = rng.uniform(size=4000) > sure
    found, rate = levels(sure, wrong), wrong.mean()
    roc = metrics.roc_auc_score(~wrong, sure)
    assert float(augrc(found.counts)) == pytest.approx(
        (1 - roc) * rate * (1 - rate) + rate**2 / 2, abs=1 / 4000
    )
    best = rate + (1 - rate) * math.log(1 - rate)  # the limit that Geifman et al. give
    assert float(aurc(found.counts) - excess_aurc(found.counts)) == pytest.approx(best, abs=1e-3)


def test_fewer_levels_keep_samples_and_nearly_the_area() -> None:
    rng = np.random.default_rng(5)
    sure = rng.uniform(size=3000).round(3)
    found = levels(sure, rng.uniform(size=3000) > sure)
    rough = coarser(found, 100)
    assert rough.confidence.size == 100 and rough.counts.sum() == 3000
    assert rough.counts.sum(axis=0).tolist() == found.counts.sum(axis=0).tolist()
    assert np.bincount(rough.codes).tolist() == rough.counts.sum(axis=1).tolist()
    assert float(aurc(rough.counts)) == pytest.approx(float(aurc(found.counts)), abs=2e-3)
    assert coarser(rough, 100) is rough


@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000, 100_000])
def test_one_level_of_many_after_a_right_one_is_the_sum_of_its_ranks(n: int) -> None:
    """One right answer, then n wrong ones of equal confidence: the risks are 0, 1/2, 2/3, ... n/(n+1)."""
    told = aurc(np.array([[1.0, 0.0], [0.0, n]]))
    risks = (Fraction(k, k + 1) for k in range(1, n + 1)) if n < 2000 else (k / (k + 1) for k in range(1, n + 1))  # fmt: skip
    assert float(told) == pytest.approx(float(sum(risks)) / (n + 1), abs=1e-13)


def test_many_tables_at_once_and_empty_levels() -> None:
    table = np.array([[[3, 1], [0, 0], [2, 2]], [[0, 0], [1, 0], [0, 4]]], dtype=float)
    for one, value in zip(table, aurc(table), strict=True):
        alone = one[one.sum(axis=1) > 0]
        assert float(value) == pytest.approx(float(aurc(alone)))
    assert np.isnan(aurc(np.zeros((2, 2))))


@pytest.mark.parametrize(("sure", "wrong"), [([math.nan], [True]), ([0.5, 0.5], [True]), ([math.inf], [False])])  # fmt: skip
def test_what_is_no_confidence_is_refused(sure: list[float], wrong: list[bool]) -> None:
    with pytest.raises(HarnessError):
        levels(np.array(sure), np.array(wrong))
