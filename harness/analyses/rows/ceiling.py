"""The annotators' ceiling: the score of one annotator of the set, if their votes are known.

Three numbers of N votes v_k for K labels, of one sample each, then averaged:

- `annotator`, label metrics: an annotator drawn from the votes against the set's label, sum of v_k/N [k is the label].
  His own vote is among those that decided on the label, so that this is too high: an upper bound, as a noise ceiling
  that keeps the rater in (Nili et al. 2014, PLoS Comput Biol 10(4), e1003553).
- `annotator-left-out`, label metrics: each annotator against the commonest label of the other N - 1, ties sharing:
  the lower bound of the same paper.
- `annotator`, `expected_accuracy`: against another annotator of the same sample, sum of v_k (v_k - 1) / (N (N - 1)),
  which is the agreement P_i of Fleiss (1971). A model's `expected_accuracy` is held against this one.

Votes for what is no class of the field (unknown, no face) are answers that agree with nothing, as a model's refusal is;
`_answered` leaves them out. No hard answer can have more `expected_accuracy` than the commonest label of each sample,
which is what the row `set-label` (`harness.analyses.rows.soft`) shows where the set's label is that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.analyses.rows.soft import interval_words
from harness.metrics import LabelFamily, find_metric, label_family
from harness.metrics.family import Estimate, ratio
from harness.metrics.label import NEEDS
from harness.score.baselines import ANNOTATOR, LEFT_OUT
from harness.score.columns import NO_PROMPT, Groups
from harness.score.grouping import suppressed
from harness.score.records import TaskRecords
from harness.score.table import ANSWERED, DRAWS, LEVEL, ScoreRow, rounded
from harness.score.votes import SoftTruth
from harness.stats.bootstraps import bootstrap_many

Floats = NDArray[np.float64]

SAID = {
    ANNOTATOR: "one annotator drawn from the votes against the set's label, which his own vote helped to decide: an "
    "upper bound",
    LEFT_OUT: "each annotator against the commonest label of the other annotators, ties sharing: a lower bound",
}
AGREEMENT = (
    "chance that two annotators of a sample chose the same class: sum v(v - 1)/(N(N - 1)) (Fleiss 1971), mean "
    "over samples; votes for no class of the field agree with none"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Rated:
    """What one reading of the votes adds to each metric, sample by sample."""

    who: str
    metrics: Mapping[str, tuple[Estimate, str]]
    """Metric -> its function of totals, and the estimator's words."""
    rows: Floats
    answered: Floats
    """(n, k) the same rows of the votes for classes alone."""


def ceiling_rows(
    records: TaskRecords, groups: Groups, truths: Mapping[str, SoftTruth], *, seed: int
) -> Iterator[ScoreRow]:
    """The ceiling of each field whose samples' annotators can be counted, on every slice."""
    for name, truth in truths.items():
        counted = truth.counted
        places = [p for p, s in enumerate(records.samples) if counted[p] and name in s.targets]
        if not places:
            continue
        at = np.asarray(places, dtype=np.int64)
        labels = [str(records.samples[p].targets[name]) for p in places]
        family = label_family(labels, labels, classes=truth.classes)
        for rated in _rated(records, truth, family, truth.votes[at]):
            yield from _rows(rated, records, groups, at, truth, seed=seed)


def _rated(
    records: TaskRecords, truth: SoftTruth, family: LabelFamily, votes: Floats
) -> Iterator[_Rated]:
    spec = records.task.fields[truth.field]
    columns = [truth.classes.index(label) for label in family.classes]
    for who, table in (
        (ANNOTATOR, against_label(votes, np.asarray(columns)[family.truth])),
        (LEFT_OUT, against_others(votes)),
    ):
        metrics = {
            metric: (
                partial(family.value, metric),
                f"{find_metric(metric, NEEDS).estimator}; {SAID[who]}",
            )
            for metric in (*spec.shown_metrics, *family.class_metrics)
        }
        yield _Rated(who, metrics, _cells(table, columns), _cells(table, columns, classes=True))
    pairs = pair_agreement(votes)
    held = pair_agreement(np.column_stack([votes[:, :-1], np.zeros(len(votes))]))
    yield _Rated(
        ANNOTATOR,
        {"expected_accuracy": (lambda t: ratio(t[..., 0], t[..., 1]), AGREEMENT)},
        np.column_stack([pairs, np.ones(len(votes))]),
        np.column_stack([np.nan_to_num(held), ~np.isnan(held)]),
    )


def against_label(votes: Floats, labels: NDArray[np.int64]) -> Floats:
    """(n, K, K + 1) expected cells of true by given class: the votes' shares in the row of each sample's label.

    `votes` (n, K + 1) are numbers of annotators, the last column for what is no class; `labels` (n,) are 0..K-1.
    """
    table = np.zeros((len(votes), votes.shape[1] - 1, votes.shape[1]))
    table[np.arange(len(votes)), labels] = votes / votes.sum(axis=1, keepdims=True)
    return table


def against_others(votes: Floats) -> Floats:
    """(n, K, K + 1) the same with each annotator in the row of the commonest class of all others, ties sharing.

    An annotator whose fellows chose no class at all is left out, so that such a sample weighs less.
    """
    classes = votes.shape[1] - 1
    table = np.zeros((len(votes), classes, classes + 1))
    total = votes.sum(axis=1)
    for given in range(classes + 1):
        others = votes.copy()
        others[:, given] -= 1
        inside = others[:, :classes]
        top = inside.max(axis=1, keepdims=True)
        best = (inside == top) & (top > 0)
        shares = best / np.maximum(best.sum(axis=1, keepdims=True), 1)
        table[:, :, given] = shares * (votes[:, given] / total)[:, None]
    return table


def pair_agreement(votes: Floats) -> Floats:
    """(n,) chance that two annotators of a sample agree on a class; nan for fewer than two annotators."""
    total = votes.sum(axis=1)
    same = (votes[:, :-1] * (votes[:, :-1] - 1)).sum(axis=1)
    return ratio(same, total * (total - 1))


def _cells(table: Floats, columns: list[int], *, classes: bool = False) -> Floats:
    """(n, C*(C+1)) the rows of a LabelFamily over the classes in `columns`: what is none of them goes into the last
    column; with `classes`, only votes for classes count, each sample's renormalised."""
    count = table.shape[2] - 1
    if classes:
        table = table.copy()
        table[:, :, count] = 0.0
        sums = table.sum(axis=(1, 2), keepdims=True)
        table = np.divide(table, sums, out=np.zeros_like(table), where=sums > 0)
    rows = table[:, columns]
    other = rows.sum(axis=2) - rows[:, :, columns].sum(axis=2)
    return np.concatenate([rows[:, :, columns], other[:, :, None]], axis=2).reshape(len(table), -1)


def _rows(
    rated: _Rated,
    records: TaskRecords,
    groups: Groups,
    places: NDArray[np.int64],
    truth: SoftTruth,
    *,
    seed: int,
) -> Iterator[ScoreRow]:
    clusters, unit = groups.clusters[places], records.cluster_unit
    for name, inside in groups.slices.items():
        mask = inside[places]
        if not mask.any() or ("=" in name and suppressed(mask, clusters, unit=unit)):
            continue
        for suffix, table in (("", rated.rows), (ANSWERED, rated.answered)):
            rows = table[mask]
            whole = "=" not in name and not suffix
            functions = {m: f for m, (f, _) in rated.metrics.items() if whole or "[" not in m}
            intervals = bootstrap_many(
                rows, clusters[mask], functions, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
            )
            totals = rows.sum(axis=0)
            for metric, function in functions.items():
                interval = intervals[metric]
                parts = [
                    rated.metrics[metric][1],
                    *(["votes for classes of the field only"] if suffix else []),
                ]
                yield ScoreRow(
                    task=records.task.name, model=rated.who, prompt=NO_PROMPT, condition="none",
                    slice=name, field=truth.field, metric=metric + suffix,
                    value=rounded(float(function(totals))), low=rounded(interval.low),
                    high=rounded(interval.high), n=int(mask.sum()),
                    coverage=round(float(truth.within[places][mask].mean()), 6),
                    estimator="; ".join([*parts, interval_words(interval, unit)]),
                )  # fmt: skip
