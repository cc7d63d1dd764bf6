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
from harness.core.sample import Value
from harness.core.task import Task
from harness.metrics import LabelFamily, family_for
from harness.run.folder import RunFolder, write_atomically
from harness.run.manifest import read_manifest
from harness.score.baselines import BASELINES, Fitted, fit, predict, read_fits
from harness.score.records import TaskRecords, read_task, write_records
from harness.score.replies import Replies
from harness.score.table import LEAST_SLICE, Column, ScoreRow, score_column

SCHEMA = 1
NO_PROMPT = "-"
"""Stands as prompt of the baselines, which read none."""
MOST_VALUES = 24
"""An annotation with more distinct values than this is not sliced by."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores.json holds."""

    scores: tuple[ScoreRow, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    """Counts by outcome for each cell and field."""
    confusions: tuple[Mapping[str, Any], ...]
    """Classes and counts (true by answered, last column: no class) for each cell, label field and part."""
    tasks: tuple[Mapping[str, Any], ...]
    """For each task: samples, cluster unit, pending trials, slices left out."""

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
    rows: list[dict[str, Any]] = []
    gathered: list[_TaskScores] = []
    for name, entry in manifest["tasks"].items():
        records = read_task(
            folder,
            tasks[name],
            cluster_unit=entry["cluster_unit"],
            cells=[cell for cell in cells if cell.task == name],
            heads=heads,
            replies=replies,
            rows=rows,
        )
        gathered.append(_score_task(records, cells, fits.get(name, {}), seed))
    write_records(folder, rows)
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
    seed: int,
) -> _TaskScores:
    mine = [cell for cell in cells if cell.task == records.task.name]
    slices, left_out = _slices(records)
    scores: list[ScoreRow] = []
    confusions: list[Mapping[str, Any]] = []
    columns = [
        *_baseline_columns(records, slices, fits, seed),
        *_model_columns(records, mine, slices),
    ]
    for column in columns:
        scores += score_column(column, seed=seed)
        confusions += _confusions(column)
    return _TaskScores(
        scores=scores,
        outcomes=list(_outcomes(records, mine)),
        confusions=confusions,
        summary={
            "task": records.task.name,
            "samples": len(records.samples),
            "clusters": len({sample.cluster for sample in records.samples}),
            "cluster_unit": records.cluster_unit,
            "pending": sum(records.pending.values()),
            "left_out": left_out,
        },
    )


def _slices(records: TaskRecords) -> tuple[dict[str, list[int]], list[str]]:
    """Slice name -> positions of its samples, and what was left out and why."""
    found: dict[str, list[int]] = {}
    parts = [records.part(sample) for sample in records.samples]
    if records.task.parts is None:
        found["all"] = list(range(len(parts)))
    named = list(records.task.fields)
    whole: dict[str, list[int]] = {}
    for position, part in enumerate(parts):
        if part is not None:
            whole.setdefault(part, []).append(position)
    # Parts named like a field come in the order of the fields, others behind them.
    order = sorted(
        whole, key=lambda part: (named.index(part) if part in named else len(named), part)
    )
    found.update((part, whole[part]) for part in order)
    left_out = []
    for name in records.task.slices:
        groups: dict[str, list[int]] = {}
        for position, sample in enumerate(records.samples):
            value = sample.annotations.get(name)
            if value is not None:
                groups.setdefault(str(value), []).append(position)
        if len(groups) > MOST_VALUES:
            left_out.append(f"{name}: {len(groups)} different values")
            continue
        for value, positions in sorted(groups.items()):
            if len(positions) < LEAST_SLICE:
                left_out.append(f"{name}={value}: {len(positions)} samples")
            else:
                found[f"{name}={value}"] = positions
    return found, left_out


def _model_columns(
    records: TaskRecords, cells: Sequence[Cell], slices: Mapping[str, list[int]]
) -> Iterator[Column]:
    for cell in cells:
        for name, spec in records.task.fields.items():
            answers = records.answers.get((cell, name), {})
            positions = [p for p in sorted(answers) if name in records.samples[p].targets]
            if spec.scored and positions:
                yield _column(
                    records, name, positions, [answers[p].value for p in positions], slices,
                    names=(cell.task, cell.model, cell.prompt, cell.condition),
                )  # fmt: skip


def _baseline_columns(
    records: TaskRecords,
    slices: Mapping[str, list[int]],
    fits: Mapping[tuple[str | None, str], Fitted],
    seed: int,
) -> Iterator[Column]:
    """Majority and prior for every scored field, fitted part by part."""
    for name, spec in records.task.fields.items():
        positions = [
            p for p, s in enumerate(records.samples) if name in s.targets and name in s.asks
        ]
        if not spec.scored or not positions:
            continue
        by_part: dict[str | None, list[int]] = {}
        for p in positions:
            by_part.setdefault(records.part(records.samples[p]), []).append(p)
        for baseline in BASELINES:
            answers: dict[int, Value] = {}
            in_sample = False
            for part, members in by_part.items():
                targets = [records.samples[p].targets[name] for p in members]
                fitted = fits.get((part, name)) or fit(spec.kind, targets)
                assert fitted is not None  # members is not empty
                in_sample |= fitted.in_sample
                ids = [records.samples[p].sample for p in members]
                answers.update(zip(members, predict(baseline, fitted, ids, seed=seed), strict=True))
            yield _column(
                records, name, positions, [answers[p] for p in positions], slices,
                names=(records.task.name, baseline, NO_PROMPT, "none"),
                note="in-sample: fitted on the scored labels" if in_sample else "fitted on --fit-on",
            )  # fmt: skip


def _column(
    records: TaskRecords,
    name: str,
    positions: Sequence[int],
    answers: Sequence[Value | None],
    slices: Mapping[str, list[int]],
    *,
    names: tuple[str, str, str, str],
    note: str = "",
) -> Column:
    return Column(
        names=names,
        field=name,
        spec=records.task.fields[name],
        truth=[records.samples[p].targets[name] for p in positions],
        answers=answers,
        clusters=[records.samples[p].cluster for p in positions],
        slices=[
            (slice_name, mask)
            for slice_name, members in slices.items()
            if (mask := np.isin(positions, members)).any()
        ],
        unit=records.cluster_unit,
        note=note,
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
