"""Intervals against the package `confidenceinterval` 1.0.5, where it is installed.

It asks for setuptools 68 and so cannot stand in one list of pinned packages with torch; it works beside any:
`pip install --no-deps confidenceinterval==1.0.5`. scipy is the oracle of the same numbers in every installation
(test_interval.py, test_bounds.py).
"""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics import estimates, label_family
from harness.stats.bootstraps import bootstrap
from harness.stats.interval import wilson

oracle = pytest.importorskip("confidenceinterval")
NAMES = tuple("abcde")


@pytest.fixture(scope="module")
def codes() -> tuple[np.ndarray, np.ndarray]:
    """Two thousand samples of five unequal classes, two thirds of them right."""
    draw = np.random.default_rng(5)
    truth = draw.choice(5, size=2000, p=[0.35, 0.25, 0.2, 0.12, 0.08])
    said = np.where(draw.random(2000) < 0.67, truth, draw.integers(0, 5, size=2000))
    return truth, said


def test_wilson_is_the_same(codes: tuple[np.ndarray, np.ndarray]) -> None:
    truth, said = codes
    value, (low, high) = oracle.accuracy_score(truth.tolist(), said.tolist(), method="wilson")
    ours = wilson(int((truth == said).sum()), truth.size)
    assert value == pytest.approx((truth == said).mean())
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("metric", "theirs"), [("uar", "recall_score"), ("macro_f1", "f1_score")])
def test_macro_averages_agree_with_takahashi_2022(
    codes: tuple[np.ndarray, np.ndarray], metric: str, theirs: str
) -> None:
    """An analytic interval over independent samples, of the kind ours resamples."""
    truth, said = codes
    value, (low, high) = getattr(oracle, theirs)(truth.tolist(), said.tolist(), average="macro")
    family = label_family([NAMES[t] for t in truth], [NAMES[s] for s in said])
    estimate = estimates(family)[metric]
    ours = bootstrap(family.rows(), None, estimate, draws=4000, level=0.95, seed=1)
    assert float(estimate(family.rows().sum(axis=0))) == pytest.approx(value, abs=1e-8)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.1 * (high - low))
