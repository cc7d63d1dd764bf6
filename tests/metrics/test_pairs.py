"""Verification metrics against scikit-learn and by hand; missing answers, coarse answers, nothing to compare."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from harness.core.field import FieldSpec
from harness.metrics import family_for
from harness.metrics.pairs import BINS, bins_of
from harness.metrics.verification import best_threshold, curve

METRICS = ("pair_auroc", "pair_eer", "tar_at_far_10", "tar_at_far_1", "tar_at_far_01", "pair_accuracy")  # fmt: skip
SPEC = FieldSpec(kind="pairs", low=0, high=100, words={"yes": 100, "no": 0}, metrics=METRICS)


def scored(truth: list[bool], said: list[float | None]) -> dict[str, float]:
    family = family_for(SPEC, [100.0 if one else 0.0 for one in truth], said)
    totals = family.rows().sum(axis=0)
    return {name: float(family.value(name, totals)) for name in METRICS}


def crossing(far: np.ndarray, tar: np.ndarray) -> float:
    """By bisection on the interpolated curve."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        at = np.interp(middle, np.linspace(0, 1, far.size), far + tar)
        low, high = (middle, high) if at < 1 else (low, middle)
    return float(np.interp(high, np.linspace(0, 1, far.size), far))


pairs = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20).map(lambda v: v * 5.0)), min_size=4, max_size=60
).filter(lambda rows: len({same for same, _ in rows}) == 2)


@settings(max_examples=40)
@given(pairs)
def test_agree_with_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    truth, said = [same for same, _ in rows], [score for _, score in rows]
    found = scored(truth, list(said))
    far, tar, _ = roc_curve(truth, said, drop_intermediate=False)
    assert found["pair_auroc"] == pytest.approx(roc_auc_score(truth, said))
    assert found["pair_eer"] == pytest.approx(crossing(far, tar), abs=1e-6)
    for name, limit in (("10", 0.1), ("1", 0.01), ("01", 0.001)):
        assert found[f"tar_at_far_{name}"] == pytest.approx(max(tar[far <= limit]))
    exact = curve(np.array(said), np.array(truth))
    assert float(exact.auroc) == pytest.approx(found["pair_auroc"])
    assert float(exact.eer) == pytest.approx(found["pair_eer"])
    np.testing.assert_allclose(exact.far, far)
    np.testing.assert_allclose(exact.tar, tar)


@settings(max_examples=40)
@given(pairs, st.integers(0, 3))
def test_weights_are_repetitions(rows: list[tuple[bool, float]], seed: int) -> None:
    truth, said = np.array([s for s, _ in rows]), np.array([v for _, v in rows])
    times = np.random.default_rng(seed).integers(0, 3, truth.size)
    again = curve(np.repeat(said, times), np.repeat(truth, times))
    weighted = curve(said, truth, times.astype(float))
    both = [float(one) for one in (again.auroc, weighted.auroc, again.eer, weighted.eer)]
    assert both[0] == pytest.approx(both[1], nan_ok=True)
    assert both[2] == pytest.approx(both[3], nan_ok=True)


@settings(max_examples=40)
@given(pairs)
def test_the_best_threshold_is_the_best(rows: list[tuple[bool, float]]) -> None:
    truth, said = np.array([s for s, _ in rows]), np.array([v for _, v in rows])

    def right(threshold: float) -> float:
        return float(((said >= threshold) == truth).mean())

    best = right(best_threshold(said, truth))
    assert best == pytest.approx(max(right(t) for t in [*np.unique(said), said.max() + 1]))


def test_by_hand() -> None:
    found = scored([True, True, False, False], [90, 40, 60, 10])
    assert found["pair_auroc"] == 0.75
    assert found["pair_eer"] == 0.5
    assert found["tar_at_far_1"] == 0.5
    assert found["pair_accuracy"] == 0.5


def test_a_missing_answer_is_wrong_at_every_threshold() -> None:
    assert scored([True, False], [None, None])["pair_auroc"] == 0
    assert scored([True, True, False, False], [90, None, 10, 20])["pair_auroc"] == 0.5
    found = scored([True, True, False, False], [90, 80, 10, None])
    assert found["pair_auroc"] == 0.5
    assert found["tar_at_far_1"] == 0


def test_one_class_alone_has_no_value_and_one_answer_separates_nothing() -> None:
    assert all(math.isnan(v) for k, v in scored([True, True], [1, 2]).items() if k != "pair_accuracy")  # fmt: skip
    found = scored([True, False], [50, 50])
    assert (found["pair_auroc"], found["pair_eer"], found["tar_at_far_10"]) == (0.5, 0.5, 0)


def test_many_distinct_answers_share_bins_with_their_neighbours_and_cost_little() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(1500) < 0.5
    said = np.clip(rng.normal(45 + 15 * truth, 12), 0, 100)
    places = bins_of(said)
    assert places.max() < BINS and (np.diff(places[np.argsort(said)]) >= 0).all()
    found = scored(truth.tolist(), said.tolist())
    assert found["pair_auroc"] == pytest.approx(roc_auc_score(truth, said), abs=2e-4)
