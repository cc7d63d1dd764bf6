"""The compact id set against a real set."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from harness.sources.ids import SeenIds


@given(st.lists(st.text(max_size=4), max_size=200))
def test_it_agrees_with_a_set(ids: list[str]) -> None:
    seen, real = SeenIds(), set[str]()
    for sample_id in ids:
        assert seen.add(sample_id) == (sample_id in real)
        real.add(sample_id)


def test_it_grows_and_stays_small() -> None:
    count = 40_000
    tracemalloc.start()
    seen = SeenIds()
    assert not any(seen.add(f"id-{i}") for i in range(count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all(seen.add(f"id-{i}") for i in range(0, count, 97))
    assert peak < 48 * count
