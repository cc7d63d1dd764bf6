"""The shade of every cell of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shade:
    """One cell: how often, and its share of the row."""

    count: int
    share: float
    percent: str
    """Empty where the count is 0."""
    right: bool
    """On the diagonal."""
    apart: bool
    """Beyond the columns that are also rows."""


def shades(counts: Sequence[int], row: int, rows: int, *, paired: bool) -> tuple[Shade, ...]:
    """The cells of one row of a matrix of so many rows."""
    total = sum(counts)
    return tuple(
        _shade(count, total, right=paired and place == row, apart=paired and place == rows)
        for place, count in enumerate(counts)
    )


def _shade(count: int, total: int, *, right: bool, apart: bool) -> Shade:
    share = round(count / total, 4) if total else 0.0
    return Shade(count, share, f"{share:.0%}" if count else "", right, apart)
