"""Distribution of answers over labels: entropy, most common answer, ranked lists, and a warning of collapse.

A model that gives one answer, or one ordering, to most pictures is not looking at them, whatever its score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.answers.vocabulary import canonicaliser
from harness.core.cell import Cell, trial_id
from harness.core.sample import Value
from harness.score.columns import Groups
from harness.score.naming import who_answered
from harness.score.rankings import Rankings
from harness.score.records import TaskRecords
from harness.score.table import DRAWS, LEVEL, ScoreRow
from harness.stats.bootstraps import bootstrap_many
from harness.stats.interval import Interval, wilson

TOP_K = (2, 3, 4, 5)
LEAST = 20
"""Fewer answers than this are not judged."""
ORDERING_SHARE = 0.5
"""One ordering of all labels covering this share of the ranked answers is a collapse."""
ANSWER_SHARE = 0.5
ANSWER_EXCESS = 1.5
"""One label covering ANSWER_SHARE of the answers, and this many times its share of the truths, is one too."""

TOPK = "topk_accuracy@"
"""Before the k in a metric's name."""


def entropy(counts: Sequence[int]) -> float:
    """Shannon (1948) entropy of counts, in bits; 0 for none."""
    total = sum(counts)
    return sum(n / total * math.log2(total / n) for n in counts if n) if total else 0.0


def answer_spread(
    records: TaskRecords, cells: Sequence[Cell], rankings: Rankings
) -> list[dict[str, Any]]:
    """One entry a cell and label field: entropies (bits; share of the greatest possible), commonest answer
    and ordering with their shares (0..1), and `collapsed`, a sentence or an empty text."""
    found = []
    for cell in cells:
        for name, spec in records.task.fields.items():
            answers = records.answers.get((cell, name))
            if spec.one_label and spec.scored and answers:
                found.append(_spread(records, cell, name, rankings))
    return found


def _spread(records: TaskRecords, cell: Cell, name: str, rankings: Rankings) -> dict[str, Any]:
    answers = records.answers[cell, name]
    counted = _counter((a.value, n) for a, n in answers.counts())
    total = sum(counted.values())
    top, times = min(counted.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    bits = entropy(list(counted.values()))
    most = math.log2(len(records.task.fields[name].classes) or 1)
    entry: dict[str, Any] = {
        "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
        "channel": cell.taken, "field": name,
        "n": total, "entropy_bits": round(bits, 6),
        "entropy_normalised": round(bits / most, 6) if most else None,
        "top_answer": top, "top_share": round(times / total, 6) if total else None,
    }  # fmt: skip
    truths = _counter(records.samples.truths(name).at(np.flatnonzero(answers.there)).counts())
    warning = _one_answer(top, times, total, truths)
    orders = _orders(records, cell, name, rankings)
    if orders:
        order, often = min(orders.items(), key=lambda item: (-item[1], item[0]))
        lists = sum(orders.values())
        entry |= {
            "rankings": lists, "orderings": len(orders), "top_ordering": list(order),
            "top_ordering_n": often, "top_ordering_share": round(often / lists, 6),
        }  # fmt: skip
        if lists >= LEAST and len(order) > 1 and often >= ORDERING_SHARE * lists:
            said = ", ".join(order)
            warning = f"one ordering ({said}) covers {often:,} of {lists:,} answers"
    return {**entry, "collapsed": warning}


def _counter(counts: Iterable[tuple[Value | None, int]]) -> Counter[str]:
    """Values as words, and how often they occur."""
    counted = Counter[str]()
    for value, times in counts:
        if value is not None and times:
            counted[str(value)] += times
    return counted


def _one_answer(top: str, times: int, total: int, truths: Counter[str]) -> str:
    if total < LEAST or times < ANSWER_SHARE * total or not truths:
        return ""
    share = truths[top] / sum(truths.values())
    if times < ANSWER_EXCESS * share * total:
        return ""
    return f"one answer ({top}) covers {times:,} of {total:,}, and is true of {share:.0%}"


def _orders(
    records: TaskRecords, cell: Cell, name: str, rankings: Rankings
) -> Counter[tuple[str, ...]]:
    """How often each list occurs, spelled as the task's labels where they are among them."""
    spec = records.task.fields[name]
    table = canonicaliser(spec.classes, spec.synonyms)
    return Counter(
        tuple(table.label(item) or item for item in items)
        for p in (records.answers[cell, name] if rankings else ())
        if (items := rankings.get(trial_id(cell, records.samples.ids[p]), {}).get(name))
    )


def topk_rows(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell], rankings: Rankings, *, seed: int
) -> Iterator[ScoreRow]:
    """`topk_accuracy@k` for k = 2..5 on every slice, of fields whose answers are ranked lists."""
    for cell in cells if rankings else ():
        for name, spec in records.task.fields.items():
            answers = records.answers.get((cell, name))
            known = records.samples.known(name)
            places = [p for p in answers or () if known[p]]
            ranks = _ranks(records, cell, name, places, rankings) if spec.one_label else None
            if ranks is not None:
                yield from _cell_rows(
                    records, groups, cell, name, places=places, ranks=ranks, seed=seed
                )


def _ranks(
    records: TaskRecords, cell: Cell, name: str, places: Sequence[int], rankings: Rankings
) -> np.ndarray[Any, np.dtype[np.int64]] | None:
    """(n, 2) rank of the true label (0 where it is not in the list) and length of the list."""
    spec = records.task.fields[name]
    table = canonicaliser(spec.classes, spec.synonyms)
    truths = records.samples.truths(name)
    found = np.zeros((len(places), 2), dtype=np.int64)
    for row, p in enumerate(places):
        items = rankings.get(trial_id(cell, records.samples.ids[p]), {}).get(name, ())
        labels = [table.label(item) for item in items]
        truth = truths[p]
        found[row] = (labels.index(str(truth)) + 1 if truth in labels else 0, len(labels))
    return found if found[:, 1].any() else None


def _cell_rows(
    records: TaskRecords,
    groups: Groups,
    cell: Cell,
    name: str,
    *,
    places: Sequence[int],
    ranks: np.ndarray[Any, np.dtype[np.int64]],
    seed: int,
) -> Iterator[ScoreRow]:
    ks = [k for k in TOP_K if k <= ranks[:, 1].max()]
    hits = np.stack([(ranks[:, 0] > 0) & (ranks[:, 0] <= k) for k in ks], axis=1) if ks else None
    index = np.asarray(places, dtype=np.int64)
    for slice_name, whole in groups.slices.items():
        mask = whole[index]
        if hits is None or not mask.any():
            continue
        rows = np.column_stack([hits[mask].astype(np.float64), np.ones(int(mask.sum()))])
        values = {str(k): (lambda t, at=at: t[..., at] / t[..., -1]) for at, k in enumerate(ks)}
        intervals = _alone(rows, groups.clusters[index][mask], ks) or bootstrap_many(
            rows, groups.clusters[index][mask], values, draws=DRAWS, level=LEVEL, seed=seed
        )
        for at, k in enumerate(ks):
            interval = intervals[str(k)]
            bounds = [None if math.isnan(x) else round(x, 6) for x in (interval.low, interval.high)]
            yield ScoreRow(
                task=cell.task, model=cell.model, prompt=cell.prompt, condition=cell.shown_condition,
                slice=slice_name, field=name, metric=f"{TOPK}{k}",
                value=round(float(rows[:, at].mean()), 6), low=bounds[0], high=bounds[1], n=len(rows),
                coverage=round(float((ranks[mask, 1] > 0).mean()), 6),
                estimator=f"share with the true label among the first {k} of the ranked answer; "
                f"{LEVEL:.0%} {interval.method} ({interval.clusters} by {records.cluster_unit}"
                f"{', independence assumed' if records.cluster_unit == 'image' else ''}"
                f"{f', {interval.draws} draws' if interval.draws else ''})",
                channel=cell.taken,
            )  # fmt: skip


def _alone(
    rows: np.ndarray[Any, np.dtype[np.float64]],
    clusters: np.ndarray[Any, np.dtype[np.int64]],
    ks: Sequence[int],
) -> dict[str, Interval]:
    """Wilson intervals where every sample is a cluster of its own; else empty."""
    if np.unique(clusters).size < len(rows):
        return {}
    hits = rows.sum(axis=0)
    return {str(k): wilson(int(hits[at]), len(rows), level=LEVEL) for at, k in enumerate(ks)}


def ranking_line(entry: Mapping[str, Any]) -> str:
    """What a terminal says of the spread of a cell whose answers are ranked lists."""
    return (
        f"{who_answered(entry)}: answer entropy {entry['entropy_bits']:.2f} bits "
        f"({entry['entropy_normalised'] or 0:.0%} of the maximum), most common answer "
        f"{entry['top_answer']} {entry['top_share'] or 0:.0%}, {entry['orderings']:,} rankings"
    )
