"""Paired differences: tests against other libraries and enumeration, and their error rates."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import HarnessError
from harness.metrics import (
    MetricFamily,
    label_family,
    number_family,
    point,
    set_family,
    text_family,
)
from harness.stats.bootstraps import bootstrap
from harness.stats.mcnemar import mcnemar
from harness.stats.paired import difference_test, paired
from harness.stats.scored import Scored
from harness.stats.signflip import _drawn, sign_flip
from tests.stats.simulate import two_models

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recorded"
THREE = ["0", "1", "2"]


def share(totals: np.ndarray) -> np.ndarray:
    """Right over count."""
    return totals[..., 1] / totals[..., 0]


def rows_of(right: np.ndarray) -> np.ndarray:
    """Rows (1, right)."""
    return np.column_stack([np.ones(len(right)), right]).astype(float)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded answers are not on this machine")
def test_recorded_answers_in_colour_and_grey() -> None:
    def read(name: str) -> dict[str, tuple[str, str]]:
        with (RECORDED / name).open(encoding="utf-8-sig", newline="") as stream:
            return {
                row["name"]: (
                    row["gt"].strip().lower(),
                    row["gpt4v"].split(",")[0].strip().lower(),
                )
                for row in csv.DictReader(stream)
            }

    colour, grey = read("rafdb_gpt4v_rgb.csv"), read("rafdb_gpt4v_grey.csv")
    shared = sorted(colour.keys() & grey.keys())
    truth = [colour[name][0] for name in shared]
    a = label_family(truth, [colour[name][1] for name in shared])
    b = label_family(truth, [grey[name][1] for name in shared])
    found = paired(a, b, "accuracy", seed=1)
    assert (found.n, found.b, found.c, found.test) == (3067, 257, 210, "exact McNemar")
    assert found.p == pytest.approx(0.033, abs=5e-4)
    assert found.interval.low > 0
    flipped = paired(a, b, "accuracy", seed=1, test="sign-flip")
    assert flipped.p == pytest.approx(found.p, abs=0.006)
    assert paired(a, b, "uar", seed=1).test.startswith("t test, jackknife over clusters")


@pytest.mark.parametrize("metric", ["accuracy", "uf1"])
def test_few_clusters_are_enumerated(metric: str) -> None:
    truth, first, second = two_models(np.random.default_rng(3), clusters=7, within=4)
    a, b = label_family(truth, first), label_family(truth, second)
    unit = np.repeat(np.arange(7), 4)
    found = paired(a, b, metric, unit, seed=1)
    assert found.test == "sign-flip permutation over clusters (exact)"
    value, rows_a, rows_b = partial(a.value, metric), a.rows(), b.rows()
    large = 0
    for swap in itertools.product([False, True], repeat=7):
        mask = np.array(swap)[unit][:, None]
        flipped = value(np.where(mask, rows_b, rows_a).sum(axis=0)) - value(
            np.where(mask, rows_a, rows_b).sum(axis=0)
        )
        large += abs(flipped) >= abs(found.difference) - 1e-12
    assert found.p == pytest.approx(large / 2**7)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_exact_flips_of_single_samples_are_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    right = np.array(pairs)
    a, b = rows_of(right[:, 0]), rows_of(right[:, 1])
    found = sign_flip(a, b, None, share, seed=1)
    tested = difference_test(a, b, None, share, seed=1)
    assert found.exact and tested.name == "exact McNemar"
    assert found.p == pytest.approx(tested.p)


def test_drawn_flips_agree_with_exact_ones() -> None:
    """Numbers all different: 2^16 flips are tried; two more clusters and they are drawn."""
    value = np.random.default_rng(8).normal(0.35, 1, size=18)
    for count, exact in ((16, True), (18, False)):
        found = sign_flip(
            rows_of(value[:count]), rows_of(np.zeros(count)), None, share, flips=20_000, seed=1
        )
        wanted = stats.permutation_test(
            (value[:count],), np.mean, permutation_type="samples", n_resamples=np.inf
        ).pvalue
        assert found.exact is exact
        assert found.p == pytest.approx(wanted, abs=1e-9 if exact else 0.01)


def test_alike_clusters_are_drawn_in_groups() -> None:
    rows_a = np.tile([[2.0, 2.0], [2.0, 1.0], [2.0, 0.0], [2.0, 0.5]], (60, 1))
    rows_b = np.tile([[2.0, 1.0], [2.0, 1.5], [2.0, 0.3], [2.0, 0.25]], (60, 1))
    grouped = sign_flip(rows_a, rows_b, None, share, flips=20_000, seed=1)
    gap = (rows_a - rows_b)[:, 1]
    signs = np.random.default_rng(2).choice([-1.0, 1.0], size=(20_000, gap.size))
    wanted = np.mean(np.abs(signs @ gap) >= abs(gap.sum()) - 1e-9)
    assert not grouped.exact and grouped.p == pytest.approx(wanted, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(3, 30))
def test_clusters_that_add_up_give_the_p_of_the_metric_itself(seed: int, clusters: int) -> None:
    """A bend that no flip notices, but the trial of sums does, has each flip computed by the metric."""
    draw = np.random.default_rng(seed)
    right = draw.random((clusters * 3, 2)) < (0.7, 0.4)
    unit = np.repeat(np.arange(clusters), 3)
    a, b = rows_of(right[:, 0]), rows_of(right[:, 1])

    def bent(totals: np.ndarray) -> np.ndarray:
        return share(totals) + 1e-10 * np.sin(40 * share(totals))

    summed, computed = (sign_flip(a, b, unit, f, flips=400, seed=1) for f in (share, bent))
    assert summed == computed


def test_random_bits_are_fair_coins_for_any_size_of_group() -> None:
    sizes = np.array([1, 2, 63, 64, 65, 1000])
    drawn = np.concatenate(list(_drawn(sizes, flips=20_000, seed=1)))
    assert drawn.shape == (20_000, 6)
    np.testing.assert_allclose(drawn.mean(axis=0) / np.sqrt(sizes), 0, atol=0.03)
    np.testing.assert_allclose(drawn.var(axis=0) / sizes, 1, atol=0.05)
    assert (np.abs(drawn) <= sizes).all() and ((drawn - sizes) % 2 == 0).all()
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.eye(6), atol=0.03)


def test_the_interval_keeps_pairs_together() -> None:
    truth, first, _ = two_models(np.random.default_rng(1), clusters=60, within=4)
    second = [t if i % 29 == 0 else f for i, (t, f) in enumerate(zip(truth, first, strict=True))]
    a, b = label_family(truth, second), label_family(truth, first)
    unit = np.repeat(np.arange(60), 4)
    found = paired(a, b, "uar", unit, seed=1)
    assert found.difference == pytest.approx(point(a, "uar") - point(b, "uar"))
    assert found.interval.low <= found.difference <= found.interval.high
    alone = bootstrap(a.rows(), unit, partial(a.value, "uar"), seed=1)
    assert found.interval.high - found.interval.low < (alone.high - alone.low) / 3
    assert found.c == 0 and found.b and found.discordance == found.b / 240
    assert found.clusters == 60 and found.interval.method.startswith("t interval")
    assert found.test.startswith("t test") and found.p < 0.05 and found.interval.low > 0
    assert found == paired(a, b, "uar", unit, seed=1)


def test_a_over_b_is_b_over_a_turned_round() -> None:
    truth, first, second = two_models(np.random.default_rng(6), clusters=40, within=3)
    a, b = label_family(truth, first), label_family(truth, second)
    unit = np.repeat(np.arange(40), 3)
    ours, theirs = paired(a, b, "uf1", unit, seed=2), paired(b, a, "uf1", unit, seed=2)
    assert (ours.p, ours.b, ours.c) == (theirs.p, theirs.c, theirs.b)
    assert ours.difference == pytest.approx(-theirs.difference)
    assert ours.interval.low == pytest.approx(-theirs.interval.high, abs=0.02)


def test_a_slice_is_that_of_its_samples() -> None:
    truth, first, second = two_models(np.random.default_rng(6), clusters=40, within=3)
    a, b = label_family(truth, first), label_family(truth, second)
    mask = np.arange(120) % 2 == 0
    found = paired(a, b, "accuracy", np.repeat(np.arange(40), 3), select=mask, seed=2)
    right = [(t == f, t == s) for t, f, s in zip(truth, first, second, strict=True)][::2]
    assert (found.n, found.b) == (60, sum(f and not s for f, s in right))
    assert found.test.startswith("sign-flip")


@pytest.mark.parametrize(
    ("a", "b", "metric", "counts"),
    [
        (
            number_family([0.1, 0.5, 0.9, 0.3], [0.1, 0.4, 0.9, 0.2], low=0, high=1),
            number_family([0.1, 0.5, 0.9, 0.3], [0.9, 0.1, None, 0.2], low=0, high=1),
            "ccc",
            (None, None),
        ),
        (
            set_family([frozenset("a"), frozenset("bc")], [frozenset("a"), frozenset("b")]),
            set_family([frozenset("a"), frozenset("bc")], [frozenset("b"), None]),
            "set_f1",
            (None, None),
        ),
        (
            text_family(["x", "y"], ["x", "y"]),
            text_family(["x", "y"], ["x", "z"]),
            "exact_match",
            (1, 0),
        ),
    ],
)
def test_any_family_can_be_compared(
    a: MetricFamily, b: MetricFamily, metric: str, counts: tuple[int | None, int | None]
) -> None:
    found = paired(a, b, metric, seed=1)
    assert (found.b, found.c) == counts and 0 < found.p <= 1
    assert found.value_a == pytest.approx(point(a, metric))
    assert found.value_b == pytest.approx(point(b, metric))
    assert found.difference > 0


@pytest.mark.parametrize("metric", ["ccc", "rmse"])
def test_swapped_numbers_are_those_of_swapped_answers(metric: str) -> None:
    """Each family takes moments about a centre of its own; swapped rows must share one."""
    generator = np.random.default_rng(2)
    truth = generator.uniform(-1, 1, 32).tolist()
    answers = [np.clip(truth + generator.normal(s, 0.4, 32), -1, 1) for s in (0.4, -0.3)]
    unit = np.repeat(np.arange(8), 4)

    def score(values: np.ndarray) -> float:
        return point(number_family(truth, values.tolist(), low=-1, high=1), metric)

    a, b = (number_family(truth, v.tolist(), low=-1, high=1) for v in answers)
    found = paired(a, b, metric, unit, seed=1)
    assert found.difference == pytest.approx(score(answers[0]) - score(answers[1]))
    large = 0
    for swap in itertools.product([False, True], repeat=8):
        mask = np.array(swap)[unit]
        gap = score(np.where(mask, *answers)) - score(np.where(mask, *answers[::-1]))
        large += abs(gap) >= abs(found.difference) - 1e-9
    assert found.p == pytest.approx(large / 2**8)
    assert found.interval.low < found.difference < found.interval.high


def test_nothing_to_compare_has_a_reason() -> None:
    empty = label_family([], [])
    found = paired(empty, empty, "uar", seed=1)
    assert math.isnan(found.p) and found.reason == "no samples" and not found.interval.known
    alike = number_family([0.5] * 4, [0.5] * 4, low=0, high=1)
    undefined = paired(alike, alike, "pcc", seed=1)
    assert math.isnan(undefined.p) and "undefined" in undefined.reason
    same = label_family(["a", "b"], ["a", "a"])
    assert paired(same, same, "accuracy", seed=1).p == paired(same, same, "uar", seed=1).p == 1


@pytest.mark.parametrize(("clusters", "within"), [(60, 5), (20, 6)])
def test_sign_flip_and_paired_bootstrap_keep_their_level(clusters: int, within: int) -> None:
    generator = np.random.default_rng(1)
    unit = np.repeat(np.arange(clusters), within)
    flipped = missed = 0
    for seed in range(700):
        truth, first, second = two_models(generator, clusters=clusters, within=within)
        a, b = label_family(truth, first, classes=THREE), label_family(truth, second, classes=THREE)
        found = paired(a, b, "uar", unit, draws=600, flips=399, seed=seed)
        flipped += found.p <= 0.05
        missed += not found.interval.low <= 0 <= found.interval.high
    assert 0.03 <= flipped / 700 <= 0.07
    assert 0.03 <= missed / 700 <= 0.07


@settings(max_examples=20)
@given(st.integers(2, 6))
def test_a_clear_difference_of_few_clusters_has_the_smallest_p(clusters: int) -> None:
    found = sign_flip(
        rows_of(np.arange(1, clusters + 1) / 10), rows_of(np.zeros(clusters)), None, share, seed=1
    )
    assert found.p == pytest.approx(2 / 2**clusters)


def test_too_few_clusters_to_tell_are_said() -> None:
    a, b = label_family(["a", "b"] * 10, ["a", "b"] * 10), label_family(["a", "b"] * 10, ["a"] * 20)
    few = paired(a, b, "uar", np.repeat(range(5), 4), seed=1)
    assert few.p == pytest.approx(2 / 2**5) and "below 0.0625" in few.reason
    assert paired(a, b, "uar", np.repeat(range(10), 2), seed=1).reason == ""


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: mcnemar(-1, 2),
        lambda a, b: paired(a, label_family(["a", "a"], ["a", "b"]), "uar", seed=1),
        lambda a, b: paired(a, label_family(["b", "a"], ["a", "b"]), "uar", seed=1),
        lambda a, b: paired(
            number_family([0.5], [0.5], low=0, high=1),
            number_family([0.5], [0.5], low=-1, high=1),
            "mae",
            seed=1,
        ),
        lambda a, b: paired(text_family(["x"], ["x"]), text_family([], []), "exact_match", seed=1),
        lambda a, b: paired(a, b, "uf1", ["s", "s"], test="mcnemar", seed=1),
        lambda a, b: paired(a, b, "uar", test="wild", seed=1),
        lambda a, b: sign_flip(a.rows(), b.rows()[:1], None, share, seed=1),
        lambda a, b: sign_flip(a.rows(), b.rows(), None, share, flips=0, seed=1),
    ],
)
def test_misuse_has_a_mend(call: Callable[[Scored, Scored], object]) -> None:
    a, b = label_family(["a", "b"], ["a", "a"]), label_family(["a", "b"], ["b", "b"])
    with pytest.raises(HarnessError) as caught:
        call(a, b)
    assert caught.value.hint
