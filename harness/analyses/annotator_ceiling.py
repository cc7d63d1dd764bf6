"""The score of one annotator, if votes are known: rows of the score tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.analyses.rows.ceiling import ceiling_rows
from harness.core.blocks import Block
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    return ceiling_rows(answers.records, answers.groups, answers.votes.truths, seed=answers.seed)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Sequence[Block]:
    return ()


ANALYSIS = ShippedAnalysis(
    name="annotator-ceiling",
    title="Annotator ceiling",
    about="label fields with annotators' votes: the score one annotator would reach, shown in "
    "the score tables",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
)
