"""Coded rows give what the rows themselves give, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.stats import resample as resampling
from harness.stats.bootstraps import bootstrap_many
from harness.stats.resample import cluster_totals
from harness.stats.rows import CodedRows


def draw(seed: int, *, samples: int, kinds: int, clusters: int) -> tuple[CodedRows, np.ndarray]:  # type: ignore[type-arg]
    generator = np.random.default_rng(seed)
    table = np.round(generator.normal(size=(kinds, 4)), 2)
    table[: kinds // 2] = table[kinds // 2 : 2 * (kinds // 2)]  # some are alike
    codes = generator.integers(0, kinds, size=samples).astype(np.int32)
    return CodedRows(table, codes), generator.integers(0, clusters, size=samples)


@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 9), st.integers(1, 60))
def test_totals_are_those_of_the_rows(seed: int, samples: int, kinds: int, clusters: int) -> None:
    rows, units = draw(seed, samples=samples, kinds=kinds, clusters=clusters)
    for unit in (None, units, np.arange(samples)):
        ours, plain = cluster_totals(rows, unit), cluster_totals(rows.dense(), unit)
        np.testing.assert_array_equal(ours.totals, plain.totals)
        np.testing.assert_array_equal(ours.sizes, plain.sizes)
    np.testing.assert_allclose(rows.totals(), rows.dense().sum(axis=0), atol=1e-9)
    keep = units < clusters / 2
    np.testing.assert_array_equal(rows.at(keep).dense(), rows.dense()[keep])


def test_clusters_in_several_pieces_are_gathered_as_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, units = draw(1, samples=5000, kinds=3, clusters=2500)
    whole = cluster_totals(rows, units)
    monkeypatch.setattr(resampling, "_HELD", 64)
    monkeypatch.setattr(resampling, "_HASHED", 7)
    pieces = cluster_totals(rows, units)
    np.testing.assert_array_equal(whole.totals, pieces.totals)
    np.testing.assert_array_equal(whole.sizes, pieces.sizes)
    assert pieces.clusters == np.unique(units).size


def test_intervals_are_those_of_the_rows() -> None:
    rows, units = draw(2, samples=400, kinds=5, clusters=80)
    values = {"first": lambda t: t[..., 0], "ratio": lambda t: t[..., 1] / t[..., 2]}
    ours = bootstrap_many(rows, units, values, draws=200, seed=3, method="auto")
    assert ours == bootstrap_many(rows.dense(), units, values, draws=200, seed=3, method="auto")


def test_faults_are_named() -> None:
    rows, _ = draw(3, samples=5, kinds=2, clusters=2)
    with pytest.raises(HarnessError, match="5 rows but clusters"):
        cluster_totals(rows, [1, 2])
    with pytest.raises(HarnessError, match="not a finite table"):
        cluster_totals(CodedRows(np.array([[np.nan]]), np.zeros(2, dtype=np.int32)), None)
    nothing = CodedRows(np.empty((0, 3)), np.zeros(0, dtype=np.int32))
    assert cluster_totals(nothing, None).clusters == 0
    assert cluster_totals(nothing, []).clusters == 0
