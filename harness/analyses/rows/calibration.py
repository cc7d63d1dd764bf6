"""Calibration of the channel `logprob`: score rows and reliability data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.core.sample import Value
from harness.metrics import family_for, find_metric, metric_of
from harness.metrics.calibration import (
    ECE,
    NEEDS,
    CalibrationFamily,
    calibration_family,
    expected_error,
    reliability,
)
from harness.score.channels import length_normalised
from harness.score.columns import Groups
from harness.score.records import TaskRecords
from harness.score.table import DRAWS, LEVEL, ScoreRow
from harness.stats.bootstraps import bootstrap_many
from harness.stats.interval import Interval

NORMALISED = "_length_normalised"
"""At the end of a metric: answers are labels of the greatest log-probability a token."""


@dataclass(slots=True)
class Calibration:
    """What scores.json gets."""

    rows: list[ScoreRow] = field(default_factory=list)
    reliability: list[Mapping[str, Any]] = field(default_factory=list)
    """Bins of confidence against accuracy for each cell, field and part."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number stands: one cell and field on one slice."""

    cell: Cell
    field: str
    slice: str
    unit: str
    coverage: float

    def row(
        self, metric: str, value: float, n: int, said: str, interval: Interval | None = None
    ) -> ScoreRow:
        return ScoreRow(
            task=self.cell.task,
            model=self.cell.model,
            prompt=self.cell.prompt,
            condition=self.cell.shown_condition,
            slice=self.slice,
            field=self.field,
            metric=metric,
            value=_rounded(value),
            low=None if interval is None else _rounded(interval.low),
            high=None if interval is None else _rounded(interval.high),
            n=n,
            coverage=round(self.coverage, 6),
            estimator=said if interval is None else f"{said}; {self._interval(interval)}",
            channel=self.cell.taken,
        )

    def _interval(self, interval: Interval) -> str:
        assumed = ", independence assumed" if self.unit == "image" else ""
        reason = f"; {interval.reason}" if interval.reason else ""
        return (
            f"{interval.level:.0%} {interval.method} ({interval.clusters} by {self.unit}{assumed}, "
            f"{interval.draws} draws){reason}"
        )


def calibrate(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell], *, seed: int
) -> Calibration:
    """Brier score, log loss, calibration error and captured mass of each cell with probabilities, on the whole
    task or each of its parts; and the scores of the length-normalised labels beside."""
    made = Calibration()
    for cell in cells:
        for name, spec in records.task.fields.items():
            scored = records.scores_of(cell, name)
            finished = records.given(cell, name).there & records.samples.known(name)
            known = np.flatnonzero(finished).tolist() if scored else []
            for slice_name, mask in groups.slices.items():
                within = [p for p in known if mask[p]]
                places = [p for p in within if p in scored]
                if spec.scored and spec.categorical and places and "=" not in slice_name:
                    coverage = len(places) / len(within)
                    place = _Place(cell, name, slice_name, records.cluster_unit, coverage)
                    clusters = groups.clusters[np.asarray(places, dtype=np.int64)]
                    _one(made, records, place, places, clusters=clusters, seed=seed)
    return made


def _one(
    made: Calibration,
    records: TaskRecords,
    place: _Place,
    places: Sequence[int],
    *,
    clusters: NDArray[np.int64],
    seed: int,
) -> None:
    scored = [records.scored[place.cell, place.field][p] for p in places]
    labels = scored[0].labels
    truth = [labels.index(_label(v)) for v in records.samples.truths_at(place.field, places)]
    family = calibration_family(np.asarray([s.logprobs for s in scored]), truth)
    kinds = ", ".join(sorted({s.estimator for s in scored}))
    made.rows += _means(family, place, clusters, kinds, seed)
    said = f"{find_metric('captured_mass_min', NEEDS).estimator}; {kinds}"
    made.rows.append(place.row("captured_mass_min", float(family.mass.min()), len(places), said))
    for metric, scheme in ECE.items():
        bins = reliability(family.confidence, family.right, scheme=scheme)
        said = f"{find_metric(metric, NEEDS).estimator}; {kinds}; no interval: resampling biases it upwards"
        made.rows.append(place.row(metric, expected_error(bins), len(places), said))
        made.reliability.append(_entry(place, scheme, [asdict(b) for b in bins]))
    if kinds == "continuation":
        made.rows += _normalised(records, place, places, clusters, seed)


def _means(
    family: CalibrationFamily,
    place: _Place,
    clusters: NDArray[np.int64],
    kinds: str,
    seed: int,
) -> Iterator[ScoreRow]:
    rows = family.rows()
    values = {metric: partial(family.value, metric) for metric in family.metrics}
    intervals = bootstrap_many(
        rows, clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    for metric in family.metrics:
        said = find_metric(metric, NEEDS).estimator
        value = float(family.value(metric, rows.sum(axis=0)))
        yield place.row(metric, value, len(rows), f"{said}; {kinds}", intervals[metric])


def _normalised(
    records: TaskRecords,
    place: _Place,
    places: Sequence[int],
    clusters: NDArray[np.int64],
    seed: int,
) -> Iterator[ScoreRow]:
    """Accuracy and UAR of the labels with the greatest log-probability a token."""
    spec = records.task.fields[place.field]
    scored = records.scored[place.cell, place.field]
    family = family_for(
        spec,
        records.samples.truths_at(place.field, places),
        [length_normalised(scored[p]) for p in places],
    )
    rows = family.rows()
    values = {metric: partial(family.value, metric) for metric in ("accuracy", "uar")}
    intervals = bootstrap_many(
        rows, clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    for metric in values:
        said = f"{metric_of(spec, metric).estimator}; label of the greatest log-probability a token"
        value = float(family.value(metric, rows.sum(axis=0)))
        yield place.row(metric + NORMALISED, value, len(rows), said, intervals[metric])


def _entry(place: _Place, scheme: str, bins: list[dict[str, Any]]) -> Mapping[str, Any]:
    rounded = [
        {key: round(value, 6) if isinstance(value, float) else value for key, value in b.items()}
        for b in bins
    ]
    cell = place.cell
    return {
        "task": cell.task, "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
        "channel": cell.taken, "slice": place.slice, "field": place.field, "scheme": scheme, "bins": rounded,
    }  # fmt: skip


def _label(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0
