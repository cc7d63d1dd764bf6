"""The alternative annotator test against scipy and statsmodels, and raters of known accuracy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from harness.core.errors import HarnessError
from harness.stats.alternative import alternative_test, signed_rank_p
from harness.stats.icc import icc_rows, icc_value
from harness.stats.multiple import benjamini_yekutieli


def raters_of(accuracy: list[float], items: int, seed: int) -> list[list[int]]:
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 4, items)
    return [
        np.where(draw.random(items) < a, truth, (truth + draw.integers(1, 4, items)) % 4).tolist()
        for a in accuracy
    ]


@pytest.mark.parametrize("numeric", [False, True])
def test_as_scipy_and_statsmodels_have_it(numeric: bool) -> None:
    *humans, model = raters_of([0.6, 0.7, 0.8, 0.75, 0.5, 0.72], 80, seed=3)
    humans[1][:20] = [None] * 20  # type: ignore[call-overload]
    found = alternative_test(
        {f"r{k}": own for k, own in enumerate(humans)}, model, numeric=numeric, epsilon=0.15
    )
    p_values, rho = [], []
    for j, own in enumerate(humans):
        differences, wins = [], []
        for i in range(80):
            others = [h[i] for k, h in enumerate(humans) if k != j and h[i] is not None]
            if own[i] is None or not others:
                continue
            if numeric:
                a, b = (-np.sqrt(np.mean((x - np.array(others)) ** 2)) for x in (model[i], own[i]))
            else:
                a, b = (np.mean(np.array(others) == x) for x in (model[i], own[i]))
            wins.append(a >= b)
            differences.append(int(b >= a) - int(a >= b))
        p_values.append(ttest_1samp(differences, 0.15, alternative="less").pvalue)
        rho.append(np.mean(wins))
    assert [s.p for s in found.seats] == pytest.approx(p_values)
    rejected, adjusted, _, _ = multipletests(p_values, alpha=0.05, method="fdr_by")
    assert [s.adjusted for s in found.seats] == pytest.approx(adjusted)
    assert found.winning_rate == pytest.approx(rejected.mean())
    assert found.advantage == pytest.approx(np.mean(rho))


def test_few_items_take_the_exact_signed_rank_test() -> None:
    draw = np.random.default_rng(5)
    values = draw.integers(-1, 2, 9) - 0.2
    ranks = np.array(
        [np.mean(np.flatnonzero(np.isclose(np.sort(abs(values)), v)) + 1) for v in abs(values)]
    )
    seen = ranks[values > 0].sum()
    sums = [ranks[np.array(signs, dtype=bool)].sum() for signs in product([0, 1], repeat=9)]
    assert signed_rank_p(values) == pytest.approx(np.mean(np.array(sums) <= seen + 1e-9))
    *humans, model = raters_of([0.7, 0.7, 0.7, 0.7], 12, seed=1)
    found = alternative_test(
        dict(zip("abc", humans, strict=True)), model, numeric=False, epsilon=0.2
    )
    assert all(seat.items == 12 and 0 < seat.p <= 1 for seat in found.seats)


def test_a_better_model_passes_and_a_worse_one_does_not() -> None:
    for right, passes in ((0.95, True), (0.3, False)):
        *humans, model = raters_of([0.7] * 5 + [right], 100, seed=2)
        found = alternative_test(
            dict(zip("abcde", humans, strict=True)), model, numeric=False, epsilon=0.1
        )
        assert (found.winning_rate >= 0.5) is passes


def test_no_answer_agrees_with_nobody() -> None:
    *humans, model = raters_of([0.8] * 4, 40, seed=2)
    silent = alternative_test(
        dict(zip("abc", humans, strict=True)), [None] * 40, numeric=False, epsilon=0.1
    )
    assert silent.winning_rate == 0 and silent.unanswered == 40
    with pytest.raises(HarnessError, match="epsilon"):
        alternative_test(dict(zip("abc", humans, strict=True)), model, numeric=False, epsilon=1)
    with pytest.raises(HarnessError, match="two raters"):
        alternative_test({"a": humans[0]}, model, numeric=False, epsilon=0.1)


def test_benjamini_yekutieli_as_statsmodels() -> None:
    p = [0.001, 0.04, 0.03, 0.2, 0.9]
    assert benjamini_yekutieli([*p, float("nan")])[:5] == pytest.approx(
        multipletests(p, method="fdr_by")[1]
    )


def test_icc_from_mean_squares_of_statsmodels() -> None:
    draw = np.random.default_rng(0)
    table = draw.normal(size=(9, 1)) + draw.normal(size=(1, 4)) / 2 + draw.normal(size=(9, 4))
    n, k = table.shape
    items, judges = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)

    def rest(*factors: np.ndarray) -> float:
        columns = [np.ones(n * k)] + [f == v for f in factors for v in np.unique(f)[1:]]
        return float(OLS(table.ravel(), np.column_stack(columns).astype(float)).fit().ssr)

    whole = rest(items, judges)
    bms, jms = (rest(judges) - whole) / (n - 1), (rest(items) - whole) / (k - 1)
    ems = whole / ((n - 1) * (k - 1))
    total = icc_rows(table).sum(axis=0)[None]
    one = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)
    assert icc_value("ICC(2,1)", total)[0] == pytest.approx(one)
    assert icc_value("ICC(2,k)", total)[0] == pytest.approx((bms - ems) / (bms + (jms - ems) / n))
