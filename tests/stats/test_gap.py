"""The gap between the best and the worst group: coverage by simulation, and what it is of known groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics import label_family
from harness.metrics.family import ratio
from harness.stats.gap import MaxGap, max_gap
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]


def share(totals: Floats) -> Floats:
    return ratio(totals[..., 0], totals[..., 1])


def gap_of(
    right: Floats, groups: NDArray[np.int64], clusters: NDArray[np.int64], **more: int
) -> MaxGap:
    rows = np.stack([right, np.ones_like(right)], axis=1)
    return max_gap(rows, groups, clusters, share, seed=1, **more)  # fmt: skip


def world(
    rng: np.random.Generator, truth: list[float], *, subjects: int, per: int, nested: bool
) -> MaxGap:
    """Subjects differ by themselves; each is of one group, or seen in all of them."""
    clusters = np.repeat(np.arange(subjects), per)
    groups = (clusters if nested else np.arange(subjects * per)) % len(truth)
    chance = np.clip(np.array(truth)[groups] + np.repeat(rng.normal(0, 0.08, subjects), per), 0, 1)
    right = (rng.random(subjects * per) < chance).astype(float)
    return gap_of(right, groups, clusters, draws=300)  # fmt: skip


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("groups", [2, 4])
def test_equal_groups_are_held_for_equal_as_often_as_promised(nested: bool, groups: int) -> None:
    """Percentiles of the gap itself would never reach 0, so that equal groups would always look unequal."""
    rng = np.random.default_rng(groups + nested)
    found = [world(rng, [0.6] * groups, subjects=40, per=6, nested=nested) for _ in range(200)]
    assert np.mean([g.low == 0 for g in found]) > 0.91
    assert np.mean([g.equal for g in found]) == pytest.approx(
        np.mean([g.value for g in found]), rel=0.12
    )


@pytest.mark.parametrize("nested", [True, False])
def test_a_true_gap_is_within_the_bounds(nested: bool) -> None:
    rng = np.random.default_rng(9 + nested)
    found = [world(rng, [0.5, 0.8, 0.8], subjects=60, per=6, nested=nested) for _ in range(200)]
    assert np.mean([g.low <= 0.3 <= g.high for g in found]) > 0.93
    assert np.mean([g.low > 0 for g in found]) > 0.8


def test_two_groups_are_the_usual_difference() -> None:
    rng = np.random.default_rng(3)
    right = (rng.random(800) < 0.5).astype(float)
    groups, clusters = np.arange(800) % 2, np.arange(800)
    found = gap_of(right, groups, clusters, draws=4000)
    p = [right[groups == g].mean() for g in (0, 1)]
    error = math.sqrt(sum(q * (1 - q) / 400 for q in p))
    assert found.value == pytest.approx(abs(p[0] - p[1]))
    assert found.high - found.value == pytest.approx(1.96 * error, rel=0.05)
    assert found.equal == pytest.approx(math.sqrt(2 / math.pi) * error, rel=0.05)


def test_coded_rows_give_the_same_gap() -> None:
    rng = np.random.default_rng(5)
    right = (rng.random(300) < 0.5).astype(float)
    clusters = rng.permutation(np.repeat(np.arange(60), 5))
    plain = gap_of(right, clusters % 3, clusters)
    rows = CodedRows(np.array([[0.0, 1.0], [1.0, 1.0]]), right.astype(np.int32))
    coded = max_gap(rows, clusters % 3, clusters, share, seed=1)
    assert (coded.value, coded.clusters) == (plain.value, plain.clusters) == (plain.value, 60)
    assert coded.equal == pytest.approx(plain.equal)
    assert coded.high == pytest.approx(plain.high)


def test_samples_of_no_group_are_in_none() -> None:
    right = np.array([1.0, 0, 1, 0, 1, 1])
    groups = np.array([0, 0, 1, 1, -1, -1])
    assert gap_of(right, groups, np.arange(6)).value == 0


@given(st.integers(0, 3), st.integers(0, 50))
def test_too_little_for_a_gap_has_no_bounds(groups: int, n: int) -> None:
    codes = np.zeros(n, dtype=np.int64) if groups < 2 else np.full(n, -1)
    found = gap_of(np.ones(n), codes, np.arange(n))
    assert math.isnan(found.value)
    assert math.isnan(found.low)


def test_one_cluster_has_a_gap_and_no_bounds() -> None:
    found = gap_of(np.array([1.0, 0.0]), np.array([0, 1]), np.array([7, 7]))
    assert (found.value, found.clusters) == (1.0, 1)
    assert math.isnan(found.high)


def test_metrics_that_are_no_shares() -> None:
    rng = np.random.default_rng(4)
    truth = rng.choice(["a", "b", "c"], 240).tolist()
    said = [t if rng.random() < 0.7 else "a" for t in truth]
    family = label_family(truth, said)
    groups = np.arange(240) % 2
    found = max_gap(
        family.rows(), groups, np.arange(240) // 4, lambda t: family.value("uar", t), seed=0
    )
    sides = [family.value("uar", family.rows()[groups == g].sum(axis=0)) for g in (0, 1)]
    assert found.value == pytest.approx(abs(float(sides[0]) - float(sides[1])))
    assert found.low <= found.value <= found.high
