"""Ratings on a scale: means as interval data, the chance of the higher rating as ordinal data, and errors where the
truth is known; intervals over raters and items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.raters.accuracy import (
    ALL,
    DRAWS,
    Difference,
    Observed,
    Scored,
    compared,
    observed,
    pairs_of,
)
from harness.raters.table import RatingTable
from harness.raters.truth import Truths, truths_in_order
from harness.rating.form import FormField
from harness.stats.crossed import Crossed, CrossedEstimate, crossed_estimates

Floats = NDArray[np.float64]

MOST_VALUES = 101
"""Different values beyond which ratings are not compared as ordinal."""
MEAN_RATING = "mean"
ERROR = "mean absolute error"
BIAS = "bias"


@dataclass(frozen=True, slots=True)
class Scale:
    """What is computed of a field of numbers."""

    field: FormField
    scores: tuple[Scored, ...]
    """`mean` of each condition, and where there are truths `mean absolute error` and `bias` (rated minus true)."""
    differences: tuple[Difference, ...]
    """Of the means."""
    higher: tuple[Difference, ...]
    """Less .5: the chance that of two ratings, one from each condition, the first is higher; ties count one half."""
    shares: Mapping[str, Mapping[float, int]]
    """Condition -> value -> ratings; empty for more than 15 values."""
    truths: int
    """Ratings of items with a true value."""


def scale_of(
    table: RatingTable,
    field: FormField,
    truths: Truths,
    *,
    against: str | None = None,
    raters: set[str] | None = None,
    seed: int = 0,
) -> Scale | None:
    """Means and differences of a field of numbers; None where nobody gave one. `raters`: those who count."""
    own = [
        r
        for (who, _, name), r in table.ratings.given.items()
        if name == field.name and (raters is None or who in raters)
    ]
    given = [r for r in own if r.value is not None]
    if not given:
        return None
    data = observed(given, table.conditions)
    numbers = np.array([float(str(r.value)) for r in given])
    true = truths_in_order([r.item.sample for r in given], field, truths)
    errors = numbers - np.array([np.nan if t is None else float(t) for t in true])
    values = np.unique(numbers)
    ordinal = len(values) if len(values) <= MOST_VALUES else 0
    rows = _rows(numbers, errors, values[:ordinal], data.condition, len(data.conditions))
    sums = _Sums(data, data.crossed(rows, [""] * len(data.items)), 5 + ordinal, seed)
    unsure = Counter(r.item.condition for r in own if r.value is None)
    scores = tuple(_scores(sums, field, ~np.isnan(errors), unsure))
    few = {(s.condition, ALL) for s in scores if s.name == MEAN_RATING and s.few}
    pairs = [p for p in pairs_of(data.conditions, against) if set(p) <= set(data.conditions)]
    wide = field.spec.high - field.spec.low
    return Scale(
        field, scores,
        tuple(d for p in pairs for d in sums.compared(p, _apart, (-wide, wide), few)),
        tuple(d for p in pairs for d in sums.compared(p, _higher, (-0.5, 0.5), few)) if ordinal else (),
        _counts(numbers, data.condition, data.conditions) if len(values) <= 15 else {},
        int((~np.isnan(errors)).sum()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Ratings of numbers with the rows that are summed."""

    data: Observed
    crossed: Crossed
    width: int
    """Columns of one condition."""
    seed: int

    def estimates(
        self, below: int, above: int, within: tuple[float, float]
    ) -> list[CrossedEstimate]:
        """A ratio of two columns under each condition."""
        names = self.data.conditions
        values = {c: partial(_ratio, k, above, below, self.width) for k, c in enumerate(names)}
        found = crossed_estimates(self.crossed, values, draws=DRAWS, seed=self.seed, within=within)
        return [found[name] for name in names]

    def compared(
        self,
        pair: tuple[str, str],
        value: Callable[[int, int, int, Floats], Floats],
        within: tuple[float, float],
        few: set[tuple[str, str]],
    ) -> list[Difference]:
        """One difference between two conditions."""
        a, b = (self.data.conditions.index(name) for name in pair)
        found = crossed_estimates(
            self.crossed,
            {ALL: partial(value, a, b, self.width)},
            draws=DRAWS,
            seed=self.seed,
            within=within,
        )
        return compared(self.data.design(*pair), found, few)


def _scores(
    sums: _Sums, field: FormField, known: NDArray[np.bool_], unsure: Mapping[str, int]
) -> Iterator[Scored]:
    """The mean, and where anything is true the error and the bias, under each condition."""
    spec, wide = field.spec, field.spec.high - field.spec.low
    data = sums.data
    for name, below, above, within in (
        (MEAN_RATING, 1, 0, (spec.low, spec.high)),
        (ERROR, 4, 2, (0.0, wide)),
        (BIAS, 4, 3, (-wide, wide)),
    ):
        counted = known if name != MEAN_RATING else np.ones_like(known)
        if not counted.any():
            continue
        for k, estimate in enumerate(sums.estimates(below, above, within)):
            used = (data.condition == k) & counted
            if used.any():
                condition = data.conditions[k]
                yield Scored(
                    condition, name, estimate, estimate.value, int(used.sum()),
                    len(set(data.rater[used].tolist())), len(set(data.item[used].tolist())),
                    unsure.get(condition, 0),
                )  # fmt: skip


def _rows(
    numbers: Floats, errors: Floats, values: Floats, condition: NDArray[np.int64], count: int
) -> Floats:
    """(n, conditions * (5 + values)): the number, 1, |error|, error, 1 where it is known, and 1 at the value."""
    known = ~np.isnan(errors)
    plain = np.nan_to_num(errors)
    cells = np.column_stack(
        [numbers, np.ones(len(numbers)), np.abs(plain), plain, known, numbers[:, None] == values]
    ).astype(float)
    rows = np.zeros((len(numbers), count, cells.shape[1]))
    rows[np.arange(len(numbers)), condition] = cells
    return rows.reshape(len(numbers), -1)


def _cells(totals: Floats, width: int) -> Floats:
    return totals.reshape(*totals.shape[:-1], -1, width)


def _ratio(condition: int, above: int, below: int, width: int, totals: Floats) -> Floats:
    cells = _cells(totals, width)[..., condition, :]
    there = cells[..., below] > 0
    return np.where(there, cells[..., above] / np.where(there, cells[..., below], 1), np.nan)


def _apart(first: int, second: int, width: int, totals: Floats) -> Floats:
    return _ratio(first, 0, 1, width, totals) - _ratio(second, 0, 1, width, totals)


def _higher(first: int, second: int, width: int, totals: Floats) -> Floats:
    """P(A > B) + P(A = B) / 2 - 1/2 of the two distributions of values."""
    cells = _cells(totals, width)[..., 5:]
    a, b = cells[..., first, :], cells[..., second, :]
    n = a.sum(axis=-1) * b.sum(axis=-1)
    below = np.cumsum(b, axis=-1) - b / 2
    wins = (a * below).sum(axis=-1)
    return np.where(n > 0, wins / np.where(n > 0, n, 1), np.nan) - 0.5


def _counts(
    numbers: Floats, condition: NDArray[np.int64], conditions: tuple[str, ...]
) -> dict[str, dict[float, int]]:
    found: dict[str, dict[float, int]] = {}
    for k, name in enumerate(conditions):
        values, counts = np.unique(numbers[condition == k], return_counts=True)
        found[name] = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return found
