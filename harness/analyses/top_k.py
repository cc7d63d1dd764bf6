"""Top-k accuracy of fields whose answers are ranked lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.analyses.keys import has_scores
from harness.analyses.rows.answer_spread import TOPK, topk_rows
from harness.analyses.words import interval, number
from harness.core.blocks import Block, Lines
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.naming import who_answered
from harness.score.table import ScoreRow


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    return topk_rows(
        answers.records, answers.groups, answers.cells, answers.rankings, seed=answers.seed
    )


def topk_on_whole(beside: ScoredTask) -> Iterator[ScoreRow]:
    """Top-k rows of the whole task or its parts."""
    return (row for row in beside.scores if row.metric.startswith(TOPK) and "=" not in row.slice)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    """`predictions:x.csv, emotion: top-2 .848 [.84, .86], top-3 ...`, a line for each cell, field and part; on a page
    they are columns of the table of answers."""
    told: dict[str, list[str]] = {}
    for row in topk_on_whole(beside):
        part = "" if row.slice in {"all", row.field} else f" ({row.slice})"
        said = f"{number(row.value)} {interval(row.low, row.high)}".strip()
        told.setdefault(who_answered(asdict(row)) + part, []).append(
            f"top-{row.metric.removeprefix(TOPK)} {said}"
        )
    if told:
        lines = tuple(f"{who}: {', '.join(numbers)}" for who, numbers in told.items())
        yield Lines(lines=lines, room="little")


ANALYSIS = ShippedAnalysis(
    name="top-k",
    title="Top-k accuracy",
    about="label fields answered with ranked lists: the share with the true label among the first k",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    order=40,
)
