"""Score rows: every number with its n, coverage, interval and estimator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.core.field import FieldSpec
from harness.metrics import Family, LabelFamily, estimator, family_for
from harness.score.columns import Column
from harness.stats import Interval, bootstrap_many

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One number. Keys and order are those of `--json`."""

    task: str
    model: str
    prompt: str
    condition: str
    slice: str
    """`all`, the name of a part, or `column=value`."""
    field: str
    metric: str
    """`_answered` at the end: over answered samples only; without it invalid answers are misses."""
    value: float | None
    low: float | None
    """Bounds of the 95% interval; None where there is none."""
    high: float | None
    n: int
    """Samples behind the value."""
    coverage: float | None
    """Share of the slice's samples that were answered."""
    estimator: str


@dataclass(frozen=True, slots=True)
class _Cut:
    """The samples behind one row: a slice, whole or answered only."""

    slice: str
    suffix: str
    rows: NDArray[np.float64]
    clusters: NDArray[np.int64]
    coverage: float | None


def score_column(column: Column, *, seed: int) -> Iterator[ScoreRow]:
    """All rows of a column: each slice, strict and answered-only, and each class on whole slices."""
    family = family_for(column.spec, column.truth, column.answers)
    rows, answered = family.rows(), family.answered
    for name, mask in column.slices:
        coverage = float(answered[mask].mean()) if mask.any() else None
        strict = _metrics(family, column.spec, whole="=" not in name)
        for suffix, select, metrics in (
            ("", mask, strict),
            ("_answered", mask & answered, column.spec.shown_metrics),
        ):
            cut = _Cut(name, suffix, rows[select], column.clusters[select], coverage)
            yield from _rows(column, cut, {m: partial(family.value, m) for m in metrics}, seed)


def _metrics(family: Family, spec: FieldSpec, *, whole: bool) -> tuple[str, ...]:
    if whole and isinstance(family, LabelFamily):
        return (*spec.shown_metrics, *family.class_metrics)
    return spec.shown_metrics


def _rows(
    column: Column,
    cut: _Cut,
    values: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]],
    seed: int,
) -> Iterator[ScoreRow]:
    intervals = bootstrap_many(
        cut.rows, cut.clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    totals = cut.rows.sum(axis=0)
    task, model, prompt, condition = column.names
    for metric, function in values.items():
        interval = intervals[metric]
        yield ScoreRow(
            task=task,
            model=model,
            prompt=prompt,
            condition=condition,
            slice=cut.slice,
            field=column.field,
            metric=metric + cut.suffix,
            value=_number(float(function(totals))),
            low=_number(interval.low),
            high=_number(interval.high),
            n=len(cut.rows),
            coverage=None if cut.coverage is None else round(cut.coverage, 6),
            estimator=_estimator(column, metric, cut.suffix, interval),
        )


def _estimator(column: Column, metric: str, suffix: str, interval: Interval) -> str:
    parts = [estimator(column.spec.kind, metric)]
    if suffix:
        parts.append("answered samples only")
    assumed = ", independence assumed" if column.unit == "image" else ""
    parts.append(
        f"{interval.level:.0%} {interval.method} ({interval.clusters} by {column.unit}{assumed}, "
        f"{interval.draws} draws)"
    )
    if interval.reason:
        parts.append(interval.reason)
    if column.note:
        parts.append(column.note)
    return "; ".join(parts)


def _number(value: float) -> float | None:
    """Six decimals, so that the same run gives the same bytes on any processor; None for nan."""
    return None if math.isnan(value) else round(value, 6) + 0.0
