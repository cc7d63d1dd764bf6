from __future__ import annotations

from collections import Counter

import pytest

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import family_for
from harness.metrics.family import point
from harness.score.baselines import fit

TARGETS: list[Value] = ["a"] * 60 + ["b"] * 30 + ["c"] * 10


def test_majority_is_the_most_common_answer() -> None:
    fitted = fit("label", TARGETS)
    assert fitted.majority() == "a"


def test_majority_of_numbers_is_their_mean_and_their_median_for_the_absolute_error() -> None:
    fitted = fit("number", [0.0, 0.25, 0.5, 1.0, 1.0, 1.0])
    assert fitted.majority() == fitted.majority("ccc") == 0.625
    assert fitted.majority("mae") == 0.5


def test_the_median_of_ages_is_what_stands_for_a_missing_answer() -> None:
    truth: list[Value] = [20, 30, 50, 70]
    fitted = fit("age", truth)
    assert fitted.majority("cs5") == 42.5
    spec = FieldSpec(kind="age", low=0, high=116)
    for metric in ("age_mae", "age_median_error", "decade_mae"):
        guess = fitted.majority(metric)
        assert guess == 40
        silent, guessed = family_for(spec, truth, [None] * 4), family_for(spec, truth, [guess] * 4)
        assert point(silent, metric) == point(guessed, metric)


def test_prior_draws_by_frequency_and_by_sample_alone() -> None:
    fitted = fit("label", TARGETS)
    ids = [f"s{i}" for i in range(5000)]
    drawn = list(fitted.draws(ids, seed=1))
    shares = Counter(drawn)
    assert abs(shares["a"] / 5000 - 0.6) < 0.03
    assert abs(shares["c"] / 5000 - 0.1) < 0.02
    again = dict(zip(reversed(ids), fitted.draws(ids[::-1], seed=1), strict=True))
    assert [again[i] for i in ids] == drawn
    assert list(fitted.draws(ids, seed=2)) != drawn


def test_nothing_to_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit("label", [])
