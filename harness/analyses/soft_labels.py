"""Label fields against true distributions: annotators' votes or soft labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import (
    Numbers,
    RowKey,
    by_place,
    has_scores,
    is_baseline,
    is_ceiling,
    measured,
    named,
    places,
    who,
)
from harness.analyses.rows.soft import soft_rows
from harness.core.blocks import Block, Cell, Lines, Note, Number, Place, Row, RowRole, Share, Table
from harness.metrics import titled
from harness.metrics.soft import NEEDS
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.baselines import CEILINGS
from harness.score.table import ScoreRow

COLUMNS = titled(("expected_accuracy", "js", "kl", "cross_entropy", "expected_accuracy@2"), NEEDS)
"""Metric and heading of each column; of JS, KL and cross-entropy less is better."""
BRIEF = 3
"""Columns where there is little room."""

_ABOUT = (
    "The truth of a sample is here a distribution: its annotators’ votes, or its soft label. A model’s answer is the "
    "probabilities that it gives its labels, or the percentages that it states, else the one label it names, counted as "
    "a point mass (which has no KL and no cross-entropy). Expected accuracy: the chance that the likeliest label is what "
    "an annotator drawn from the votes said; @2, that it is one of the two likeliest. JS, KL, cross-entropy: lower is "
    "better."
)


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    return soft_rows(
        answers.records, answers.groups, answers.cells, answers.fits, answers.votes.truths, seed=answers.seed,
    )  # fmt: skip


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    found = by_place(beside.scores)
    for part, field in places(beside):
        numbers = {
            key: by_metric
            for key, by_metric in found[part, field].items()
            if any(metric in by_metric for metric, _ in COLUMNS[:2])
        }
        if numbers:
            yield from _field(numbers, beside.task.name, field, part)


def _field(numbers: Numbers, task: str, field: str, part: str) -> Iterator[Block]:
    at = Place(field, part)
    order = sorted(numbers, key=_rank)
    columns = [c for c in COLUMNS if any(c[0] in rows for rows in numbers.values())]
    brief = [c for c in COLUMNS[:BRIEF] if c in columns]
    name = named(f"{field}, against its votes or soft labels", part)
    answered = f"{brief[0][1].partition(' =')[0]}\nanswered"
    yield Table(
        at=at,
        room="little",
        title=f"{task}: {name}",
        columns=("", "n", "cov.", *(heading for _, heading in brief), answered),
        rows=tuple(_row(key, numbers[key], brief, brief[0][0]) for key in order),
    )
    yield Note(at=at, room="much", title="Against the votes", text=_ABOUT)
    yield Table(
        at=at,
        room="much",
        caption=f"Scores of {name}, strict (no answer counts as the worst one), 95% intervals in brackets",
        columns=("", "n", "Coverage", *(heading for _, heading in columns)),
        rows=tuple(_row(key, numbers[key], columns) for key in order),
    )
    told: dict[str, str] = {}
    for key in order:
        told |= {head: numbers[key][m].estimator for m, head in columns if m in numbers[key]}
    yield Lines(
        at=at,
        room="much",
        folded="How the scores against the votes were computed",
        lines=tuple(f"{head}: {said}" for head, said in told.items()),
    )


def _rank(key: RowKey) -> int:
    """Ceilings first, then baselines, then models as they come."""
    return 0 if is_ceiling(key) else 1 if is_baseline(key) else 2


def _row(
    key: RowKey,
    rows: Mapping[str, ScoreRow],
    columns: Sequence[tuple[str, str]],
    answered: str = "",
) -> Row:
    first = next(rows[metric] for metric, _ in columns if metric in rows)
    kinds: tuple[RowRole, ...] = ("ceiling", "baseline", "model")
    note = "in-sample" if "in-sample" in first.estimator else CEILINGS.get(key[0], "")
    if key[0] == next(iter(CEILINGS)):
        note = "one, against another"
    cells: list[Cell] = [who(key, note), first.n, Share(first.coverage)]
    cells += [measured(rows.get(metric)) for metric, _ in columns]
    if answered:
        cells.append(Number(measured(rows.get(f"{answered}_answered")).value))
    return Row(tuple(cells), kinds[_rank(key)])


ANALYSIS = ShippedAnalysis(
    name="soft-labels",
    title="Against the votes",
    about="label fields with annotators' votes or soft labels: expected accuracy, JS, KL and cross-entropy",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    order=5,
)
