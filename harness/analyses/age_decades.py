"""Ages by the decade of the true age: error and bias, since a mean over all hides who is judged wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from harness.analyses.keys import RowKey, is_baseline, named, row_key, who
from harness.analyses.words import count
from harness.core.blocks import Block, Cell, Note, Number, Place, Row, RowRole, Table
from harness.core.task import Task
from harness.metrics.ages import DECADES, decade_of
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.columns import FieldAnswers
from harness.score.grouping import suppressed
from harness.score.table import ScoreRow, score_column

_Found: TypeAlias = "dict[RowKey, dict[str, Mapping[str, Any]]]"
"""Who answered -> decade -> entry."""

METRICS = ("age_mae", "age_bias")
BY = "decade_mae"
"""Fields whose tables show this metric are shown by decade."""
_CAPTION = (
    "By decade of the true age, over answered samples: mean absolute error and bias (answer minus truth) in years. "
    "Age is often said too high of the young and too low of the old: the mean of all hides it"
)


def _applies(task: Task) -> bool:
    return any(spec.scored and BY in spec.shown_metrics for spec in task.fields.values())


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    for column in answers.columns:
        if BY in column.spec.shown_metrics and column.guesses is None:
            yield from _entries(column, seed=answers.seed)


def _entries(column: FieldAnswers, *, seed: int) -> Iterator[Mapping[str, Any]]:
    """A row for each part and decade; those too few to be shown have no numbers."""
    years = [v if isinstance(v, int | float) else 0.0 for v in column.truth.values]
    place = decade_of(np.array(years, dtype=np.float64))[column.truth.codes]
    spec = column.spec.model_copy(update={"metrics": METRICS})
    task, model, prompt, condition = column.names
    for whole, inside in column.slices:
        if "=" in whole:
            continue
        for decade in range(DECADES):
            mask = inside & (place == decade)
            if not mask.any():
                continue
            why = suppressed(mask, column.clusters, unit=column.unit)
            cut = replace(column, spec=spec, slices=[(whole, mask)], instead={})
            rows = () if why else tuple(score_column(cut, seed=seed))
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition,
                "channel": column.channel, "slice": whole, "field": column.field,
                "decade": f"{10 * decade}-{10 * decade + 9}" if decade < DECADES - 1 else f"{10 * decade}+",
                "n": int(mask.sum()), "suppressed": why, **_numbers(rows),
            }  # fmt: skip


def _numbers(rows: Sequence[ScoreRow]) -> Mapping[str, Any]:
    found: dict[str, Any] = {"coverage": rows[0].coverage if rows else None}
    for metric in METRICS:
        row = next((r for r in rows if r.metric == f"{metric}_answered"), None)
        ends = (None, None, None) if row is None else (row.value, row.low, row.high)
        found |= dict(zip((metric, f"{metric}_low", f"{metric}_high"), ends, strict=True))
    return found


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    places = dict.fromkeys((entry["slice"], entry["field"]) for entry in rows)
    for part, field in places:
        here = [e for e in rows if (e["slice"], e["field"]) == (part, field)]
        found: _Found = {}
        for entry in here:
            found.setdefault(row_key(entry), {})[entry["decade"]] = entry
        decades = sorted(
            {e["decade"] for e in here}, key=lambda name: int(name.rstrip("+").split("-")[0])
        )
        shown = [d for d in decades if not next(e for e in here if e["decade"] == d)["suppressed"]]
        at = Place(field, part)
        for metric, title in zip(METRICS, ("Error by decade", "Bias by decade"), strict=True):
            if shown:
                yield _table(at, metric, f"{title}: {named(field, part)}", shown, found)
        left = [
            f"{d} ({next(e for e in here if e['decade'] == d)['suppressed']})"
            for d in decades
            if d not in shown
        ]
        if left:
            yield Note(
                at=at,
                room="much",
                text=f"Decades with too few samples to be shown: {', '.join(left)}.",
            )


def _table(at: Place, metric: str, title: str, decades: Sequence[str], found: _Found) -> Table:
    first = next(iter(found.values()))
    return Table(
        at=at,
        room="much",
        title=title,
        caption=_CAPTION,
        columns=("", *(f"{d}\nn {count(first[d]['n'])}" for d in decades)),
        rows=tuple(
            Row((who(key), *(_cell(entries[d], metric) for d in decades)), _role(key))
            for key, entries in found.items()
        ),
    )


def _cell(entry: Mapping[str, Any], metric: str) -> Cell:
    return Number(entry[metric], entry[f"{metric}_low"], entry[f"{metric}_high"])


def _role(key: RowKey) -> RowRole:
    return "baseline" if is_baseline(key) else "model"


ANALYSIS = ShippedAnalysis(
    name="age-decades",
    title="Ages by decade",
    about="fields scored by `decade_mae`: error and bias in years by decade of the true age",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="age_decades",
    order=31,
)
