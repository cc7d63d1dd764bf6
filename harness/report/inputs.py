"""Input of a report: manifest, scores and tasks of one run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.analyses.keys import Numbers, by_place
from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.report.versions import earlier, kept_lines, standing
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.scoring import scored_manifest
from harness.score.folder import score_run
from harness.score.outside_analyses import unseen
from harness.score.scores import Scores, read_scores
from harness.score.scores import is_scored as is_scored  # noqa: PLC0414 (reports find it here)
from harness.score.table import ScoreRow


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the report sees it."""

    folder: RunFolder
    manifest: Mapping[str, Any]
    tasks: Mapping[str, Task]
    scores: Scores
    blocks: Mapping[tuple[str, str, str], Numbers]
    """(task, slice, field) -> its numbers, in the order of scores.json."""
    all_scores: Scores | None = None
    """With those of earlier versions; None where there are none."""
    all_cells: tuple[Mapping[str, Any], ...] = ()

    def left_out(self, task: str) -> Iterator[str]:
        """What the tables of a task leave out, in words."""
        cells = self.all_cells or self.manifest["cells"]
        return kept_lines({**self.manifest, "cells": cells}, self.all_scores or self.scores, task)

    def whole(self, task: str) -> Iterator[tuple[str, str, Numbers]]:
        """(slice, field, numbers) of the whole task or of each of its parts."""
        for (name, slice_name, field), block in self.blocks.items():
            if name == task and "=" not in slice_name:
                yield slice_name, field, block

    def cells(self, task: str) -> Iterator[Mapping[str, Any]]:
        """The manifest's cells of one task."""
        return (cell for cell in self.manifest["cells"] if cell["task"] == task)


def read_run(folder: RunFolder) -> RunView:
    """Open a run, scoring it first where it was not scored since its last reply, or without an installed analysis.
    An export is opened with the scores that it holds.

    Raises HarnessError for a folder that is no run or a file in it that is broken.
    """
    manifest = scored_manifest(folder)
    if is_export(manifest):
        return view_of(manifest, read_scores(RunFolder(folder.path)), folder=folder)
    scores = read_scores(folder) if is_scored(folder) else score_run(folder)
    if unseen(scores.analyses):
        scores = score_run(folder)
    return view_of(manifest, scores, folder=folder)


def view_of(
    manifest: Mapping[str, Any], scores: Scores, *, folder: RunFolder, versions: bool = False
) -> RunView:
    """A run as tables show it: without earlier versions of edited prompts, or those alone."""
    shown = earlier(scores, manifest) if versions else standing(scores, manifest)
    shown = replace(scores, scores=()) if shown is None else shown
    cells = [cell for cell in manifest["cells"] if bool(cell.get("asked_as")) == versions]
    return RunView(
        folder=folder,
        manifest={**manifest, "cells": cells},
        tasks={
            name: Task.model_validate(entry["config"]) for name, entry in manifest["tasks"].items()
        },
        scores=shown,
        blocks=group(shown),
        all_scores=scores,
        all_cells=tuple(manifest["cells"]),
    )


def is_export(manifest: Mapping[str, Any]) -> bool:
    """Whether a folder is what `harness export` wrote: scores without a journal, without ids and pictures."""
    return "export" in manifest


def group(scores: Scores) -> dict[tuple[str, str, str], Numbers]:
    """Score rows by (task, slice, field), then by who answered, then by metric."""
    by_task: dict[str, list[ScoreRow]] = {}
    for row in scores.scores:
        by_task.setdefault(row.task, []).append(row)
    return {
        (task, *place): numbers
        for task, rows in by_task.items()
        for place, numbers in by_place(rows).items()
    }


def read_conversations(folder: RunFolder, wanted: set[str]) -> dict[str, list[list[str]]]:
    """Name -> [role, text] turns, of the conversations wanted."""
    return {
        record["id"]: record["turns"]
        for _, record in read_log(folder.conversations)
        if record["id"] in wanted
    }


def asked_by(view: RunView, cell: Mapping[str, Any], field: str) -> bool:
    """Whether a cell's prompt may fill a field."""
    return field in view.manifest["prompts"][cell["prompt"]]["head"]["fields"]


def scored_fields(task: Task) -> Iterator[tuple[str, FieldSpec]]:
    """The fields of a task that are scored."""
    return ((name, spec) for name, spec in task.fields.items() if spec.scored)
