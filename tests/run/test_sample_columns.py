"""Samples in columns are the samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.run.sample_columns import gather
from harness.run.sample_file import PlannedSample

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
