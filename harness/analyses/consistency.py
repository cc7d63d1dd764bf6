"""How much answers change between repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.core.blocks import Block, Lines
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.repeats import consistency, consistency_lines


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    return consistency(answers.records, answers.cells)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if rows:
        yield Lines(lines=tuple(consistency_lines({"consistency": rows})))


ANALYSIS = ShippedAnalysis(
    name="consistency",
    title="Asked again",
    about="runs with `--repeats`: how often answers change, and how much the score varies",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="consistency",
    in_task=True,
    order=16,
)
