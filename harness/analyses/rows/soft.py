"""Scores of label fields whose truth is a distribution: the votes of annotators, soft labels, mixtures.

An answer is the distribution that a model gives (its labels' probabilities on the channel `logprob`, or the
percentages of a prompt that asks for them), else the one label that it named, a point mass. Every row says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.conditions.mixture import weight_of
from harness.core.cell import FREE, Cell
from harness.core.generation import LabelScores
from harness.core.sample import Value
from harness.metrics import SoftFamily, find_metric, point_masses, soft_family
from harness.metrics.soft import NEEDS
from harness.score.baselines import SET_LABEL, Fitted, fit
from harness.score.columns import NO_PROMPT, Groups
from harness.score.grouping import suppressed
from harness.score.records import TaskRecords, repeated_answers
from harness.score.table import ANSWERED, DRAWS, LEVEL, ScoreRow, rounded
from harness.score.votes import SoftTruth
from harness.stats.bootstraps import bootstrap_many
from harness.stats.interval import Interval

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

POINT = "each answer one label, counted as a point mass"
SAID = {
    "stated": "answers: the percentages that the replies state",
    "first-token": "answers: the labels' probabilities (first-token)",
    "continuation": "answers: the labels' probabilities (continuation)",
    "distribution": "answers: the shares that the model gives its labels",
}


@dataclass(frozen=True, slots=True, eq=False)
class SoftColumn:
    """The distributions of one model, or of something it is held against, beside the true ones."""

    names: tuple[str, str, str, str]
    """Task, model, prompt, condition."""
    field: str
    families: Sequence[SoftFamily]
    """One for each repeat."""
    places: Places
    """(n,) positions of the samples."""
    said: str
    """What truth and answers are."""
    channel: str = FREE


def soft_rows(
    records: TaskRecords,
    groups: Groups,
    cells: Sequence[Cell],
    fits: Mapping[tuple[str | None, str], Fitted],
    truths: Mapping[str, SoftTruth],
    *,
    seed: int,
) -> Iterator[ScoreRow]:
    """All soft-label scores of a task: what the truth's own label and the two baselines reach, then every cell.

    `truths`: label field -> its distributions (`harness.score.votes`). Cells that mix samples have another truth and
    are scored in `harness.analyses.rows.mixture`.
    """
    plain = [cell for cell in cells if weight_of(cell.condition) is None]
    for truth in truths.values():
        columns = [
            *_references(records, truth, fits),
            *(c for cell in plain if (c := soft_column(records, cell, truth)) is not None),
        ]
        for column in columns:
            yield from column_rows(column, records, groups, seed=seed)


def _references(
    records: TaskRecords, truth: SoftTruth, fits: Mapping[tuple[str | None, str], Fitted]
) -> Iterator[SoftColumn]:
    """The set's own label, the commonest label, and the frequencies of the labels as a distribution."""
    name, samples = truth.field, records.samples
    known = truth.known
    places = [p for p, s in enumerate(samples) if known[p] and name in s.targets]
    if not places:
        return
    parts: dict[str | None, list[int]] = {}
    for p in places:
        parts.setdefault(records.part(samples[p]), []).append(p)
    prior = np.full(truth.shares.shape, np.nan)
    majority: dict[int, Value] = {}
    fitted = True
    for part, members in parts.items():
        found = fits.get((part, name)) or fit("label", [samples[p].targets[name] for p in members])
        fitted = fitted and not found.in_sample
        majority |= dict.fromkeys(members, found.majority())
        prior[members] = _frequencies(found, truth.classes)
    note = "fitted on --fit-on" if fitted else "in-sample: fitted on the scored labels"
    at = np.asarray(places, dtype=np.int64)

    def column(who: str, predicted: Floats, said: str, *, point: bool) -> SoftColumn:
        family = soft_family(truth.shares[at], predicted, within=truth.within[at], point=point)
        names = (records.task.name, who, NO_PROMPT, "none")
        return SoftColumn(names, name, (family,), at, f"{truth.said}; {said}")

    own = point_masses([str(samples[p].targets[name]) for p in places], truth.classes)
    yield column(SET_LABEL, own, f"the set's own label; {POINT}", point=True)
    common = point_masses([str(majority[p]) for p in places], truth.classes)
    yield column("majority", common, f"{POINT}; {note}", point=True)
    yield column("prior", prior[at], f"answers: how often each label occurs; {note}", point=False)


def _frequencies(found: Fitted, classes: Sequence[str]) -> Floats:
    counts = np.zeros(len(classes))
    for value, count in zip(found.values, found.counts, strict=True):
        if value in classes:
            counts[classes.index(str(value))] += count
    return counts / counts.sum() if counts.any() else np.full(len(classes), 1 / len(classes))


def soft_column(
    records: TaskRecords, cell: Cell, truth: SoftTruth, *, of: Floats | None = None, told: str = ""
) -> SoftColumn | None:
    """What one cell answered beside the truth; None where nothing is finished.

    `of` (n, K): distributions in place of the truth's own (mixtures), rows of nan where there is none; `told` says
    what they are. Probabilities are those of the first repeat.
    """
    shares = truth.shares if of is None else of
    known = np.asarray(~np.isnan(shares).any(axis=1))
    positions, repeats = repeated_answers(records, cell, truth.field)
    keep = [at for at, p in enumerate(positions) if known[p]]
    if not keep:
        return None
    at = np.asarray([positions[k] for k in keep], dtype=np.int64)
    scored = records.scores_of(cell, truth.field)
    given, said = answered_shares(scored, at, truth.classes)
    within = truth.within[at] if of is None else np.ones(at.size)
    tables = [given] if given is not None else [
        point_masses([_word(answers[k]) for k in keep], truth.classes) for answers in repeats
    ]  # fmt: skip
    return SoftColumn(
        names=(cell.task, cell.model, cell.prompt, cell.shown_condition),
        field=truth.field,
        families=[soft_family(shares[at], t, within=within, point=given is None) for t in tables],
        places=at,
        said=f"{told or truth.said}; {said}",
        channel=cell.taken,
    )


def answered_shares(
    scored: Mapping[int, LabelScores], places: Places, classes: Sequence[str]
) -> tuple[Floats | None, str]:
    """(n, K) the labels' probabilities at n positions, rows of nan where there are none, and what they are.

    None where no position has probabilities: the answers are then single labels.
    """
    rows = np.full((places.size, len(classes)), np.nan)
    column = {label: k for k, label in enumerate(classes)}
    kinds = set()
    for at, place in enumerate(places.tolist()):
        scores = scored.get(place)
        if scores is None:
            continue
        kinds.add(scores.estimator)
        logs = np.asarray(scores.logprobs)
        weights = np.exp(logs - logs.max())
        rows[at] = 0.0
        for label, weight in zip(scores.labels, weights.tolist(), strict=True):
            if label in column:
                rows[at, column[label]] += weight
        total = rows[at].sum()
        rows[at] = rows[at] / total if total > 0 else np.nan
    if not kinds:
        return None, POINT
    return rows, "; ".join(SAID[kind] for kind in sorted(kinds))


def column_rows(
    column: SoftColumn, records: TaskRecords, groups: Groups, *, seed: int
) -> Iterator[ScoreRow]:
    """The rows of a column: every slice, strict and over answered samples."""
    clusters = groups.clusters[column.places]
    tables = [family.rows() for family in column.families]
    given = [family.answered.astype(np.float64) for family in column.families]
    share = np.mean(given, axis=0)
    strict = np.mean(tables, axis=0)
    answered = np.mean([t * g[:, None] for t, g in zip(tables, given, strict=True)], axis=0)
    for name, inside in groups.slices.items():
        mask = inside[column.places]
        small = "=" in name and suppressed(mask, clusters, unit=records.cluster_unit)
        if not mask.any() or small:
            continue
        coverage = float(share[mask].mean())
        for suffix, rows, select in (
            ("", strict, mask),
            (ANSWERED, answered, mask & (share > 0)),
        ):
            cut = _Cut(name, suffix, rows[select], clusters[select], coverage)
            yield from _rows(column, cut, records.cluster_unit, seed=seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    slice: str
    suffix: str
    rows: Floats
    clusters: NDArray[np.int64]
    coverage: float


def _rows(column: SoftColumn, cut: _Cut, unit: str, *, seed: int) -> Iterator[ScoreRow]:
    family = column.families[0]
    values = {metric: partial(family.value, metric) for metric in family.metrics}
    intervals = bootstrap_many(
        cut.rows, cut.clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    totals = cut.rows.sum(axis=0)
    task, model, prompt, condition = column.names
    for metric, function in values.items():
        interval = intervals[metric]
        parts = [find_metric(metric, NEEDS).estimator, column.said]
        parts += ["answered samples only"] if cut.suffix else []
        repeats = len(column.families)
        parts += [f"each sample's mean over {repeats} repeats"] if repeats > 1 else []
        yield ScoreRow(
            task=task, model=model, prompt=prompt, condition=condition, slice=cut.slice,
            field=column.field, metric=metric + cut.suffix,
            value=rounded(float(function(totals))), low=rounded(interval.low), high=rounded(interval.high),
            n=len(cut.rows), coverage=round(cut.coverage, 6),
            estimator="; ".join([*parts, interval_words(interval, unit)]), channel=column.channel,
        )  # fmt: skip


def interval_words(interval: Interval, unit: str) -> str:
    """How an interval was made, for an estimator line."""
    assumed = ", independence assumed" if unit == "image" else ""
    reason = f"; {interval.reason}" if interval.reason else ""
    draws = f", {interval.draws} draws" if interval.draws else ""
    return f"{interval.level:.0%} {interval.method} ({interval.clusters} by {unit}{assumed}{draws}){reason}"


def _word(value: Value | None) -> str | None:
    return None if value is None else str(value)
