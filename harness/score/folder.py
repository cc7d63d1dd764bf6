"""Scoring a run folder: records.parquet and scores.json, from the journal alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.metrics import LabelFamily, family_for
from harness.run.folder import RunFolder, write_atomically
from harness.run.manifest import read_manifest
from harness.score.baselines import Fitted, read_fits
from harness.score.columns import Column, baseline_columns, group, model_columns
from harness.score.prediction_folder import read_rankings
from harness.score.prediction_spread import Rankings, answer_spread, topk_rows
from harness.score.records import TaskRecords, load_samples, read_cell, write_records
from harness.score.replies import Replies
from harness.score.table import ScoreRow, score_column

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores.json holds."""

    scores: tuple[ScoreRow, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    """Counts by outcome for each cell and field."""
    confusions: tuple[Mapping[str, Any], ...]
    """Classes and counts (true by answered, last column: no class) for each cell, label field and part."""
    tasks: tuple[Mapping[str, Any], ...]
    """For each task: samples, cluster unit, pending trials, slices left out, spread of the answers."""

    def to_json(self) -> bytes:
        """The bytes of scores.json: the same for the same journal."""
        body = {
            "schema": SCHEMA,
            "parser": PARSER_VERSION,
            "scores": [asdict(row) for row in self.scores],
            "outcomes": list(self.outcomes),
            "confusions": list(self.confusions),
            "tasks": list(self.tasks),
        }
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode(
            "utf-8", "surrogatepass"
        )


def score_run(folder: RunFolder) -> Scores:
    """Read the journal, write records.parquet and scores.json, return the scores.

    Raises HarnessError for a folder that is no run, a broken journal line, or a full disk.
    """
    manifest = read_manifest(folder)
    heads = {n: PromptHead.model_validate(p["head"]) for n, p in manifest["prompts"].items()}
    cells = [
        Cell(c["task"], c["model"], c["prompt"], c["condition"], c["protocol"])
        for c in manifest["cells"]
    ]
    replies = Replies(folder, {c["id"]: c["basis"] for c in manifest["cells"]})
    tasks = {n: Task.model_validate(t["config"]) for n, t in manifest["tasks"].items()}
    fits = read_fits(folder, tasks)
    seed = int(manifest["seeds"]["bootstrap"])
    records = {
        name: load_samples(folder, tasks[name], cluster_unit=entry["cluster_unit"])
        for name, entry in manifest["tasks"].items()
    }
    # Cell by cell in the order of their ids, which is the order of trials: nothing is held to be sorted.
    write_records(
        folder,
        (
            row
            for cell in sorted(cells, key=lambda cell: cell.id)
            for row in read_cell(records[cell.task], cell, heads[cell.prompt], replies)
        ),
    )
    rankings = read_rankings(folder, manifest)
    gathered = [_score_task(records[n], cells, fits.get(n, {}), rankings, seed) for n in records]
    scores = Scores(
        scores=tuple(row for task in gathered for row in task.scores),
        outcomes=tuple(entry for task in gathered for entry in task.outcomes),
        confusions=tuple(entry for task in gathered for entry in task.confusions),
        tasks=tuple(task.summary for task in gathered),
    )
    write_atomically(folder.scores, scores.to_json())
    return scores


@dataclass(frozen=True, slots=True)
class _TaskScores:
    scores: list[ScoreRow]
    outcomes: list[Mapping[str, Any]]
    confusions: list[Mapping[str, Any]]
    summary: Mapping[str, Any]


def _score_task(
    records: TaskRecords,
    cells: Sequence[Cell],
    fits: Mapping[tuple[str | None, str], Fitted],
    rankings: Rankings,
    seed: int,
) -> _TaskScores:
    mine = [cell for cell in cells if cell.task == records.task.name]
    groups = group(records)
    scores: list[ScoreRow] = []
    confusions: list[Mapping[str, Any]] = []
    columns = [
        *baseline_columns(records, groups, fits, seed=seed),
        *model_columns(records, groups, mine),
    ]
    for column in columns:
        scores += score_column(column, seed=seed)
        confusions += _confusions(column)
    scores += topk_rows(records, groups, mine, rankings, seed=seed)
    return _TaskScores(
        scores=scores,
        outcomes=list(_outcomes(records, mine)),
        confusions=confusions,
        summary={
            "task": records.task.name,
            "samples": len(records.samples),
            "clusters": int(groups.clusters.max(initial=-1)) + 1,
            "cluster_unit": records.cluster_unit,
            "pending": sum(records.pending.values()),
            "left_out": list(groups.left_out),
            "answers": answer_spread(records, mine, rankings),
        },
    )


def _confusions(column: Column) -> Iterator[Mapping[str, Any]]:
    """Confusion counts on whole slices of label fields."""
    if column.spec.kind not in {"label", "yes-no"}:
        return
    family = family_for(column.spec, column.truth, column.answers)
    assert isinstance(family, LabelFamily)
    task, model, prompt, condition = column.names
    for name, mask in column.slices:
        if "=" not in name:
            table = family.confusion(select=mask)
            classes, counts = _occurring(table.classes, table.counts)
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition, "slice": name,
                "field": column.field, "classes": classes, "counts": counts,
            }  # fmt: skip


def _occurring(
    classes: Sequence[str], counts: NDArray[np.int64]
) -> tuple[list[str], list[list[int]]]:
    """The table without classes that a part neither holds nor receives."""
    keep = [i for i in range(len(classes)) if counts[i].any() or counts[:, i].any()]
    return [classes[i] for i in keep], counts[np.ix_(keep, [*keep, len(classes)])].tolist()


def _outcomes(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    for cell in cells:
        for name in records.task.fields:
            answers = records.answers.get((cell, name))
            if answers:
                counted = Counter(answer.outcome for answer in answers.values())
                yield {
                    "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                    "condition": cell.condition, "field": name,
                    "counts": {o.value: counted[o] for o in Outcome if counted[o]},
                }  # fmt: skip
