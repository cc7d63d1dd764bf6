"""Samples in columns are the samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.run.columns import write_table
from harness.run.sample_columns import gather, read_columns
from harness.run.sample_file import COLUMNS, PlannedSample, read_lean_samples, write_rows

SAMPLES = st.builds(
    PlannedSample,
    sample=st.text(min_size=1),
    cluster=st.sampled_from(["p1", "p2", "p3"]),
    question=st.none(),
    asks=st.sampled_from([("a",), ("a", "b"), ()]),
    targets=st.dictionaries(
        st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", 1, 1.0, True, ("u",)])
    ),
    annotations=st.dictionaries(st.sampled_from(["age", "part"]), st.one_of(st.none(), st.text())),
    media=st.just(()),
)


@given(st.lists(SAMPLES, max_size=20))
def test_each_sample_comes_back(samples: list[PlannedSample]) -> None:
    columns = gather(samples)
    assert list(columns) == samples
    assert len(columns) == len(samples)
    assert [samples[p].sample for p in columns.order] == sorted(s.sample for s in samples)
    for name in ("a", "b", "c"):
        assert columns.known(name).tolist() == [name in s.targets for s in samples]
        assert columns.asking(name).tolist() == [name in s.asks for s in samples]
        found = [(type(v), v) for v in columns.truths(name)]
        assert found == [(type(s.targets.get(name)), s.targets.get(name)) for s in samples]
    assert list(columns.notes("age")) == [s.annotations.get("age") for s in samples]


def test_clusters_are_numbered_as_they_come() -> None:
    one = PlannedSample("s", "p", None, (), {}, {}, ())
    columns = gather(replace(one, cluster=name) for name in ("b", "a", "b", "b", "c", "a"))
    np.testing.assert_array_equal(columns.clusters, [0, 1, 0, 0, 2, 1])
    assert list(columns.cluster_names) == ["b", "a", "c"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SAMPLES, max_size=20))
def test_a_file_read_in_columns_gives_what_its_rows_give(
    tmp_path: Path, samples: list[PlannedSample]
) -> None:
    path = tmp_path / "samples.parquet"
    write_rows(path, samples)
    for wanted in ((), ("age",)):
        columns, rows = read_columns(path, wanted), gather(read_lean_samples(path, wanted))
        assert list(columns) == list(rows)
        assert columns.clusters.tolist() == rows.clusters.tolist()
        assert list(columns.cluster_names) == list(rows.cluster_names)
        assert {n: c.values for n, c in columns.targets.items()} == {
            n: c.values for n, c in rows.targets.items()
        }


def test_many_row_groups_give_one_column(tmp_path: Path) -> None:
    one = PlannedSample("s", "p", None, ("a",), {}, {}, ())
    path = tmp_path / "samples.parquet"
    made = [
        replace(one, sample=f"é{n}", cluster=f"p{n // 3}", targets={"a": n % 7} if n > 3000 else {})
        for n in range(5000)
    ]
    write_rows(path, made)
    assert list(read_columns(path, ())) == made


def test_a_broken_cell_names_the_file(tmp_path: Path) -> None:
    row = dict.fromkeys(COLUMNS, "[]") | {"targets": "{"}
    write_table(tmp_path / "samples.parquet", COLUMNS, [row])
    with pytest.raises(HarnessError, match=r"samples\.parquet cannot be read"):
        read_columns(tmp_path / "samples.parquet", ())
    write_table(tmp_path / "samples.parquet", COLUMNS, [row | {"targets": None}])
    with pytest.raises(HarnessError, match="an empty cell"):
        read_columns(tmp_path / "samples.parquet", ())
