"""Blocks hold what a writer can draw, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from harness.core.blocks import Bars, Lines, Matrix, Note, Number, Row, Table


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Table(columns=("a", "b"), rows=(("x",),)), "1 cells in a table of 2 columns"),
        (lambda: Table(columns=("a",), rows=((math.nan,),)), "not a finite number"),
        (lambda: Table(columns=("a",), rows=((object(),),)), "not a cell"),
        (lambda: Table(columns=("a",), rows=((True,),)), "not a cell"),
        (lambda: Number(math.inf), "not a finite number"),
        (lambda: Number(0.5, low=math.nan), "not a finite number"),
        (lambda: Lines(lines="a text"), "not a tuple of texts"),
        (lambda: Lines(lines=(1,)), "not a tuple of texts"),
        (lambda: Note(text=None), "not a tuple of texts"),
        (lambda: Bars(bars=(("a", -1.0),)), "less than 0"),
        (lambda: Matrix(rows=("a",), columns=("a", "b"), counts=((1,),)), "1 rows of 2 columns"),
        (lambda: Matrix(rows=("a",), columns=("a",), counts=((-1,),)), "not a count"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_heading_stands_across_the_table() -> None:
    table = Table(columns=("a", "b"), rows=(Row(("group",), "heading"), ("x", 1)))
    assert [row.role for row in table.lines] == ["heading", "model"]
    assert [column.heading for column in table.headings] == ["a", "b"]
