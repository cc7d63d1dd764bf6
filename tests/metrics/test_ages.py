"""Metrics of ages against numpy and scipy, and what a missing answer counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.core.field import FieldSpec
from harness.metrics import family_for
from harness.metrics.family import point

NAMES = (
    "age_mae", "age_median_error", "cs3", "cs5", "cs10", "age_bias", "age_slope", "whipple", "decade_mae",
)  # fmt: skip
SPEC = FieldSpec(kind="age", low=0, high=116, metrics=NAMES)
ages = st.integers(0, 58)
pairs = st.lists(st.tuples(ages, ages), min_size=1, max_size=40)


def metric(name: str, truth: list[int], said: list[int | None]) -> float:
    return point(family_for(SPEC, truth, said), name)


@given(pairs)
def test_agrees_with_numpy_and_scipy(rows: list[tuple[int, int]]) -> None:
    truth, said = [t for t, _ in rows], [y for _, y in rows]
    error = np.abs(np.array(truth) - np.array(said))
    assert metric("age_mae", truth, list(said)) == pytest.approx(error.mean())
    assert metric("age_median_error", truth, list(said)) == pytest.approx(np.median(error))
    for years in (3, 5, 10):
        assert metric(f"cs{years}", truth, list(said)) == pytest.approx((error <= years).mean())
    bias = float(np.mean(said) - np.mean(truth))
    assert metric("age_bias", truth, list(said)) == pytest.approx(bias, abs=1e-9)
    decades = [error[np.array(truth) // 10 == d].mean() for d in {t // 10 for t in truth}]
    assert metric("decade_mae", truth, list(said)) == pytest.approx(np.mean(decades))
    slope = metric("age_slope", truth, list(said))
    if len(set(truth)) > 1:
        assert slope == pytest.approx(stats.linregress(truth, said).slope, abs=1e-9)
    else:
        assert math.isnan(slope)


def test_whipple_by_its_definition() -> None:
    even = list(range(23, 63))
    assert metric("whipple", even, list(even)) == pytest.approx(100)
    assert metric("whipple", [30, 40, 41], [30, 40, 40]) == pytest.approx(500)
    assert math.isnan(metric("whipple", [10, 70], [10, 70]))


def test_a_missing_answer_has_the_error_of_the_median() -> None:
    truth: list[int] = [20, 30, 70]
    assert metric("age_mae", truth, [20, 30, None]) == pytest.approx(40 / 3)
    assert metric("decade_mae", truth, [20, 30, None]) == pytest.approx(40 / 3)
    assert metric("cs10", truth, [20, 30, None]) == pytest.approx(2 / 3)
    assert metric("age_bias", truth, [22, 34, None]) == pytest.approx(3)


def test_a_regression_to_the_mean_has_a_slope_below_one() -> None:
    truth = list(range(10, 90))
    said: list[int | None] = [round(50 + 0.5 * (t - 50)) for t in truth]
    assert metric("age_slope", truth, said) == pytest.approx(0.5, abs=0.02)
    assert metric("age_bias", truth, said) == pytest.approx(0, abs=0.5)
