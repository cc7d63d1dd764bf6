"""Columns of text come back as they were, whatever is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from harness.run.columns import read_table, write_table

LONE = st.text(st.characters(categories=("Cs", "Ll", "Lo", "So")), max_size=5)
"""Halves of surrogate pairs among other letters: two that meet in neighbouring cells make no pair."""
CELLS = st.lists(st.tuples(st.none() | st.text(max_size=8), st.none() | LONE), max_size=30)


@given(CELLS)
def test_text_comes_back_and_half_a_pair_is_a_question_mark(
    cells: Sequence[tuple[str | None, str | None]],
) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "table.parquet"
        write_table(path, ("one", "two"), ({"one": a, "two": b} for a, b in cells))
        found = [(row["one"], row["two"]) for row in read_table(path)]
        nulls = pq.read_table(path).column("two").null_count
    assert found == [(_told(a), _told(b)) for a, b in cells]
    assert nulls == sum(b is None for _, b in cells)


def _told(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "replace").decode()
