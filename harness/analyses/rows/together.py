"""Cells over the same samples, side by side, so that numbers of several of them are resampled together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.run.dictionary_encoding import Coded
from harness.score.confidence import Sure
from harness.score.repeats import Averaged, averaged
from harness.stats.bootstraps import Estimate

Floats: TypeAlias = "NDArray[np.float64]"
Places: TypeAlias = "NDArray[np.int64]"

SEVERITIES = 5
SLACK = 1e-9
"""A smaller difference of scores is rounding."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one cell answered to one field, sample by sample."""

    cell: Cell
    places: Places
    """(n,) positions of the samples, in order."""
    repeats: Sequence[Coded[Value | None]]
    outcomes: Sequence[Coded[Outcome]]
    sure: Sure | None

    def at(self, places: Places) -> Seen:
        """The same on some of its samples."""
        where = np.searchsorted(self.places, places)
        return replace(
            self,
            places=places,
            repeats=[answers.at(where) for answers in self.repeats],
            outcomes=[one.at(where) for one in self.outcomes],
        )

    def share(self, *outcomes: Outcome) -> float:
        """Share of the samples with one of these outcomes, over all repeats."""
        return float(
            np.mean([np.mean([value in outcomes for value in one]) for one in self.outcomes])
        )

    def wrong(self, truth: Coded[Value], spec: FieldSpec) -> NDArray[np.bool_]:
        """(n,) whether the first repeat gives an answer that is not the true one; of label fields alone."""
        pairs = zip(self.repeats[0], truth, strict=True)
        return np.array([a is not None and a != t for a, t in pairs], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Together:
    """The rows of several cells over the same samples, side by side."""

    families: tuple[Averaged, ...]
    metric: str
    rows: Floats
    """(n, cells times k)"""
    width: int
    """k"""

    @classmethod
    def of(
        cls, spec: FieldSpec, metric: str, truth: Coded[Value], seen: Sequence[Seen]
    ) -> Together:
        """Of cells on the same samples, whose true values are `truth`."""
        families = tuple(averaged(spec, truth, one.repeats) for one in seen)
        tables = [one.rows.table[one.rows.codes] for one in families]
        return cls(families, metric, np.concatenate(tables, axis=1), tables[0].shape[1])

    def value(self, place: int) -> Estimate:
        """The metric of one cell, of totals (..., cells times k)."""
        span = slice(place * self.width, (place + 1) * self.width)
        family = self.families[place].family
        return lambda totals: np.asarray(family.value(self.metric, totals[..., span]))

    def combined(self, places: Sequence[int], weights: Floats) -> Estimate:
        """The weighted sum of the metric over some cells."""
        values = [self.value(place) for place in places]
        return lambda totals: np.asarray(
            sum(weight * value(totals) for weight, value in zip(weights, values, strict=True))
        )


def trapezoids(steps: Sequence[int]) -> Floats:
    """What each severity weighs in the area; one that is left out lies on the line between its neighbours."""
    widths = np.diff(steps) / 2
    weights = np.zeros(len(steps))
    weights[:-1] += widths
    weights[1:] += widths
    return np.asarray(weights / SEVERITIES)


def difference(clean: Estimate, bad: Estimate, sign: int) -> Estimate:
    return lambda totals: sign * (clean(totals) - bad(totals))


def restored_share(good: Estimate, bad: Estimate, clean: Estimate) -> Estimate:
    def value(totals: Floats) -> Floats:
        low = bad(totals)
        lost = clean(totals) - low
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(lost) < SLACK, np.nan, (good(totals) - low) / lost)

    return value


def mean_corruption_error(table: Together, kinds: int) -> Estimate:
    """Of cells in the order kind, model (mine, then the reference's), severity 1 to 5."""

    def value(totals: Floats) -> Floats:
        errors = [
            sum(1 - table.value(at + s)(totals) for s in range(SEVERITIES))
            for at in range(0, 2 * kinds * SEVERITIES, SEVERITIES)
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = [
                np.where(theirs < SLACK, np.nan, mine / theirs)
                for mine, theirs in zip(errors[::2], errors[1::2], strict=True)
            ]
        return np.asarray(np.mean(ratios, axis=0))

    return value
