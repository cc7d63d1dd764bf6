from __future__ import annotations

from collections import Counter

import pytest

from harness.core.sample import Value
from harness.score.baselines import fit, predict

TARGETS: list[Value] = ["a"] * 60 + ["b"] * 30 + ["c"] * 10


def test_majority_is_the_most_common_answer() -> None:
    fitted = fit("label", TARGETS)
    assert predict("majority", fitted, ["x", "y"], seed=0) == ["a", "a"]


def test_majority_of_numbers_is_their_mean() -> None:
    fitted = fit("number", [0.0, 0.5, 1.0])
    assert fitted.majority() == 0.5


def test_prior_draws_by_frequency_and_by_sample_alone() -> None:
    fitted = fit("label", TARGETS)
    ids = [f"s{i}" for i in range(5000)]
    drawn = predict("prior", fitted, ids, seed=1)
    shares = Counter(drawn)
    assert abs(shares["a"] / 5000 - 0.6) < 0.03
    assert abs(shares["c"] / 5000 - 0.1) < 0.02
    again = dict(zip(reversed(ids), predict("prior", fitted, ids[::-1], seed=1), strict=True))
    assert [again[i] for i in ids] == drawn
    assert predict("prior", fitted, ids, seed=2) != drawn


def test_nothing_to_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit("label", [])
