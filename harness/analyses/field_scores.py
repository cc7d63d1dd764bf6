"""The scores of each field: rows of the score tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.core.blocks import Block
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    return (row for _, rows in answers.scored for row in rows)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Sequence[Block]:
    return ()


ANALYSIS = ShippedAnalysis(
    name="field-scores",
    title="Scores",
    about="every scored field: its metrics, strict and on answered samples, with intervals, "
    "for the whole task, its parts and its slices",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
)
