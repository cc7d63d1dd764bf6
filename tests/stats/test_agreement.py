"""Agreement against scikit-learn, statsmodels and krippendorff, and the edges they trip over."""

from __future__ import annotations

import math
from collections.abc import Callable

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_of_statsmodels

from harness.core.errors import HarnessError
from harness.stats.agreement import (
    Agreement,
    cohen_kappa,
    fleiss_kappa,
    flips,
    krippendorff_alpha,
    spread,
)

RATINGS = np.random.default_rng(0).integers(0, 4, size=(5, 60))


def table(raters: int, *, missing: bool = False) -> st.SearchStrategy[list[list[int | None]]]:
    """Raters by items, a few categories."""
    one: st.SearchStrategy[int | None] = st.integers(0, 3)
    rating = one | st.none() if missing else one
    return st.integers(1, 15).flatmap(
        lambda n: st.lists(
            st.lists(rating, min_size=n, max_size=n), min_size=raters, max_size=raters
        )
    )


@given(table(2))
def test_cohen_is_that_of_scikit_learn(ratings: list[list[int]]) -> None:
    found = cohen_kappa(*ratings)
    if len({*ratings[0], *ratings[1]}) == 1:
        assert math.isnan(found.value) and "one category" in found.reason
    else:
        assert found.value == pytest.approx(cohen_kappa_score(*ratings))


@given(table(4))
def test_fleiss_is_that_of_statsmodels(ratings: list[list[int]]) -> None:
    found = fleiss_kappa(ratings)
    if len({value for rater in ratings for value in rater}) == 1:
        assert math.isnan(found.value) and "one category" in found.reason
    else:
        wanted = fleiss_of_statsmodels(aggregate_raters(np.array(ratings).T)[0])
        assert found.value == pytest.approx(wanted)


@given(table(3, missing=True), st.sampled_from(["nominal", "ordinal", "interval"]))
def test_alpha_is_that_of_krippendorff(ratings: list[list[int | None]], scale: str) -> None:
    found = krippendorff_alpha(ratings, scale=scale)  # type: ignore[arg-type]
    data = np.array([[np.nan if v is None else v for v in rater] for rater in ratings], dtype=float)
    pairable = data[:, (~np.isnan(data)).sum(axis=0) > 1]
    values = set(pairable[~np.isnan(pairable)])
    if len(values) < 2:
        assert math.isnan(found.value) and found.reason
    else:
        wanted = krippendorff.alpha(reliability_data=data, level_of_measurement=scale)
        assert found.value == pytest.approx(wanted, abs=1e-9)
        assert found.items == pairable.shape[1] == len(ratings[0]) - found.left_out


def test_words_do_as_well_as_codes() -> None:
    words = [[f"w{v}" for v in rater] for rater in RATINGS.tolist()]
    codes = RATINGS.tolist()
    assert fleiss_kappa(words).value == pytest.approx(fleiss_kappa(codes).value)
    assert krippendorff_alpha(words).value == pytest.approx(krippendorff_alpha(codes).value)


def test_items_without_all_ratings_are_left_out_and_counted() -> None:
    found = cohen_kappa(["a", None, "b", "a"], ["a", "b", "b", "b"])
    assert (found.items, found.left_out) == (3, 1)
    assert found.value == cohen_kappa(["a", "b", "a"], ["a", "b", "b"]).value
    assert fleiss_kappa([["a", None], ["a", "b"], ["b", "b"]]).left_out == 1


@pytest.mark.parametrize(
    "found",
    [
        cohen_kappa([], []),
        cohen_kappa([None], ["a"]),
        fleiss_kappa([[], []]),
        fleiss_kappa([[None], ["a"]]),
        krippendorff_alpha([["a", None], [None, "b"]]),
        krippendorff_alpha([[1.5, 1.5], [1.5, None]], scale="interval"),
    ],
)
def test_what_is_undefined_has_a_reason(found: Agreement) -> None:
    assert math.isnan(found.value) and found.reason


def test_flips_count_samples_and_pairs() -> None:
    found = flips([["a", "a", None], ["a", "b", None], ["a", "b", "c"]])
    assert found.samples == pytest.approx(2 / 3)
    assert found.pairs == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
    assert (found.n, found.repeats) == (3, 3)
    assert flips([["a", "b"]] * 4).samples == 0.0
    assert flips([["a"]]).reason == "asked once only" and flips([[], []]).reason == "no samples"
    assert math.isnan(flips([]).pairs)


def test_spread_over_seeds() -> None:
    found = spread([0.5, 0.7, math.nan, 0.6])
    assert (found.mean, found.variance, found.n) == (pytest.approx(0.6), pytest.approx(0.01), 3)
    assert (found.low, found.high, found.deviation) == (0.5, 0.7, pytest.approx(0.1))
    assert math.isnan(spread([0.5]).variance) and spread([0.5]).reason
    assert spread([]).n == 0 and spread([]).reason


@pytest.mark.parametrize(
    "call",
    [
        lambda: cohen_kappa(["a"], []),
        lambda: fleiss_kappa([["a"]]),
        lambda: flips([["a"], []]),
        lambda: krippendorff_alpha([["a", 1], [1, 1]], scale="interval"),
        lambda: krippendorff_alpha([[math.inf, 1], [1, 1]], scale="interval"),
    ],
)
def test_misuse_has_a_mend(call: Callable[[], object]) -> None:
    with pytest.raises(HarnessError) as caught:
        call()
    assert caught.value.hint
