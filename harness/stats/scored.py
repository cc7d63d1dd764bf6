"""Metric families over the same samples, prepared for comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError

Floats = NDArray[np.float64]

_SAME = ("classes", "names", "truth", "low", "high", "neutral")
"""What two families of one kind share when they are over the same samples, where they have it."""


class Scored(Protocol):
    """What of a metric family a comparison needs; every family of ``harness.metrics`` fits."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""

    def rows(self) -> Floats:
        """(n, k) one additive row per sample."""

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., k), shape (...)."""


def side_by_side(families: Sequence[Scored]) -> list[Floats]:
    """Rows (n, k) of each family, such that the first family's ``value`` reads all of them.

    Families of numbers take moments about a centre of their own, for precision; here all take
    them about the first one's, so that rows can change places. Raises HarnessError where the
    families cannot be over the same samples in the same order.
    """
    if not families:
        return []
    first, rows = families[0], [families[0].rows()]
    centre = getattr(first, "centre", None)
    for family in families[1:]:
        _check(first, family)
        moved: Any = family
        if centre is not None:
            moved = dataclasses.replace(moved, centre=centre)
        rows.append(moved.rows())
        if rows[-1].shape != rows[0].shape:
            raise HarnessError(
                f"rows of shapes {rows[0].shape} and {rows[-1].shape}",
                hint="compare answers to the same samples in the same order",
            )
    return rows


def _check(a: Scored, b: Scored) -> None:
    for name in _SAME:
        ours, theirs = getattr(a, name, None), getattr(b, name, None)
        if not np.array_equal(np.asarray(ours, dtype=object), np.asarray(theirs, dtype=object)):
            raise HarnessError(
                f"the two differ in their {name}",
                hint="compare answers to the same samples in the same order, on the same scale",
            )
