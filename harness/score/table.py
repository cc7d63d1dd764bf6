"""Score rows: every number with its n, coverage, interval and estimator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import FREE
from harness.core.field import FieldSpec
from harness.metrics import LabelFamily, MetricFamily, SetFamily, metric_of
from harness.metrics.metric import base_name
from harness.score.columns import FieldAnswers, Mask
from harness.score.guessing import guessed
from harness.score.proportions import proportions
from harness.score.repeats import Averaged, averaged, family_of
from harness.score.unseen import NO_SPREAD, Seen, without_spread
from harness.stats.bootstraps import Resampled, bootstrap_each
from harness.stats.interval import Interval
from harness.stats.rows import CodedRows

DRAWS = 2000
LEVEL = 0.95
ANSWERED = "_answered"
SHARED = "_shared"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One number. Keys and order are those of `--json`."""

    task: str
    """Name of the task."""
    model: str
    """Name of the model or baseline."""
    prompt: str
    """Name of the prompt; `-` for a baseline."""
    condition: str
    """What the pictures are shown as, with few-shot examples and label order; `none` for a baseline."""
    slice: str
    """`all`, the name of a part, or `column=value`."""
    field: str
    """The field that is scored."""
    metric: str
    """Name of the metric. `_answered` at the end: over answered samples only; without it invalid answers are misses. `_shared`: over
    the classes that all slices of one annotation hold."""
    value: float | None
    """None where the metric is undefined."""
    low: float | None
    """Lower bound of the 95% interval; None where there is none."""
    high: float | None
    """Upper bound of it."""
    n: int
    """Samples behind the value."""
    coverage: float | None
    """Share of the slice's samples that were answered."""
    estimator: str
    """How value and interval were made."""
    channel: str = FREE
    """How the answers were taken: the channel, and a protocol that does not read one reply (`free, vote-5`); baselines
    have the first of the words."""
    spread: bool = True
    """False where resampling saw no spread (all right, all wrong, one answer to everything), so that the interval is
    what the clusters may have hidden. Written where it is False alone."""

    def to_json(self) -> dict[str, Any]:
        """As scores.json has it."""
        body = asdict(self)
        if self.spread:
            del body["spread"]
        return body


@dataclass(frozen=True, slots=True)
class _Cut:
    """The samples behind one row: a slice, whole or answered only."""

    slice: str
    suffix: str
    places: NDArray[np.int64]
    """Of the column's samples."""
    rows: CodedRows
    clusters: NDArray[np.int64]
    coverage: float | None
    metrics: tuple[str, ...]
    said: str = ""
    """Which of its samples, where not all."""
    again: bool = False
    """Whether these are the samples of the cut before, whose metrics hold these."""


def score_column(column: FieldAnswers, *, seed: int) -> Iterator[ScoreRow]:
    """All rows of a column: each slice, strict and answered-only, and each class on whole slices.

    Slices of one annotation that hold different classes come once more, over the classes they share.
    """
    if column.guesses is not None:
        yield from _guessed_rows(column)
        return
    others = {
        metric: {(row.slice, row.metric): row for row in score_column(column.of_metric(metric), seed=seed)}
        for metric in column.instead
    }  # fmt: skip
    found = averaged(column.spec, column.truth, column.repeats)
    cuts = [*_cuts(column, found), *_shared_cuts(column, found)]
    occurring = [value for value, count in column.truth.counts() if count]
    for cut, drawn in zip(cuts, _intervals(found.family, cuts, seed=seed), strict=True):
        truth = column.truth.at(cut.places)
        seen = Seen(found.family, cut.rows, occurring, truth, cut.clusters)
        intervals = without_spread(drawn, column.spec, seen, model=column.names[1])
        totals = cut.rows.totals()
        values = {metric: float(found.family.value(metric, totals)) for metric in cut.metrics}
        for row in _rows(column, cut, values, intervals):
            other = others.get(base_name(row.metric), {})
            yield other.get((row.slice, row.metric), row)


def _guessed_rows(column: FieldAnswers) -> Iterator[ScoreRow]:
    """The same of answers that are guessed: expectations, and where guessing leads."""
    if column.guesses is None:
        return
    guess = guessed(column.spec, column.truth, column.guesses)
    family = guess.family
    if isinstance(family, LabelFamily):
        family = family_of(column.spec, column.truth, column.truth)
    found = Averaged(family, guess.mean, guess.mean, np.ones(len(column.truth)))
    for cut in [*_cuts(column, found), *_shared_cuts(column, found)]:
        numbers = guess.intervals(cut.metrics, cut.rows, column.spec, level=LEVEL)
        told = dict(zip(cut.metrics, numbers, strict=True))
        values = {metric: value for metric, (value, _) in told.items()}
        yield from _rows(column, cut, values, {metric: one for metric, (_, one) in told.items()})


def _cuts(column: FieldAnswers, found: Averaged) -> Iterator[_Cut]:
    """Each slice, whole and answered only."""
    family, share = found.family, found.share
    for name, mask in column.slices:
        coverage = float(share[mask].mean()) if mask.any() else None
        metrics = _metrics(family, column.spec, whole="=" not in name)
        at = np.flatnonzero(mask)
        yield _Cut(name, "", at, found.rows.at(at), column.clusters[at], coverage, metrics)
        select = mask & (share > 0)
        at = np.flatnonzero(select)
        yield _Cut(
            name, ANSWERED, at, found.answered_rows.at(at), column.clusters[at], coverage,
            column.spec.shown_metrics,
            again=found.answered_rows is found.rows and np.array_equal(select, mask),
        )  # fmt: skip


def _shared_cuts(column: FieldAnswers, found: Averaged) -> Iterator[_Cut]:
    """The slices that hold other classes than others of their annotation, over the classes that all hold."""
    family, metrics = found.family, column.spec.shown_metrics
    if isinstance(family, LabelFamily):
        for name, mask, said in _on_shared_classes(column.slices, family):
            at = np.flatnonzero(mask)
            rows, clusters = found.rows.at(at), column.clusters[at]
            coverage = float(found.share[mask].mean())
            yield _Cut(name, SHARED, at, rows, clusters, coverage, metrics, said=said)


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


def _metrics(family: MetricFamily, spec: FieldSpec, *, whole: bool) -> tuple[str, ...]:
    if whole and isinstance(family, LabelFamily | SetFamily):
        return (*spec.shown_metrics, *family.class_metrics)
    return spec.shown_metrics


def _intervals(
    family: MetricFamily, cuts: Sequence[_Cut], *, seed: int
) -> Iterator[Mapping[str, Interval]]:
    """The intervals of each cut's metrics."""
    own = [cut for cut in cuts if not cut.again]
    shares = [proportions(family, c.metrics, c.rows, c.clusters, level=LEVEL) for c in own]
    resampled = [
        Resampled(
            cut.rows,
            cut.clusters,
            {m: partial(family.value, m) for m in cut.metrics if m not in known},
        )
        for cut, known in zip(own, shares, strict=True)
    ]
    drawn = bootstrap_each(resampled, draws=DRAWS, level=LEVEL, seed=seed, method="auto")
    told = iter([known | more for known, more in zip(shares, drawn, strict=True)])
    found: Mapping[str, Interval] = {}
    for cut in cuts:
        found = found if cut.again else next(told)
        yield found


def _rows(
    column: FieldAnswers, cut: _Cut, values: Mapping[str, float], intervals: Mapping[str, Interval]
) -> Iterator[ScoreRow]:
    task, model, prompt, condition = column.names
    for metric, value in values.items():
        interval = intervals[metric]
        yield ScoreRow(
            task=task,
            model=model,
            prompt=prompt,
            condition=condition,
            slice=cut.slice,
            field=column.field,
            metric=metric + cut.suffix,
            value=rounded(value),
            low=rounded(interval.low),
            high=rounded(interval.high),
            n=len(cut.rows),
            coverage=None if cut.coverage is None else round(cut.coverage, 6),
            estimator=_estimator(column, metric, cut, interval),
            channel=column.channel,
            spread=not interval.reason.startswith(NO_SPREAD),
        )


def _estimator(column: FieldAnswers, metric: str, cut: _Cut, interval: Interval) -> str:
    parts = [metric_of(column.spec, metric).estimator]
    if cut.suffix == ANSWERED:
        parts.append("answered samples only")
    if len(column.repeats) > 1:
        parts.append(f"each sample's mean over {len(column.repeats)} repeats")
    if cut.said:
        parts.append(cut.said)
    assumed = ", independence assumed" if column.unit == "image" else ""
    draws = f", {interval.draws} draws" if interval.draws else ""
    rests = f" ({interval.clusters} by {column.unit}{assumed}{draws})"
    parts.append(f"{interval.level:.0%} {interval.method}{rests if column.guesses is None else ''}")
    if interval.reason:
        parts.append(interval.reason)
    if column.note:
        parts.append(column.note)
    return "; ".join(parts)


def rounded(value: float) -> float | None:
    """Six decimals, so that the same run gives the same bytes on any processor; None for nan."""
    return None if math.isnan(value) else round(value, 6) + 0.0
