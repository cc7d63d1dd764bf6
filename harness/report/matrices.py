"""Confusion matrices with the shade of every cell worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analyses.keys import RowKey, is_baseline, row_key
from harness.report.inputs import RunView
from harness.report.tables import ScoreTable

HOT = 0.78
"""From this share on, ink is inverted so that it stays readable on the shade."""


@dataclass(frozen=True, slots=True)
class Square:
    """One cell: how often, and its share of the row."""

    count: int
    share: float
    percent: str
    """Empty where the count is 0."""
    hot: bool
    right: bool
    """On the diagonal."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of one cell of the run: rows true, columns answered, the last one no class."""

    key: RowKey
    classes: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Square, ...]], ...]
    """(true class, its samples, squares)."""


def matrices(view: RunView, table: ScoreTable) -> tuple[Matrix, ...]:
    """The matrices of a field on its slice, baselines left out (theirs hold one column)."""
    return tuple(
        _matrix(entry)
        for entry in view.scores.confusions
        if (entry["task"], entry["slice"], entry["field"]) == (table.task, table.slice, table.field)
        and not is_baseline(row_key(entry))
    )


def _matrix(entry: Mapping[str, Any]) -> Matrix:
    classes = tuple(entry["classes"])
    rows = []
    for position, (name, counts) in enumerate(zip(classes, entry["counts"], strict=True)):
        total = sum(counts)
        squares = tuple(
            _square(count, total, right=position == place) for place, count in enumerate(counts)
        )
        rows.append((name, total, squares))
    return Matrix(row_key(entry), classes, tuple(rows))


def shades(counts: Sequence[int]) -> tuple[Square, ...]:
    """The cells of one row, none of which is right or wrong."""
    total = sum(counts)
    return tuple(_square(count, total, right=False) for count in counts)


def _square(count: int, total: int, *, right: bool) -> Square:
    share = round(count / total, 4) if total else 0.0
    return Square(count, share, f"{share:.0%}" if count else "", share >= HOT, right)
