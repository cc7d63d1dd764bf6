"""Resampling in blocks, in groups, in single precision and several tables at once: all of it the plain bootstrap."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import product as products
from harness.stats import resample as resampling
from harness.stats.bootstraps import Resampled, bootstrap_each, bootstrap_many
from harness.stats.product import product
from harness.stats.resample import (
    ClusterTotals,
    cluster_totals,
    multiplicities,
    resamples,
    resamples_together,
    shares_draws,
)

SMALL = {"_BLOCK": 7, "_DRAWN": 5, "_HELD": 6, "_HASHED": 3}


def plain(groups: ClusterTotals, *, draws: int, seed: int) -> np.ndarray[Any, Any]:
    """Every draw spelled out: one index a cluster, or one multinomial where clusters are mostly alike."""
    generator = np.random.Generator(np.random.PCG64(seed))
    count = groups.clusters
    if groups.sizes.size * 10 < count:
        return generator.multinomial(count, groups.sizes / count, size=draws) @ groups.totals
    each = np.repeat(groups.totals, groups.sizes, axis=0)
    return np.stack([each[generator.integers(0, count, size=count)].sum(0) for _ in range(draws)])


def table(seed: int, *, clusters: int, width: int, most: int) -> ClusterTotals:
    """Whole numbers, some rows alike."""
    generator = np.random.default_rng(seed)
    return cluster_totals(generator.integers(0, most + 1, size=(clusters, width)).astype(float))


tables = st.builds(
    partial(table),
    st.integers(0, 2**32),
    clusters=st.integers(2, 90),
    width=st.integers(1, 5),
    most=st.sampled_from([0, 1, 9, 2**23, 2**40]),
)


@given(tables, st.integers(1, 40), st.integers(0, 99), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_blocks_give_the_plain_bootstrap_to_the_last_bit(
    groups: ClusterTotals, draws: int, seed: int, small: bool, wide: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items() if small else ():
            patch.setattr(resampling, name, value)
        if small:
            patch.setattr(products, "_SINGLE", 50)
            patch.setattr(products, "_COLUMNS", 2)
        if wide:  # held by their groups, too large to be spread out
            patch.setattr(resampling, "_EXPANDED", 0)
        blocks = list(resamples(groups, draws=draws, seed=seed))
    assert all(block.dtype == np.float64 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), plain(groups, draws=draws, seed=seed))


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 50), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_tables_drawn_together_are_those_drawn_alone(
    seed: int, clusters: int, draws: int, drawing: int
) -> None:
    found = [
        table(seed + i, clusters=clusters, width=1 + i, most=most)
        for i, most in enumerate((5, 2**30, 3))
    ]
    found = [groups for groups in found if shares_draws(groups)]
    if not found:
        return
    together = list(resamples_together(found, draws=draws, seed=drawing))
    for place, groups in enumerate(found):
        ours = np.concatenate([blocks[place] for blocks in together])
        np.testing.assert_array_equal(ours, plain(groups, draws=draws, seed=drawing))


def test_fractions_are_summed_in_double_precision() -> None:
    groups = cluster_totals(np.random.default_rng(1).normal(size=(300, 4)) + 1e6)
    blocks = np.concatenate(list(resamples(groups, draws=50, seed=2)))
    np.testing.assert_allclose(blocks, plain(groups, draws=50, seed=2), rtol=1e-14)


@pytest.mark.parametrize("held", [1, 200, 1 << 24])
def test_cuts_resampled_together_have_the_intervals_they_have_alone(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.stats.bootstraps._HELD", held)
    generator = np.random.default_rng(3)
    rows = generator.integers(0, 3, size=(600, 3)).astype(float)
    rows[:, 0] += 1
    clusters = generator.integers(0, 70, size=600)
    values = {"a": lambda t: t[..., 1] / t[..., 0], "b": lambda t: t[..., 2] / t[..., 1]}
    masks = [np.ones(600, bool), clusters < 30, rows[:, 1] > 0, clusters < 1, clusters < 0]
    cuts = [Resampled(rows[mask], clusters[mask], values) for mask in masks]
    cuts += [Resampled(rows, None, {"a": values["a"]}), Resampled(rows, clusters, {})]
    for method in ("auto", "t", "percentile"):
        found = bootstrap_each(cuts, draws=300, seed=4, method=method)
        for cut, ours in zip(cuts, found, strict=True):
            alone = bootstrap_many(
                cut.rows, cut.clusters, cut.values, draws=300, seed=4,
                method=method,
            )  # fmt: skip
            assert repr(ours) == repr(alone)  # nan is not equal to itself
    assert found[-1] == {} and found[4]["a"].reason == "no samples"


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 70), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_product_in_pieces_is_the_product(seed: int, rows: int, inner: int, width: int) -> None:
    generator = np.random.default_rng(seed)
    a = generator.integers(0, 9, size=(rows, inner))
    b = generator.integers(0, 9, size=(inner, width)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "_SINGLE", int(generator.integers(1, 300)))
        patch.setattr(products, "_COLUMNS", int(generator.integers(1, 12)))
        np.testing.assert_array_equal(product(a, b), (a @ b).astype(float))


def test_multiplicities_are_the_draws_of_resamples() -> None:
    rows = np.eye(40)
    drawn = np.concatenate(list(multiplicities(40, draws=30, seed=8)))
    assert (drawn.sum(axis=1) == 40).all()
    order = cluster_totals(rows).totals.argmax(axis=1)
    totals = np.concatenate(list(resamples(cluster_totals(rows), draws=30, seed=8)))
    np.testing.assert_array_equal(totals[:, order], drawn)


@given(st.lists(st.sampled_from([-3, 0, 1, 5, 90, 10**6]), min_size=1, max_size=40))
def test_cluster_numbers_with_gaps_are_names_like_others(names: list[int]) -> None:
    rows = np.arange(len(names), dtype=float)[:, None]
    ours = cluster_totals(rows, np.array(names))
    theirs = cluster_totals(rows, [f"{name + 1000:09}" for name in names])
    np.testing.assert_array_equal(ours.totals, theirs.totals)
    np.testing.assert_array_equal(ours.sizes, theirs.sizes)
