"""Spotted intervals of long videos: STRS and its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.analyses.keys import is_baseline, measured, prompt_on, who
from harness.analyses.rows.spotting import COMPAT, FIELD, spotting_rows
from harness.analyses.spot_lines import COUNTS, SHOWN, spot_lines
from harness.core.blocks import Block, Number, Preformatted, Row, Table
from harness.core.task import Task
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow


def _applies(task: Task) -> bool:
    return task.spotting is not None


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    return spotting_rows(answers.records, answers.cells, answers.fits, seed=answers.seed)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    spots = [row for row in beside.scores if row.field == FIELD]
    if not spots:
        return
    yield Preformatted(lines=tuple(spot_lines(spots, whole=False)), room="little")
    found: dict[tuple[str, str, str], dict[str, ScoreRow]] = {}
    for row in spots:
        key = (row.model, prompt_on(row.prompt, row.channel), row.condition)
        found.setdefault(key, {})[row.metric] = row
    yield Table(
        room="much",
        caption="Strict scores with 95% intervals over subjects; compat STRS as the reference implementation gives it",
        columns=(
            "",
            "Videos",
            *(name for _, name in SHOWN),
            " / ".join(name for _, name in COUNTS),
            "Compat STRS",
        ),
        rows=tuple(
            Row(
                (
                    who(key),
                    metrics["strs"].n,
                    *(measured(metrics[name]) for name, _ in SHOWN),
                    " / ".join(f"{metrics[name].value or 0:.0f}" for name, _ in COUNTS),
                    Number(metrics["strs" + COMPAT].value),
                ),
                "baseline" if is_baseline(key) else "model",
            )
            for key, metrics in found.items()
        ),
    )


ANALYSIS = ShippedAnalysis(
    name="spotting",
    title="Spotting",
    about="tasks with `spotting`: STRS, and F1 of spotting and of the emotions of spotted intervals",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    order=72,
)
