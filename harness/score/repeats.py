"""Samples asked several times: scores use the mean of repeats, and the variation is reported separately.

A repeat is no further sample. Each sample's rows (what it adds to a metric) are averaged over its repeats before
clusters are resampled, so n, clusters and intervals are those of the samples; a metric that is no mean, such as
F1, is read off the averaged counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.kind import alike
from harness.core.sample import Value
from harness.metrics import LabelFamily, MetricFamily, family_for, main_metric, point
from harness.run.dictionary_encoding import Coded, distinct
from harness.score.naming import who_answered
from harness.score.records import TaskRecords, repeated_answers
from harness.stats.agreement import flips, krippendorff_alpha, spread
from harness.stats.rows import CodedRows
from harness.stats.scored import side_by_side

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Averaged:
    """What n samples add to the metrics of one family, averaged over their repeats."""

    family: MetricFamily
    """Of the first repeat, over all n samples: it reads the rows."""
    rows: CodedRows
    """(n, k) strict rows."""
    answered_rows: CodedRows
    """(n, k) the same of the answered repeats alone; of no use where none was answered."""
    share: Floats
    """(n,) share of the repeats that were answered."""


def averaged(
    spec: FieldSpec, truth: Coded[Value], repeats: Sequence[Coded[Value | None]]
) -> Averaged:
    """The mean over repeats; each holds n answers, None where there was none.

    Rows are made once for each distinct truth with its answers, but of numbers, whose rows are taken about the
    centre of all samples.
    """
    whole = family_of(spec, truth, repeats[0])
    if spec.numeric:
        codes = np.arange(len(truth), dtype=np.int32)
        families = [whole, *(family_for(spec, truth, answers) for answers in repeats[1:])]
    else:
        codes, first = distinct([truth, *repeats])
        one_of_each = truth.at(first)
        families = [family_for(spec, one_of_each, answers.at(first)) for answers in repeats]
    answered = [family.answered.astype(np.float64) for family in families]
    tables = side_by_side(families)
    share = np.mean(answered, axis=0)
    if len(families) == 1:
        rows = CodedRows(tables[0], codes)
        return Averaged(whole, rows, rows, share[codes])
    parts = zip(tables, answered, strict=True)
    given = np.mean([table * there[:, None] for table, there in parts], axis=0)
    return Averaged(
        family=whole,
        rows=CodedRows(np.mean(tables, axis=0), codes),
        answered_rows=CodedRows(given, codes),
        share=share[codes],
    )


def family_of(spec: FieldSpec, truth: Coded[Value], answers: Coded[Value | None]) -> MetricFamily:
    """The family of n samples; of labels each distinct pair of truth and answer is looked at once."""
    if not spec.categorical:
        return family_for(spec, truth, answers)
    codes, first = distinct([truth, answers])
    pairs = family_for(spec, truth.at(first), answers.at(first))
    if not isinstance(pairs, LabelFamily):
        return pairs
    return replace(
        pairs,
        truth=pairs.truth[codes],
        predicted=pairs.predicted[codes],
        answered=pairs.answered[codes],
    )


def consistency(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    """For each cell asked several times and scored field, how often answers change and how much the score does.

    `flip_rate`: share of samples whose answers are not all alike; `pair_rate`: chance that two repeats of a sample
    differ (no answer is an answer of its own; of numbers neither, but `deviation_within`, the root of the mean
    variance of a sample's answers, over samples answered twice or more). `alpha`: Krippendorff's over the repeats, interval for numbers, nominal
    else. `values`: the main metric of each repeat,
    with their mean and deviation (n - 1), which is that over seeds.
    """
    for cell in cells:
        for name, spec in records.task.fields.items():
            places, repeats = repeated_answers(records, cell, name)
            if len(repeats) < 2 or not places or not spec.scored:
                continue
            truth = records.samples.truths_at(name, places)
            metric = main_metric(spec)
            values = [point(family_of(spec, truth, answers), metric) for answers in repeats]
            over = spread(values)
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
                "channel": cell.taken, "field": name, "repeats": len(repeats), "n": len(places),
                **_changes(spec, repeats),
                "alpha": _number(krippendorff_alpha(repeats, scale=_scale(spec)).value),
                "metric": metric,
                "values": [_number(v) for v in values], "mean": _number(over.mean),
                "deviation": _number(over.deviation),
            }  # fmt: skip


def _changes(spec: FieldSpec, repeats: Sequence[Sequence[Value | None]]) -> dict[str, Any]:
    if not spec.numeric:
        found = flips(_said_once(spec, repeats))
        return {"flip_rate": _number(found.samples), "pair_rate": _number(found.pairs)}
    variances = [
        float(np.var(known, ddof=1))
        for answers in zip(*repeats, strict=True)
        if len(known := [a for a in answers if isinstance(a, int | float)]) > 1
    ]
    within = float(np.sqrt(np.mean(variances))) if variances else float("nan")
    return {"deviation_within": _number(within)}


def _said_once(
    spec: FieldSpec, repeats: Sequence[Sequence[Value | None]]
) -> list[tuple[Value | None, ...]]:
    """The repeats with answers of one sample that say the same (a text in another case) written alike."""
    told = []
    for answers in zip(*repeats, strict=True):
        if len(set(answers)) == 1:
            told.append(answers)
            continue
        one = {a: next(b for b in answers if b == a or alike(spec, a, b)) for a in answers}
        told.append(tuple(one[a] for a in answers))
    return [tuple(repeat) for repeat in zip(*told, strict=True)] or [() for _ in repeats]


def _scale(spec: FieldSpec) -> Literal["nominal", "interval"]:
    return "interval" if spec.numeric else "nominal"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6) + 0.0


def consistency_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """What stands beneath tables of repeats."""
    for entry in state.get("consistency", ()):
        changed = (
            f"{entry['flip_rate']:.1%} of {entry['n']:,} samples got different answers"
            if entry.get("flip_rate") is not None
            else f"answers to one sample deviate by {entry.get('deviation_within') or 0:.3f}"
        )
        yield (
            f"{who_answered(entry)}: asked {entry['repeats']} times, scores are means over "
            f"repeats; {changed}; standard deviation of {entry['metric']} over repeats: "
            f"{entry['deviation'] or 0:.3f}"
        )
