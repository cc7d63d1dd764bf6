"""Rank many cells, with those that do not differ significantly."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from harness.stats.bootstraps import Choice, bootstrap
from harness.stats.interval import Interval
from harness.stats.multiple import holm
from harness.stats.paired import Clusters, difference_test
from harness.stats.scored import Scored, side_by_side


@dataclass(frozen=True, slots=True)
class Ranked:
    """One cell of a ranking."""

    name: str
    value: float
    """nan where undefined; such cells come last and are tied with all."""
    interval: Interval
    place: int
    """1 and up, in the order of values."""
    best: int
    """1 + the number of cells shown to be better: the best rank that cannot be excluded."""
    ties: tuple[str, ...]
    """Cells not shown to differ from this one, in the order of values."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The test of two cells of a ranking."""

    better: str
    """The one with the better value; by order of names where they are equal."""
    other: str
    difference: float
    """Value of ``better`` - value of ``other``."""
    p: float
    """Two-sided, as tested; nan where there is no test."""
    adjusted: float
    """After Holm over all pairs of the ranking."""
    test: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Cells in the order of their values, and every pair tested."""

    rows: tuple[Ranked, ...]
    pairs: tuple[Pairing, ...]


def rank(
    cells: Mapping[str, Scored],
    metric: str,
    clusters: Clusters = None,
    *,
    lower_is_better: bool = False,
    method: Choice = "auto",
    draws: int = 2000,
    flips: int = 10_000,
    level: float = 0.95,
    seed: int,
) -> Ranking:
    """Order cells over the same n samples by ``metric``, and say which are tied.

    Every pair is tested (:func:`harness.stats.difference_test`) and the p-values adjusted by
    Holm; a cell is tied with those from which it does not differ at 1 - ``level``. Ties are not
    transitive: A may be tied with B and B with C while A is shown to differ from C. ``flips`` is
    raised where so many pairs could not be told apart by it. Raises HarnessError where the cells
    are not over the same samples.
    """
    if not cells:
        return Ranking((), ())
    rows = dict(zip(cells, side_by_side(list(cells.values())), strict=True))
    value = partial(next(iter(cells.values())).value, metric)
    values = {name: float(value(table.sum(axis=0))) for name, table in rows.items()}
    order = sorted(values, key=lambda name: _place(values[name], name, lower=lower_is_better))
    count = len(order) * (len(order) - 1) // 2
    flips = max(flips, math.ceil(5 * count / (1 - level)))
    tests = [
        difference_test(rows[a], rows[b], clusters, value, flips=flips, seed=seed)
        for a, b in itertools.combinations(order, 2)
    ]
    pairs = tuple(
        Pairing(a, b, values[a] - values[b], found.p, float(adjusted), found.name)
        for (a, b), found, adjusted in zip(
            itertools.combinations(order, 2), tests, holm([t.p for t in tests]), strict=True
        )
    )
    intervals = {
        name: bootstrap(
            rows[name],
            clusters,
            value,
            draws=draws,
            level=level,
            seed=seed,
            method=method,
        )
        for name in order
    }
    return Ranking(_rows(order, values, intervals, pairs, alpha=1 - level), pairs)


def _rows(
    order: list[str],
    values: Mapping[str, float],
    intervals: Mapping[str, Interval],
    pairs: tuple[Pairing, ...],
    *,
    alpha: float,
) -> tuple[Ranked, ...]:
    apart = {(p.better, p.other) for p in pairs if p.adjusted <= alpha}
    return tuple(
        Ranked(
            name=name,
            value=values[name],
            interval=intervals[name],
            place=place,
            best=1 + sum((other, name) in apart for other in order),
            ties=tuple(
                other
                for other in order
                if other != name and not {(name, other), (other, name)} & apart
            ),
        )
        for place, name in enumerate(order, start=1)
    )


def _place(value: float, name: str, *, lower: bool) -> tuple[float, str]:
    if math.isnan(value):
        return math.inf, name
    return (value if lower else -value), name
