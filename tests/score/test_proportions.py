"""Shares of samples that stand for themselves have Wilson intervals, others are resampled."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from harness.metrics import label_family, number_family
from harness.score.proportions import proportions

TRUTH = ["anger"] * 12 + ["fear"] * 8
METRICS = ("accuracy", "war", "uar", "recall[anger]", "recall[fear]", "f1[fear]")


@pytest.mark.parametrize("wrong", [0, 3, 12])
def test_wilson_of_accuracy_and_recall(wrong: int) -> None:
    said = [("fear" if i < wrong else label) for i, label in enumerate(TRUTH)]
    family = label_family(TRUTH, said)
    found = proportions(family, METRICS, family.rows(), np.arange(20), level=0.95)
    expected = {
        "accuracy": (20 - wrong, 20),
        "recall[anger]": (12 - wrong, 12),
        "recall[fear]": (8, 8),
    }
    assert set(found) == {*expected, "war"}
    for metric, (hits, n) in expected.items():
        bounds = (found[metric].low, found[metric].high)
        assert bounds == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)
        assert bounds[0] < bounds[1], "even where all are right or all are wrong"


def test_nothing_where_samples_share_a_cluster_or_are_means_or_numbers() -> None:
    family = label_family(TRUTH, TRUTH)
    rows = family.rows()
    assert not proportions(family, METRICS, rows, np.arange(20) // 2, level=0.95)
    assert not proportions(family, METRICS, rows / 2, np.arange(20), level=0.95)
    assert not proportions(family, METRICS, rows[:0], np.arange(0), level=0.95)
    numbers = number_family([0.5] * 4, [0.5] * 4, low=-1, high=1)
    assert not proportions(numbers, ("accuracy",), numbers.rows(), np.arange(4), level=0.95)
