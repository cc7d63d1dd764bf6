"""Score rows: every number with its n, coverage, interval and estimator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import FREE
from harness.core.field import FieldSpec
from harness.metrics import Family, LabelFamily, SetFamily, estimator
from harness.score.columns import Column, Mask
from harness.score.proportions import proportions
from harness.score.repeats import averaged
from harness.stats import CodedRows, Interval, bootstrap_many

DRAWS = 2000
LEVEL = 0.95
ANSWERED = "_answered"
SHARED = "_shared"


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
    """`_answered` at the end: over answered samples only; without it invalid answers are misses. `_shared`: over
    the classes that all slices of one annotation hold."""
    value: float | None
    low: float | None
    """Bounds of the 95% interval; None where there is none."""
    high: float | None
    n: int
    """Samples behind the value."""
    coverage: float | None
    """Share of the slice's samples that were answered."""
    estimator: str
    channel: str = FREE
    """How the answers were taken; baselines have the first of the words."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """The samples behind one row: a slice, whole or answered only."""

    slice: str
    suffix: str
    rows: CodedRows
    clusters: NDArray[np.int64]
    coverage: float | None
    said: str = ""
    """Which of its samples, where not all."""


def score_column(column: Column, *, seed: int) -> Iterator[ScoreRow]:
    """All rows of a column: each slice, strict and answered-only, and each class on whole slices.

    Slices of one annotation that hold different classes come once more, over the classes they share.
    """
    found = averaged(column.spec, column.truth, column.repeats)
    family, share = found.family, found.share
    for name, mask in column.slices:
        coverage = float(share[mask].mean()) if mask.any() else None
        strict = _metrics(family, column.spec, whole="=" not in name)
        for suffix, select, rows, metrics in (
            ("", mask, found.rows, strict),
            (ANSWERED, mask & (share > 0), found.answered_rows, column.spec.shown_metrics),
        ):
            cut = _Cut(name, suffix, rows.at(select), column.clusters[select], coverage)
            yield from _rows(column, family, cut, metrics, seed)
    if isinstance(family, LabelFamily):
        for name, mask, said in _on_shared_classes(column.slices, family):
            coverage = float(share[mask].mean())
            cut = _Cut(name, SHARED, found.rows.at(mask), column.clusters[mask], coverage, said)
            yield from _rows(column, family, cut, column.spec.shown_metrics, seed)


def _on_shared_classes(
    slices: Sequence[tuple[str, Mask]], family: LabelFamily
) -> Iterator[tuple[str, Mask, str]]:
    """(slice, its samples of shared classes, what was done) where slices of one annotation hold other classes.

    A slice without fear has no recall of fear; beside one that has, it would win or lose by that alone.
    """
    by_annotation: dict[str, list[tuple[str, Mask]]] = {}
    for name, mask in slices:
        if "=" in name:
            by_annotation.setdefault(name.partition("=")[0], []).append((name, mask))
    for annotation, group in by_annotation.items():
        held = [frozenset(np.unique(family.truth[mask]).tolist()) for _, mask in group]
        shared = frozenset.intersection(*held)
        if len(set(held)) == 1 or not shared:
            continue
        among = np.isin(family.truth, list(shared))
        named = ", ".join(family.classes[code] for code in sorted(shared))
        said = f"over the {len(shared)} classes that all slices of {annotation} hold: {named}"
        yield from ((name, mask & among, said) for name, mask in group)


def _metrics(family: Family, spec: FieldSpec, *, whole: bool) -> tuple[str, ...]:
    if whole and isinstance(family, LabelFamily | SetFamily):
        return (*spec.shown_metrics, *family.class_metrics)
    return spec.shown_metrics


def _rows(
    column: Column, family: Family, cut: _Cut, metrics: Sequence[str], seed: int
) -> Iterator[ScoreRow]:
    values = {metric: partial(family.value, metric) for metric in metrics}
    intervals = proportions(family, metrics, cut.rows, cut.clusters, level=LEVEL)
    resampled = {m: function for m, function in values.items() if m not in intervals}
    intervals |= bootstrap_many(
        cut.rows, cut.clusters, resampled, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    totals = cut.rows.totals()
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
            value=rounded(float(function(totals))),
            low=rounded(interval.low),
            high=rounded(interval.high),
            n=len(cut.rows),
            coverage=None if cut.coverage is None else round(cut.coverage, 6),
            estimator=_estimator(column, metric, cut, interval),
            channel=column.channel,
        )


def _estimator(column: Column, metric: str, cut: _Cut, interval: Interval) -> str:
    parts = [estimator(column.spec.kind, metric)]
    if cut.suffix == ANSWERED:
        parts.append("answered samples only")
    if len(column.repeats) > 1:
        parts.append(f"each sample's mean over {len(column.repeats)} repeats")
    if cut.said:
        parts.append(cut.said)
    assumed = ", independence assumed" if column.unit == "image" else ""
    draws = f", {interval.draws} draws" if interval.draws else ""
    parts.append(
        f"{interval.level:.0%} {interval.method} ({interval.clusters} by {column.unit}{assumed}{draws})"
    )
    if interval.reason:
        parts.append(interval.reason)
    if column.note:
        parts.append(column.note)
    return "; ".join(parts)


def rounded(value: float) -> float | None:
    """Six decimals, so that the same run gives the same bytes on any processor; None for nan."""
    return None if math.isnan(value) else round(value, 6) + 0.0
