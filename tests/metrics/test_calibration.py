"""Calibration against scikit-learn and cases made by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.core.errors import HarnessError
from harness.metrics.calibration import (
    FLOOR,
    CalibrationFamily,
    calibration_family,
    expected_error,
    reliability,
)


def family(count: int = 200, classes: int = 5, seed: int = 0) -> CalibrationFamily:
    rng = np.random.default_rng(seed)
    logprobs = rng.normal(-3, 2, (count, classes))
    logprobs -= np.logaddexp.reduce(logprobs, axis=1, keepdims=True)
    logprobs += np.log(rng.uniform(0.3, 1.0, (count, 1)))  # some mass lies outside the labels
    return calibration_family(logprobs, rng.integers(0, classes, count).tolist())


def values(found: CalibrationFamily) -> dict[str, float]:
    totals = found.rows().sum(axis=0)
    return {m: float(found.value(m, totals)) for m in found.metrics}


@pytest.mark.parametrize("classes", [2, 5])
def test_brier_and_log_loss_are_those_of_scikit_learn(classes: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found = family(classes=classes)
    labels = list(range(classes))
    shares, truth = found.probabilities, found.truth
    assert values(found)["log_loss"] == pytest.approx(
        metrics.log_loss(truth, shares, labels=labels)
    )
    assert values(found)["brier"] == pytest.approx(
        metrics.brier_score_loss(truth, shares, labels=labels, scale_by_half=False)
        if classes > 2
        else 2 * metrics.brier_score_loss(truth, shares[:, 1])
    )


def test_a_case_made_by_hand() -> None:
    logs = np.log([[0.4, 0.1], [0.3, 0.3], [0.05, 0.15]])
    found = calibration_family(logs, [0, 1, 0])
    assert found.mass.tolist() == pytest.approx([0.5, 0.6, 0.2])
    assert found.probabilities.tolist() == [
        pytest.approx([0.8, 0.2]),
        pytest.approx([0.5, 0.5]),
        pytest.approx([0.25, 0.75]),
    ]
    told = values(found)
    assert told["captured_mass"] == pytest.approx(1.3 / 3)
    assert told["brier"] == pytest.approx((2 * 0.2**2 + 2 * 0.5**2 + 2 * 0.75**2) / 3)
    assert told["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.5) + math.log(0.25)) / 3)
    assert found.right.tolist() == [True, False, False]  # of equals the first is the answer
    assert found.confidence.tolist() == pytest.approx([0.8, 0.5, 0.75])


def test_the_log_loss_has_a_floor() -> None:
    found = calibration_family(np.array([[-0.0, -2000.0]]), [1])
    assert values(found)["log_loss"] == pytest.approx(-math.log(FLOOR))
    assert values(found)["brier"] == pytest.approx(2.0)


def test_probabilities_far_below_what_a_float_holds_are_renormalised() -> None:
    found = calibration_family(np.array([[-1000.0, -1001.0]]), [0])
    assert found.probabilities[0, 0] == pytest.approx(1 / (1 + math.exp(-1)))
    assert found.mass[0] == 0.0


@settings(deadline=None)
@given(
    logs=arrays(float, (4, 3), elements=st.floats(-60, 0)),
    truth=st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_bounds(logs: np.ndarray[tuple[int, int], np.dtype[np.float64]], truth: list[int]) -> None:
    found = calibration_family(logs, truth)
    told = values(found)
    assert found.probabilities.sum(axis=1) == pytest.approx(1)
    assert 0 <= told["brier"] <= 2 + 1e-9 and told["log_loss"] >= 0
    assert 0 <= told["captured_mass"] <= 1
    for scheme in ("equal-width", "equal-mass"):
        bins = reliability(found.confidence, found.right, scheme=scheme)
        assert sum(b.n for b in bins) == 4
        assert 0 <= expected_error(bins) <= 1


def test_bins_of_equal_width_hold_their_upper_edge() -> None:
    bins = reliability(np.array([0.5, 0.51, 0.75, 1.0]), np.array([1, 0, 1, 1], bool), bins=4)
    assert [(b.low, b.high, b.n) for b in bins] == [(0.25, 0.5, 1), (0.5, 0.75, 2), (0.75, 1.0, 1)]
    assert bins[1].confidence == pytest.approx(0.63) and bins[1].accuracy == 0.5
    assert expected_error(bins) == pytest.approx((0.5 + 2 * 0.13 + 0.0) / 4)


def test_bins_of_equal_mass_hold_equally_many() -> None:
    rng = np.random.default_rng(1)
    confidence, right = rng.uniform(0.2, 1, 31), rng.random(31) < 0.5
    bins = reliability(confidence, right, scheme="equal-mass")
    assert [b.n for b in bins] == [3] + [2] * 14
    assert all(a.high <= b.low for a, b in pairwise(bins))
    shuffled = rng.permutation(31)
    assert reliability(confidence[shuffled], right[shuffled], scheme="equal-mass") == tuple(bins)


def test_a_model_that_means_what_it_says_has_a_small_error() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.3, 1, 40_000)
    right = rng.random(40_000) < confidence
    assert expected_error(reliability(confidence, right)) < 0.015
    assert expected_error(reliability(confidence, right, scheme="equal-mass")) < 0.015
    surer = np.minimum(confidence + 0.2, 1.0)
    assert expected_error(reliability(surer, right)) == pytest.approx(
        float(np.mean(surer - confidence)), abs=0.02
    )


def test_the_error_is_the_mean_gap_written_out() -> None:
    found = family(500, 4, seed=3)
    width, total = 1 / 15, 0.0
    for k in range(15):
        within = (found.confidence > k * width) & (found.confidence <= (k + 1) * width)
        if within.any():
            gap = found.right[within].mean() - found.confidence[within].mean()
            total += within.sum() * abs(gap)
    assert expected_error(reliability(found.confidence, found.right)) == pytest.approx(total / 500)


def test_without_samples_there_is_nothing() -> None:
    empty = calibration_family(np.zeros((0, 3)), [])
    assert all(math.isnan(v) for v in values(empty).values())
    assert math.isnan(expected_error(reliability(empty.confidence, empty.right)))
    assert reliability(empty.confidence, empty.right, scheme="equal-mass") == ()


@pytest.mark.parametrize(
    ("logs", "truth", "said"),
    [
        (np.zeros((2, 3)), [0], "shape"),
        (np.zeros((1, 3)), [3], "not among those scored"),
        (np.array([[-np.inf, -np.inf]]), [0], "finite"),
        (np.array([[np.nan, 0.0]]), [0], "finite"),
    ],
)
def test_what_cannot_be_is_said(logs: np.ndarray, truth: list[int], said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        calibration_family(logs, truth)
