"""Columns of codes hold what a list would hold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.sample import Value
from harness.run.dictionary_encoding import Coded, Placed, Texts, coded, distinct

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1.0, "0", "a", ("a",), ()])
)
COLUMNS = st.integers(0, 30).flatmap(
    lambda n: st.lists(st.lists(VALUES, min_size=n, max_size=n), min_size=1, max_size=3)
)


def told(values: object) -> list[tuple[type, object]]:
    assert isinstance(values, Coded | list)
    return [(type(value), value) for value in values]


@given(st.lists(VALUES, max_size=50))
def test_a_column_is_its_values_types_included(values: list[Value | None]) -> None:
    column = coded(values)
    assert told(column) == told(values)
    assert len(column) == len(values)
    assert told([column[p] for p in range(len(values))]) == told(values)
    assert sum(times for _, times in column.counts()) == len(values)
    assert told(column[1:]) == told(values[1:])
    assert column.where(lambda v: v is None).tolist() == [v is None for v in values]
    assert list(column.turned(str)) == [str(v) for v in values]


@given(COLUMNS)
def test_rows_are_told_apart_by_all_columns(columns: list[list[Value | None]]) -> None:
    numbers, first = distinct([coded(column) for column in columns])
    rows = list(zip(*(told(column) for column in columns), strict=True))
    for a, b in combinations(range(len(rows)), 2):
        assert (numbers[a] == numbers[b]) == (rows[a] == rows[b])
    assert [rows.index(row) for row in dict.fromkeys(rows)] == sorted(first.tolist())
    assert all(numbers[place] == number for number, place in enumerate(first.tolist()))


def test_many_distinct_rows_are_told_apart_too() -> None:
    many = coded(range(3000))
    numbers, first = distinct([many, many, coded([0] * 3000)])
    assert numbers.tolist() == first.tolist() == list(range(3000))


@given(st.dictionaries(st.integers(0, 9), VALUES))
def test_placed_values_are_a_mapping(values: dict[int, Value | None]) -> None:
    placed: Placed[Value | None] = Placed(10)
    for place, value in values.items():
        placed[place] = value
    assert dict(placed) == values
    assert list(placed) == sorted(values)
    assert np.flatnonzero(placed.there).tolist() == sorted(values)
    assert sum(times for _, times in placed.counts()) == len(placed) == len(values)
    with pytest.raises(KeyError):
        placed[10]


def test_a_value_put_twice_is_the_last() -> None:
    placed: Placed[str] = Placed(2)
    placed[0] = "a"
    placed[0] = "b"
    assert dict(placed) == {0: "b"}
    assert {value: times for value, times in placed.counts() if times} == {"b": 1}


@given(st.lists(st.text()))
def test_texts_are_kept_and_sorted_as_strings_are(texts: list[str]) -> None:
    kept = Texts(texts)
    assert list(kept) == texts
    assert [texts[p] for p in kept.order()] == sorted(texts)
    assert kept[1:] == texts[1:]
    assert [kept[-1]] == texts[-1:] if texts else not kept


def test_half_a_surrogate_pair_is_kept() -> None:
    assert list(Texts(["\ud800", "a"])) == ["\ud800", "a"]
