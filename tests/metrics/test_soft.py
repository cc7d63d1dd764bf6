"""Soft-label metrics against scipy and torch, by hand, and their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from harness.core.errors import HarnessError
from harness.metrics import (
    SoftFamily,
    estimator,
    find_metric,
    metrics_of,
    point,
    point_masses,
    points,
)
from harness.metrics.soft import (
    SMOOTHING,
    cross_entropy,
    jensen_shannon,
    kullback_leibler,
    likeliest,
    smoothed,
    soft_family,
)
from harness.stats.bootstraps import bootstrap_many

Floats = NDArray[np.float64]

VOTES = np.array([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]])
SAID = np.array([[0.5, 0.5, 0.0], [0.1, 0.8, 0.1]])


def drawn(count: int, classes: int, *, seed: int = 0, zeros: float = 0.3) -> Floats:
    rng = np.random.default_rng(seed)
    rows = rng.gamma(0.5, size=(count, classes)) * (rng.random((count, classes)) > zeros)
    rows[:, 0] += rows.sum(axis=1) == 0
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def distributions(classes: int = 4) -> st.SearchStrategy[Floats]:
    numbers = st.lists(st.integers(0, 50), min_size=classes, max_size=classes).filter(any)
    return numbers.map(lambda row: np.array([row]) / sum(row))


def test_js_is_the_square_of_scipys_distance_to_base_2() -> None:
    p, q = drawn(200, 6), drawn(200, 6, seed=1)
    expected = jensenshannon(p, q, base=2, axis=1) ** 2
    assert np.allclose(jensen_shannon(p, q), expected, atol=1e-12)


def test_kl_and_cross_entropy_agree_with_scipy_and_torch() -> None:
    p, q = drawn(200, 6), drawn(200, 6, seed=1)
    a, b = smoothed(p, SMOOTHING), smoothed(q, SMOOTHING)
    assert np.allclose(kullback_leibler(p, q), entropy(a, b, axis=1))
    logs, soft = torch.log(torch.tensor(b)), torch.tensor(a)
    divergence = torch.nn.functional.kl_div(logs, soft, reduction="none").sum(dim=1)
    assert np.allclose(kullback_leibler(p, q), divergence.numpy())
    crossed = torch.nn.functional.cross_entropy(logs, soft, reduction="none")
    assert np.allclose(cross_entropy(p, q), crossed.numpy())
    assert np.allclose(cross_entropy(p, q) - entropy(a, axis=1), kullback_leibler(p, q))


def test_accuracies_by_hand() -> None:
    found = points(soft_family(VOTES, SAID))
    # Both labels of the first are equally likely: half of .7 and .3. The second's is the middle one: .4.
    assert found["expected_accuracy"] == pytest.approx((0.5 + 0.4) / 2)
    # Second: after the middle label the other two share one place.
    assert found["expected_accuracy@2"] == pytest.approx((1.0 + 0.4 + 0.3) / 2)


def test_labels_of_probability_0_are_not_among_the_likeliest() -> None:
    row = np.array([[1.0, 0.0, 0.0, 0.0]])
    assert likeliest(row, 3).tolist() == [[1.0, 0.0, 0.0, 0.0]]
    assert likeliest(np.array([[0.4, 0.2, 0.2, 0.2]]), 2).tolist() == [
        pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    ]


def test_votes_for_no_class_lower_the_expected_accuracy_and_nothing_else() -> None:
    whole, less = soft_family(VOTES, SAID), soft_family(VOTES, SAID, within=[0.5, 0.5])
    assert point(less, "expected_accuracy") == pytest.approx(point(whole, "expected_accuracy") / 2)
    assert point(less, "js") == point(whole, "js")


def test_one_label_is_a_point_mass_and_refused_for_kl() -> None:
    classes = ("anger", "fear", "joy")
    rows = point_masses(["fear", None, "pride"], classes)
    assert rows[0].tolist() == [0, 1, 0]
    assert np.isnan(rows[1:]).all()
    family = soft_family(VOTES, rows[:2], point=True)
    assert family.metrics == ("expected_accuracy", "js")
    assert point(family, "expected_accuracy") == pytest.approx(0.3 / 2)
    for metric in ("kl", "cross_entropy"):
        with pytest.raises(HarnessError, match="is refused for answers of one label") as caught:
            point(family, metric)
        assert "logprob" in caught.value.hint


def test_unanimous_votes_and_hard_answers_give_plain_accuracy() -> None:
    classes = ("a", "b", "c")
    truth = point_masses(["a", "b", "c", "a"], classes)
    said = point_masses(["a", "c", None, "a"], classes)
    found = points(soft_family(truth, said, point=True))
    assert found["expected_accuracy"] == 0.5
    assert found["js"] == 0.5  # right answers have 0, wrong and missing ones 1


@settings(max_examples=60)
@given(distributions(), distributions())
def test_divergences_are_never_negative_and_0_for_equals_alone(p: Floats, q: Floats) -> None:
    same = bool(np.allclose(p, q, atol=1e-12))
    js, kl = float(jensen_shannon(p, q)[0]), float(kullback_leibler(p, q)[0])
    assert 0.0 <= js <= 1.0
    assert kl >= 0.0
    assert (js < 1e-12) == same
    assert (kl < 1e-12) == same
    assert jensen_shannon(q, p)[0] == pytest.approx(js, abs=1e-12)
    assert cross_entropy(p, p)[0] <= cross_entropy(p, q)[0] + 1e-12


@settings(max_examples=60)
@given(distributions(), distributions())
def test_silence_never_scores_better_than_an_answer(p: Floats, q: Floats) -> None:
    silent, said = soft_family(p, [None]), soft_family(p, q)
    for metric in metrics_of("soft"):
        quiet, spoken = point(silent, metric.name), point(said, metric.name)
        assert metric.sign and metric.sign * quiet <= metric.sign * spoken + 1e-12


def test_missing_answers_are_in_strict_values_and_not_in_answered_ones() -> None:
    family = soft_family(VOTES, [SAID[0], None])
    assert family.answered.tolist() == [True, False]
    assert point(family, "js", select=family.answered) == pytest.approx(
        float(jensen_shannon(VOTES[:1], SAID[:1])[0])
    )
    # The worst point mass for the second truth is the label that nobody chose.
    worst = float(jensen_shannon(VOTES[1:], np.array([[1.0, 0.0, 0.0]]))[0])
    assert worst == 1.0
    first = float(jensen_shannon(VOTES[:1], SAID[:1])[0])
    assert point(family, "js") == pytest.approx((first + 1) / 2)


def test_rows_are_additive_and_finite_with_zeros_everywhere() -> None:
    truth, said = drawn(500, 7, zeros=0.7), drawn(500, 7, seed=1, zeros=0.7)
    family = soft_family(truth, said)
    rows = family.rows()
    assert np.isfinite(rows).all()
    halves = rows[:200].sum(axis=0) + rows[200:].sum(axis=0)
    for metric in family.metrics:
        assert family.value(metric, halves) == pytest.approx(point(family, metric))


def test_intervals_cover_the_mean_of_the_population() -> None:
    """200 samples of a large population, 120 times: the 95% interval holds its mean in nearly that share."""
    truth, said = drawn(4000, 5), drawn(4000, 5, seed=1)
    every = soft_family(truth, said)
    population = {metric: point(every, metric) for metric in ("js", "kl")}
    rng = np.random.default_rng(3)
    hits = dict.fromkeys(population, 0)
    for seed in range(120):
        chosen = rng.choice(4000, 200)
        family = soft_family(truth[chosen], said[chosen])
        values = {m: (lambda t, m=m, f=family: f.value(m, t)) for m in population}
        found = bootstrap_many(family.rows(), None, values, draws=200, seed=seed, method="t")
        for metric, mean in population.items():
            hits[metric] += found[metric].low <= mean <= found[metric].high
    assert all(0.88 <= count / 120 <= 1.0 for count in hits.values()), hits


@pytest.mark.parametrize(
    ("truth", "said", "told"),
    [
        ([[0.5, 0.4]], [[0.5, 0.5]], "truth 0 is not a distribution"),
        ([[1.0, 0.0]], [[1.5, -0.5]], "answer 0 is not a distribution"),
        ([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], "shape"),
    ],
)
def test_what_is_no_distribution_is_refused(
    truth: list[list[float]], said: list[list[float]], told: str
) -> None:
    with pytest.raises(HarnessError, match=told):
        soft_family(truth, said)


def test_every_soft_metric_has_an_estimator_line() -> None:
    for metric in metrics_of("soft"):
        assert len(metric.estimator) > 20
    assert "base 2" in find_metric("js", "soft").estimator
    with pytest.raises(HarnessError, match="no metric 'js'"):
        estimator("number", "js")
    assert math.isnan(point(soft_family(np.zeros((0, 3)), np.zeros((0, 3))), "js"))


def test_few_classes_have_no_further_places() -> None:
    assert isinstance(family := soft_family([[0.5, 0.5]], [[1.0, 0.0]]), SoftFamily)
    assert "expected_accuracy@2" not in family.metrics
