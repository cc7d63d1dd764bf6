"""Number metrics against audmetric and scipy, precision, and what a missing answer costs."""

from __future__ import annotations

import math
import warnings

import audmetric
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.metrics import family_for, number_family, point

grid = st.integers(-8, 8).map(lambda step: step / 8)
pairs = st.lists(st.tuples(grid, grid), min_size=2, max_size=40)
loose = st.lists(st.tuples(grid, st.one_of(grid, st.none())), min_size=2, max_size=40)


def metric(
    name: str, truth: list[float], predicted: list[float | None], low: float = -1, high: float = 1
) -> float:
    return point(number_family(truth, predicted, low=low, high=high), name)


@given(pairs)
def test_agrees_with_audmetric_scipy_and_numpy(rows: list[tuple[float, float]]) -> None:
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    x, y = np.array(truth), np.array(predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ccc = audmetric.concordance_cc(x, y)
        pcc = stats.pearsonr(x, y).statistic
    if not (x == x[0]).all() or not (y == y[0]).all():  # two constants: below
        assert metric("ccc", truth, list(predicted)) == pytest.approx(ccc, abs=1e-9)
    assert metric("pcc", truth, list(predicted)) == pytest.approx(pcc, abs=1e-9, nan_ok=True)
    assert metric("mae", truth, list(predicted)) == pytest.approx(np.abs(x - y).mean())
    assert metric("rmse", truth, list(predicted)) == pytest.approx(
        audmetric.mean_squared_error(x, y) ** 0.5
    )
    same = sum((a > 0) - (a < 0) == (b > 0) - (b < 0) for a, b in rows)
    assert metric("sagr", truth, list(predicted)) == pytest.approx(same / len(rows))


def test_ccc_is_the_population_form() -> None:
    assert metric("ccc", [0, 1, 2], [0, 1, 1], 0, 2) == pytest.approx(2 / 3)
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 3.0, 6.0])

    def by_hand(ddof: int) -> float:
        cov = np.cov(x, y, ddof=ddof)
        return float(2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (x.mean() - y.mean()) ** 2))

    ours = metric("ccc", x.tolist(), y.tolist(), 0, 9)
    assert ours == pytest.approx(by_hand(0))
    assert abs(ours - by_hand(1)) > 0.01


CONSTANT = [
    # truth, predicted, ccc, pcc is nan
    ([0.1, 0.5, 0.9], [0.3, 0.3, 0.3], 0.0),
    ([0.3, 0.3, 0.3], [0.1, 0.5, 0.9], 0.0),
    ([0.1, 0.1, 0.1], [0.7, 0.7, 0.7], 0.0),
    ([0.7, 0.7, 0.7], [0.7, 0.7, 0.7], math.nan),
]


@pytest.mark.parametrize(("truth", "predicted", "ccc"), CONSTANT)
def test_constants(truth: list[float], predicted: list[float | None], ccc: float) -> None:
    assert metric("ccc", truth, predicted) == pytest.approx(ccc, nan_ok=True)
    assert math.isnan(metric("pcc", truth, predicted))


def test_fewer_than_two_samples_have_no_correlation() -> None:
    for truth in ([], [0.5]):
        assert math.isnan(metric("ccc", truth, list(truth)))
        assert math.isnan(metric("pcc", truth, list(truth)))
    assert math.isnan(metric("rmse", [], []))
    assert metric("rmse", [0.5], [0.25]) == 0.25


def test_moments_far_from_zero_keep_their_digits() -> None:
    generator = np.random.default_rng(3)
    x = 1e8 + generator.normal(size=2000)
    y = x + generator.normal(size=2000)
    shifted = metric("ccc", (x - 1e8).tolist(), (y - 1e8).tolist(), -99, 99)
    assert metric("ccc", x.tolist(), y.tolist(), 0, 1e9) == pytest.approx(shifted, abs=1e-6)


def test_zero_agrees_only_with_zero_and_neutral_moves_it() -> None:
    assert metric("sagr", [0.0, 0.0, 0.5, -0.5], [0.0, 0.1, 0.0, -0.1]) == 0.5
    family = number_family([4.0, 6.0], [4.5, 4.5], low=1, high=9, neutral=5)
    assert point(family, "sagr") == 0.5
    # A scale on one side of its neutral point has no signs to disagree in.
    assert math.isnan(point(number_family([4.0], [6.0], low=1, high=9), "sagr"))


def test_a_missing_answer_costs_the_largest_error_of_the_scale() -> None:
    truth, predicted = [0.5, -1.0, 0.0], [0.5, None, 0.5]
    assert metric("mae", truth, predicted) == pytest.approx((0 + 2 + 0.5) / 3)
    assert metric("rmse", truth, predicted) == pytest.approx(math.sqrt((4 + 0.25) / 3))
    family = number_family(truth, predicted, low=-1, high=1)
    assert point(family, "mae", select=family.answered) == pytest.approx(0.25)
    assert metric("sagr", [0.0, 0.5], [None, 0.2]) == 0.5


def test_strict_correlation_is_coverage_times_that_of_the_answered() -> None:
    truth = [0.1, 0.4, -0.3, 0.9, 0.2, -0.8]
    for sign in (1, -1):
        predicted = [None if t < -0.5 else sign * t / 2 for t in truth]
        family = number_family(truth, predicted, low=-1, high=1)
        for name in ("ccc", "pcc"):
            answered = point(family, name, select=family.answered)
            assert answered * sign > 0
            expected = answered * 5 / 6 if sign == 1 else answered
            assert point(family, name) == pytest.approx(expected)


@given(loose)
def test_silence_never_pays(rows: list[tuple[float, float | None]]) -> None:
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    family = number_family(truth, predicted, low=-1, high=1)
    silent = number_family(truth, [*predicted[:-1], None], low=-1, high=1)
    for name in ("mae", "rmse"):
        assert point(silent, name) >= point(family, name) - 1e-12
    assert point(silent, "sagr") <= point(family, "sagr") + 1e-12
    for name in ("ccc", "pcc"):
        strict = point(family, name)
        answered = point(family, name, select=family.answered)
        assert math.isnan(strict) or -1 <= strict <= 1
        if not (math.isnan(strict) or math.isnan(answered)):
            assert strict <= answered + 1e-12


def test_no_answer_at_all_scores_as_a_constant_would() -> None:
    truth = [0.1, -0.4, 0.8]
    assert metric("ccc", truth, [None] * 3) == 0.0
    assert metric("pcc", truth, [None] * 3) == 0.0
    assert metric("sagr", truth, [None] * 3) == 0.0
    family = number_family(truth, [None] * 3, low=-1, high=1)
    assert math.isnan(point(family, "ccc", select=family.answered))


@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf, 1e300, 1.01, -7.0])
def test_a_prediction_off_the_scale_is_no_answer(wild: float) -> None:
    family = number_family([0.5, 0.1], [wild, 0.1], low=-1, high=1)
    assert family.answered.tolist() == [False, True]
    assert np.isfinite(family.rows()).all()


@given(loose, st.integers(0, 2**32 - 1))
def test_order_does_not_matter_and_rows_add_up(
    rows: list[tuple[float, float | None]], seed: int
) -> None:
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    family = number_family(truth, predicted, low=-1, high=1)
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = number_family(
        [truth[i] for i in order], [predicted[i] for i in order], low=-1, high=1
    )
    table = family.rows()
    for name in family.metrics:
        whole = point(family, name)
        assert point(shuffled, name) == pytest.approx(whole, nan_ok=True, abs=1e-9)
        parts = table[:1].sum(axis=0) + table[1:].sum(axis=0)
        assert family.value(name, parts) == pytest.approx(whole, nan_ok=True, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: number_family([2.0], [0.0], low=-1, high=1), "sample 0"),
        (lambda: number_family([math.nan], [0.0], low=-1, high=1), "nan"),
        (lambda: number_family([0.0], [0.0], low=1, high=1), "empty"),
        (lambda: number_family([0.0], [], low=0, high=1), "1 truths"),
        (lambda: point(number_family([0.0], [0.0], low=0, high=1), "uar"), "uar"),
    ],
)
def test_misuse_names_the_thing(call: object, words: str) -> None:
    with pytest.raises(HarnessError, match=words) as caught:
        call()  # type: ignore[operator]
    assert caught.value.hint


def test_a_slice_of_equal_predictions_is_seen_as_constant() -> None:
    """Away from the centre the moments of a constant cancel to rounding noise, not to 0."""
    generator = np.random.default_rng(0)
    for value in generator.uniform(-1, 1, size=50):
        truth = generator.uniform(-1, 1, size=40)
        predicted = np.where(np.arange(40) < 17, value, generator.uniform(-1, 1, size=40))
        family = number_family(truth.tolist(), predicted.tolist(), low=-1, high=1)
        alike = np.arange(40) < 17
        assert math.isnan(point(family, "pcc", select=alike))
        assert point(family, "ccc", select=alike) == 0.0


def test_within_counts_answers_at_most_the_tolerance_away() -> None:
    truth, said = [30.0, 30.0, 30.0, 30.0, 0.3], [33.0, 33.5, 27.0, None, 0.1]
    spec = FieldSpec(kind="number", low=0, high=100, tolerance=3, metrics=("mae", "within"))
    family = family_for(spec, truth, said)
    assert point(family, "within") == pytest.approx(3 / 5)
    assert {"within", "mae", "ccc"} <= set(family.metrics)
    small = spec.model_copy(update={"high": 1.0, "tolerance": 0.2})
    assert point(family_for(small, [0.3], [0.1]), "within") == 1, (
        "the rounding of .3 - .1 is no error"
    )


def test_what_within_needs_changes_no_row_of_fields_that_do_not_show_it() -> None:
    plain = family_for(FieldSpec(kind="number", tolerance=0.3), [0.1, 0.5], [0.2, None])
    assert plain.rows().shape == (2, 11) and "within" not in plain.metrics
    with pytest.raises(HarnessError, match="name it among the field's metrics"):
        point(plain, "within")
