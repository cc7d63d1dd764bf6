"""Cells whose constraint was not enforced, and replies that broke it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.words import count
from harness.core.blocks import Block, Lines, Note
from harness.core.task import Task
from harness.run.capability_check import unconstrained
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers


def _applies(task: Task) -> bool:
    return True


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    broken = answers.records.broken
    for cell in answers.cells:
        if cell in broken:
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
                "channel": cell.taken, "replies": broken[cell],
            }  # fmt: skip


def _told(rows: Sequence[Mapping[str, Any]], beside: ScoredTask) -> Iterator[str]:
    for cell in beside.manifest.get("cells", ()):
        kinds = unconstrained(beside.manifest, cell) if cell["task"] == beside.task.name else ()
        if kinds:
            yield (
                f"{' '.join(heading(row_key(cell)))}: not constrained ({', '.join(kinds)}): "
                "the server enforced no request format that was tried, so these are "
                "free-text replies"
            )
    for entry in rows:
        yield (
            f"{' '.join(heading(row_key(entry)))}: {count(entry['replies'])} replies broke "
            "the constraint; they were parsed anyway"
        )


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    lines = tuple(_told(rows, beside))
    if lines:
        yield Lines(lines=lines, room="little")
    for line in lines:
        yield Note(text=f"{line}.", title="Constraint", warning=True, room="much")


ANALYSIS = ShippedAnalysis(
    name="constraints",
    title="Constraints",
    about="cells on the channel `choice`: where a server did not enforce the allowed answers",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="broken",
    in_task=True,
    order=60,
)
