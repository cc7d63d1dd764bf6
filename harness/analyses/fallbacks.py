"""Trials sent in another form than requested, such as a video shown as frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.words import fallback_lines
from harness.core.blocks import Block, Lines
from harness.core.task import Task
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers


def _applies(task: Task) -> bool:
    return True


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    fired = answers.records.fallbacks
    for cell in answers.cells:
        if cell in fired:
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
                "counts": dict(sorted(fired[cell].items())),
            }  # fmt: skip


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if rows:
        yield Lines(lines=tuple(fallback_lines({"fallbacks": rows})), room="little")


ANALYSIS = ShippedAnalysis(
    name="fallbacks",
    title="Fallbacks",
    about="every task: trials that were sent in another form than requested, by rule",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="fallbacks",
    in_task=True,
    order=10,
)
