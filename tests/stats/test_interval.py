"""Bootstrap and Wilson intervals: exactness against enumeration and scipy, and the edges."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import HarnessError
from harness.metrics import estimates, label_family, number_family, point
from harness.stats.bootstraps import bootstrap, bootstrap_many
from harness.stats.interval import wilson
from harness.stats.resample import cluster_totals, resamples


def mean(totals: np.ndarray) -> np.ndarray:
    """Sum over count."""
    return totals[..., 1] / totals[..., 0]


def table(values: list[float]) -> np.ndarray:
    """Rows (1, value)."""
    return np.column_stack([np.ones(len(values)), np.array(values, dtype=float)])


@pytest.mark.parametrize("copies", [1, 20])
def test_resamples_follow_the_law_of_drawing_clusters(copies: int) -> None:
    """Few clusters: all resamples enumerated. Many alike ones: the drawn-by-group way."""
    values = [0.0, 1.0, 1.0, 5.0]
    groups = cluster_totals(table(values * copies), None)
    drawn = np.concatenate([t[:, 1] for t in resamples(groups, draws=40_000, seed=5)])
    count = len(values) * copies
    if copies == 1:
        every = [sum(c) for c in itertools.product(values, repeat=4)]
        for total in set(every):
            assert (drawn == total).mean() == pytest.approx(every.count(total) / 256, abs=0.008)
    assert drawn.mean() == pytest.approx(count * np.mean(values), rel=0.01)
    assert drawn.var() == pytest.approx(count * np.var(values), rel=0.03)


def test_every_resample_holds_as_many_clusters_as_there_are() -> None:
    generator = np.random.default_rng(0)
    for rows in (
        np.ones((700, 1)),
        np.hstack([np.ones((700, 1)), generator.normal(size=(700, 1))]),
    ):
        blocks = list(resamples(cluster_totals(rows, None), draws=999, seed=1))
        assert sum(len(block) for block in blocks) == 999
        for block in blocks:
            np.testing.assert_allclose(block[:, 0], 700)


def test_interval_agrees_with_scipy_bootstrap() -> None:
    values = np.random.default_rng(11).normal(size=80)
    ours = bootstrap(table(values.tolist()), None, mean, draws=20_000, seed=3)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_clusters_widen_the_interval_of_alike_samples() -> None:
    value = np.repeat(np.random.default_rng(2).normal(size=40), 10)
    names = np.repeat([f"subject {i}" for i in range(40)], 10)
    alone = bootstrap(table(value.tolist()), None, mean, seed=1)
    grouped = bootstrap(table(value.tolist()), names, mean, seed=1)
    assert (grouped.high - grouped.low) > 2.5 * (alone.high - alone.low)
    assert grouped.clusters == 40 and alone.clusters == 400


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_cluster_totals_are_the_sums_whatever_the_order(codes: list[int], seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 2, size=(len(codes), 3)).astype(float)
    groups = cluster_totals(rows, codes)
    expected = sorted(
        rows[[c == code for c in codes]].sum(axis=0).tolist() for code in sorted(set(codes))
    )
    assert sorted(np.repeat(groups.totals, groups.sizes, axis=0).tolist()) == expected
    assert len({tuple(t) for t in groups.totals.tolist()}) == len(groups.totals)
    words = [f"subject {c}" for c in codes]
    again = cluster_totals(rows[::-1], words[::-1])
    assert sorted(again.totals.tolist()) == sorted(groups.totals.tolist())


def test_same_seed_same_interval_other_seed_another() -> None:
    rows = table(np.random.default_rng(1).normal(size=200).tolist())
    first = bootstrap(rows, None, mean, seed=1)
    assert first == bootstrap(rows, None, mean, seed=1)
    assert first.low != bootstrap(rows, None, mean, seed=2).low


def test_many_metrics_share_draws_with_one() -> None:
    generator = np.random.default_rng(4)
    truth = generator.choice(["a", "b", "c"], 300).tolist()
    answer = [t if generator.random() < 0.6 else "a" for t in truth]
    family = label_family(truth, answer)
    many = bootstrap_many(family.rows(), None, estimates(family), seed=9)
    assert set(many) == set(family.metrics)
    for name, function in estimates(family).items():
        assert many[name] == bootstrap(family.rows(), None, function, seed=9)
        assert many[name].low <= point(family, name) <= many[name].high
        assert many[name].known and many[name].reason == ""
    assert many["uf1"] == many["macro_f1"] and many["war"] == many["accuracy"]


def test_undefined_resamples_are_left_out_and_counted() -> None:
    # "b" is in a resample of 5 with probability 1 - .8^5.
    family = label_family(["a", "a", "a", "a", "b"], ["a", "a", "a", "b", "b"])
    found = bootstrap_many(
        family.rows(), None, estimates(family, ["recall[b]", "recall[a]"]), draws=4000, seed=1
    )
    assert found["recall[b]"].undefined / 4000 == pytest.approx(0.8**5, abs=0.03)
    assert found["recall[a]"].undefined <= 10
    assert found["recall[b]"].known


def test_mostly_undefined_is_said() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 1.0], [0.0, 3.0]])

    def only_alone(totals: np.ndarray) -> np.ndarray:
        return np.where(totals[:, 0] == 2, totals[:, 1], np.nan)

    found = bootstrap(rows, None, only_alone, seed=1)
    assert found.known and found.undefined > 1000 and "undefined in" in found.reason


@pytest.mark.parametrize(
    ("rows", "clusters", "reason"),
    [
        (np.empty((0, 2)), None, "no samples"),
        (np.empty((0, 2)), [], "no samples"),
        (np.ones((1, 2)), None, "one cluster"),
        (np.ones((5, 2)), ["x"] * 5, "one cluster"),
        (np.zeros((5, 2)), None, "undefined in every resample"),
    ],
)
def test_no_interval_has_a_reason(
    rows: np.ndarray, clusters: list[str] | None, reason: str
) -> None:
    def shared(totals: np.ndarray) -> np.ndarray:
        return np.where(totals[..., 0] > 0, totals[..., 1], np.nan)

    found = bootstrap(rows, clusters, shared, seed=1)
    assert math.isnan(found.low) and math.isnan(found.high) and not found.known
    assert reason in found.reason


def test_no_spread_is_not_certainty() -> None:
    family = label_family(["a", "b"] * 20, ["a", "b"] * 20)
    found = bootstrap(family.rows(), None, estimates(family)["accuracy"], seed=1)
    assert (found.low, found.high) == (1.0, 1.0)
    assert "no spread" in found.reason


def test_families_without_classes_or_answers_do_not_crash() -> None:
    empty = label_family([], [])
    for found in bootstrap_many(empty.rows(), [], estimates(empty), seed=1).values():
        assert found.reason == "no samples"
    silent = number_family([0.1, 0.5, 0.9], [None] * 3, low=0, high=1)
    found = bootstrap_many(silent.rows(), None, estimates(silent), seed=1)
    assert found["ccc"].low == found["ccc"].high == 0.0
    assert found["mae"].known


def test_few_clusters_say_so() -> None:
    rows = table([float(i) for i in range(24)])
    assert (
        "small sample: simulated coverage 0.89 to 0.94"
        in bootstrap(rows, None, mean, seed=1).method
    )
    other = bootstrap(rows, None, mean, level=0.9, seed=1).method
    assert "small sample" in other and "simulated" not in other
    many = bootstrap(table([float(i) for i in range(30)]), None, mean, seed=1).method
    assert "small" not in many


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(n: int, data: st.DataObject, level: float) -> None:
    successes = data.draw(st.integers(0, n))
    ours = wilson(successes, n, level=level)
    theirs = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert ours.low == pytest.approx(theirs.low, abs=1e-9)
    assert ours.high == pytest.approx(theirs.high, abs=1e-9)
    assert 0 <= ours.low <= successes / n <= ours.high <= 1


def test_wilson_without_trials() -> None:
    assert not wilson(0, 0).known and wilson(0, 0).reason == "no samples"


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
        lambda: wilson(1, 2, level=1.0),
        lambda: bootstrap(np.ones((3, 2)), None, mean, level=0.0, seed=1),
        lambda: bootstrap(np.ones((3, 2)), None, mean, draws=0, seed=1),
        lambda: bootstrap(np.ones((3, 2)), ["a"], mean, seed=1),
        lambda: bootstrap(np.full((3, 2), np.nan), None, mean, seed=1),
        lambda: bootstrap(np.ones(3), None, mean, seed=1),
    ],
)
def test_misuse_has_a_mend(call: object) -> None:
    with pytest.raises(HarnessError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.hint


def test_a_hundred_thousand_samples_take_seconds() -> None:
    generator = np.random.default_rng(0)
    n = 100_000
    names = np.array(["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"])
    code = generator.integers(0, 7, n)
    guess = np.where(generator.random(n) < 0.6, code, generator.integers(0, 7, n))
    x = generator.uniform(-1, 1, n)
    y = np.clip(x + generator.normal(0, 0.3, n), -1, 1)
    subject = generator.integers(0, 1000, n)
    labels = label_family(names[code].tolist(), names[guess].tolist())
    numbers = number_family(x.tolist(), y.tolist(), low=-1, high=1)
    start = time.process_time()
    found = bootstrap_many(
        labels.rows(),
        subject,
        estimates(labels, ["uar", "uf1", "accuracy"]),
        draws=10_000,
        seed=1,
    ) | bootstrap_many(numbers.rows(), subject, estimates(numbers, ["ccc"]), draws=10_000, seed=1)
    assert time.process_time() - start < 10  # 5 s of wall clock on two cores
    assert found["uar"].low < 0.6 + 0.4 / 7 < found["uar"].high
    assert found["ccc"].known


def test_rows_that_share_a_hash_are_still_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "harness.stats.resample._hash", lambda rows: np.zeros(len(rows), dtype=np.uint64)
    )
    groups = cluster_totals(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]), None)
    assert groups.totals.tolist() == [[1.0, 2.0], [2.0, 1.0]]
    assert groups.sizes.tolist() == [2, 1]


def test_nothing_to_resample_gives_no_blocks() -> None:
    assert list(resamples(cluster_totals(np.empty((0, 3)), None), draws=5, seed=1)) == []
