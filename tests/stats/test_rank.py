"""Rankings: order, what is tied, and how rarely chance tells equals apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.metrics import LabelFamily, label_family, number_family, point
from harness.stats.multiple import holm
from harness.stats.rank import rank

TRUTH = np.random.default_rng(0).choice(["a", "b", "c"], 400).tolist()


def model(recall: float, *, seed: int) -> LabelFamily:
    """Answers that are right with the chance ``recall``."""
    right = np.random.default_rng(seed).random(400) < recall
    return label_family(TRUTH, [t if r else "?" for t, r in zip(TRUTH, right, strict=True)])


def test_ties_are_what_the_samples_cannot_tell_apart() -> None:
    cells = {
        "low": model(0.4, seed=1),
        "high": model(0.75, seed=2),
        "near": model(0.72, seed=3),
        "middle": model(0.58, seed=4),
    }
    found = rank(cells, "uar", draws=500, flips=2000, seed=1)
    assert [row.name for row in found.rows] == ["high", "near", "middle", "low"]
    assert [row.place for row in found.rows] == [1, 2, 3, 4]
    assert [row.best for row in found.rows] == [1, 1, 3, 4]
    assert [row.ties for row in found.rows] == [("near",), ("high",), (), ()]
    for row in found.rows:
        assert row.value == point(cells[row.name], "uar")
        assert row.interval.low < row.value < row.interval.high
    assert len(found.pairs) == 6
    np.testing.assert_allclose([p.adjusted for p in found.pairs], holm([p.p for p in found.pairs]))
    assert all(p.difference >= 0 and p.test.startswith("t test") for p in found.pairs)
    assert found == rank(cells, "uar", draws=500, flips=2000, seed=1)


def test_accuracy_of_single_samples_is_ranked_by_mcnemar() -> None:
    found = rank({"x": model(0.5, seed=1), "y": model(0.7, seed=2)}, "accuracy", draws=200, seed=1)
    assert found.rows[0].name == "y" and found.pairs[0].test == "exact McNemar"


def test_small_errors_come_first_where_lower_is_better() -> None:
    truth = np.linspace(0, 1, 50)
    cells = {
        name: number_family(truth.tolist(), (truth * factor).tolist(), low=0, high=1)
        for name, factor in (("far", 0.5), ("near", 0.9))
    }
    found = rank(cells, "mae", lower_is_better=True, draws=200, flips=500, seed=1)
    assert [row.name for row in found.rows] == ["near", "far"]
    assert found.rows[1].best == 2


def test_undefined_cells_come_last_and_are_tied() -> None:
    truth = [0.1, 0.4, 0.6, 0.9] * 5
    cells = {
        "constant": number_family(truth, [0.5] * 20, low=0, high=1),
        "good": number_family(truth, truth, low=0, high=1),
    }
    found = rank(cells, "pcc", draws=200, flips=500, seed=1)
    assert [row.name for row in found.rows] == ["good", "constant"]
    assert math.isnan(found.rows[1].value) and found.rows[1].ties == ("good",)
    assert math.isnan(found.pairs[0].p) and math.isnan(found.pairs[0].adjusted)


@pytest.mark.parametrize("count", [0, 1])
def test_few_cells(count: int) -> None:
    cells = {"only": model(0.5, seed=1)} if count else {}
    found = rank(cells, "uar", draws=100, seed=1)
    assert len(found.rows) == count and found.pairs == ()


def test_equals_are_told_apart_no_more_often_than_promised() -> None:
    """Five equal models: the chance of any false difference stays near .05 after Holm."""
    apart = 0
    for seed in range(120):
        cells = {str(k): model(0.6, seed=1000 * seed + k) for k in range(5)}
        apart += any(p.adjusted <= 0.05 for p in rank(cells, "accuracy", draws=2, seed=seed).pairs)
    assert apart / 120 <= 0.11  # three standard errors above .05


def test_misuse_has_a_mend() -> None:
    other = label_family(TRUTH[::-1], TRUTH)
    with pytest.raises(HarnessError) as caught:
        rank({"x": model(0.5, seed=1), "y": other}, "uar", seed=1)
    assert caught.value.hint
