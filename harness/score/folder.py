"""Scoring a run folder: records.parquet and scores.json, from the journal alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.metrics import LabelFamily
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.scoring import scored_manifest
from harness.score.agreement import agreement
from harness.score.baselines import Fitted, read_fits
from harness.score.calibration import Calibration, calibrate
from harness.score.ceiling import ceiling_rows
from harness.score.classes import class_counts
from harness.score.columns import Column, baseline_columns, group, model_columns
from harness.score.export_manifest import refuse_export
from harness.score.folds import fold_scores
from harness.score.label_orders import order_effects
from harness.score.mixture import mixture_scores, read_partners
from harness.score.prediction_folder import read_rankings
from harness.score.prediction_spread import Rankings, answer_spread, topk_rows
from harness.score.records import (
    FAILED,
    TaskRecords,
    cell_of,
    load_samples,
    read_cell,
    write_records,
)
from harness.score.repeats import consistency, family_of
from harness.score.replies import Replies
from harness.score.sentences import sentence_columns
from harness.score.slices import slice_tables
from harness.score.soft import soft_rows
from harness.score.spotting import spotting_rows
from harness.score.table import ScoreRow, score_column
from harness.score.units import unit_counts
from harness.score.votes import Votes, read_soft_truths

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores.json holds."""

    scores: tuple[ScoreRow, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    """Counts of trials by outcome for each cell and field, and of the failed ones by kind of failure."""
    confusions: tuple[Mapping[str, Any], ...]
    """Classes and counts (true by answered, last column: no class) for each cell, label field and part."""
    tasks: tuple[Mapping[str, Any], ...]
    """For each task: samples, cluster unit, pending trials, slices left out, classes with and without samples,
    spread of the answers, trials of each cell that were put in another form than asked (`fallbacks`)."""

    reliability: tuple[Mapping[str, Any], ...] = ()
    """Bins of confidence against accuracy for each cell, field and part with probabilities."""
    agreement: tuple[Mapping[str, Any], ...] = ()
    """How alike two channels of one model answered, for each field and part."""
    slices: tuple[Mapping[str, Any], ...] = ()
    """Scores and non-answers by group for each cell, field, part and annotation (`harness.score.slices`)."""
    folds: tuple[Mapping[str, Any], ...] = ()
    """Mean and deviation over folds beside the pooled scores (`harness.score.folds`)."""
    units: tuple[Mapping[str, Any], ...] = ()
    """Members of set fields one by one (`harness.score.units`)."""

    def to_json(self) -> bytes:
        """The bytes of scores.json: the same for the same journal."""
        body = {
            "schema": SCHEMA,
            "parser": PARSER_VERSION,
            "scores": [asdict(row) for row in self.scores],
            "outcomes": list(self.outcomes),
            "confusions": list(self.confusions),
            "tasks": list(self.tasks),
            "reliability": list(self.reliability),
            "agreement": list(self.agreement),
            "slices": list(self.slices),
            "folds": list(self.folds),
            "units": list(self.units),
        }
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode(
            "utf-8", "surrogatepass"
        )


def score_run(folder: RunFolder, *, before_writing: Callable[[], None] = lambda: None) -> Scores:
    """Read the journal, write records.parquet and scores.json, return the scores.

    Both files are replaced once everything is computed; `before_writing` is called just before. Raises HarnessError
    for a folder that is no run, a broken journal line, or a full disk; the files are then as they were.
    """
    unfinished = folder.records.with_name(".records.parquet.new")
    try:
        scores = _compute(folder, unfinished)
        before_writing()
        unfinished.replace(folder.records)
    except OSError as error:
        raise write_error(folder.records, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    write_atomically(folder.scores, scores.to_json())
    return scores


def _compute(folder: RunFolder, unfinished: Path) -> Scores:
    """The scores; the records are written to `unfinished`."""
    manifest = scored_manifest(folder)
    refuse_export(manifest, folder.path)
    heads = {n: PromptHead.model_validate(p["head"]) for n, p in manifest["prompts"].items()}
    cells = [cell_of(entry) for entry in manifest["cells"]]
    replies = Replies.of_run(folder, manifest)
    tasks = {n: Task.model_validate(t["config"]) for n, t in manifest["tasks"].items()}
    fits = read_fits(folder, tasks)
    seed = int(manifest["seeds"]["bootstrap"])
    repeats = int(manifest.get("repeats", 1))
    records = {
        name: load_samples(folder, tasks[name], cluster_unit=entry["cluster_unit"])
        for name, entry in manifest["tasks"].items()
    }
    # Cell by cell in the order of their ids, which is the order of trials: nothing is held to be sorted.
    write_records(
        unfinished,
        (
            row
            for cell in sorted(cells, key=lambda cell: cell.id)
            for row in read_cell(
                records[cell.task], cell, heads[cell.prompt], replies, repeats=repeats
            )
        ),
    )
    rankings = read_rankings(folder, manifest)
    partners = read_partners(folder, manifest)
    votes = {
        n: Votes(read_soft_truths(folder.scored_samples(n), tasks[n]), partners) for n in records
    }
    gathered = [
        _score_task(records[n], cells, fits.get(n, {}), rankings, votes=votes[n], seed=seed)
        for n in records
    ]
    return Scores(
        scores=tuple(row for task in gathered for row in task.scores),
        outcomes=tuple(entry for task in gathered for entry in task.outcomes),
        confusions=tuple(entry for task in gathered for entry in task.confusions),
        tasks=tuple(task.summary for task in gathered),
        reliability=tuple(entry for task in gathered for entry in task.calibration.reliability),
        agreement=tuple(entry for task in gathered for entry in task.agreement),
        slices=tuple(entry for task in gathered for entry in task.slices),
        folds=tuple(entry for task in gathered for entry in task.folds),
        units=tuple(entry for task in gathered for entry in task.units),
    )


@dataclass(frozen=True, slots=True)
class _TaskScores:
    scores: list[ScoreRow]
    outcomes: list[Mapping[str, Any]]
    confusions: list[Mapping[str, Any]]
    summary: Mapping[str, Any]
    calibration: Calibration
    agreement: list[Mapping[str, Any]]
    slices: list[Mapping[str, Any]]
    folds: list[Mapping[str, Any]]
    units: list[Mapping[str, Any]]


def _score_task(
    records: TaskRecords,
    cells: Sequence[Cell],
    fits: Mapping[tuple[str | None, str], Fitted],
    rankings: Rankings,
    *,
    votes: Votes,
    seed: int,
) -> _TaskScores:
    mine = [cell for cell in cells if cell.task == records.task.name]
    groups = group(records)
    scores = list(ceiling_rows(records, groups, votes.truths, seed=seed))
    confusions: list[Mapping[str, Any]] = []
    slices: list[Mapping[str, Any]] = []
    folds: list[Mapping[str, Any]] = []
    units: list[Mapping[str, Any]] = []
    columns = [
        *baseline_columns(records, groups, fits, seed=seed),
        *model_columns(records, groups, mine),
        *sentence_columns(records, groups, mine, fits, seed=seed),
    ]
    for column in columns:
        rows = list(score_column(column, seed=seed))
        scores += rows
        confusions += _confusions(column)
        slices += slice_tables(column, rows, seed=seed)
        folds += fold_scores(column)
        units += unit_counts(column)
    scores += topk_rows(records, groups, mine, rankings, seed=seed)
    scores += soft_rows(records, groups, mine, fits, votes.truths, seed=seed)
    mixed, mixtures = mixture_scores(records, groups, mine, votes, seed=seed)
    scores += mixed
    scores += spotting_rows(records, mine, fits, seed=seed)
    calibration = calibrate(records, groups, mine, seed=seed)
    scores += calibration.rows
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
            "classes": list(class_counts(records, groups)),
            "answers": answer_spread(records, mine, rankings),
            "fallbacks": list(_fallbacks(records, mine)),
            "broken": list(_broken(records, mine)),
            "consistency": list(consistency(records, mine)),
            "label_orders": list(order_effects(records, groups, mine, seed=seed)),
            "mixtures": mixtures,
        },
        calibration=calibration,
        agreement=list(agreement(records, groups, mine)),
        slices=slices,
        folds=folds,
        units=units,
    )


def _confusions(column: Column) -> Iterator[Mapping[str, Any]]:
    """Confusion counts on whole slices of label fields; of samples asked several times, of every repeat."""
    if not column.spec.categorical:
        return
    families = [family_of(column.spec, column.truth, answers) for answers in column.repeats]
    task, model, prompt, condition = column.names
    for name, mask in column.slices:
        if "=" not in name:
            tables = [f.confusion(select=mask) for f in families if isinstance(f, LabelFamily)]
            counted = np.sum([table.counts for table in tables], axis=0)
            classes, counts = _occurring(tables[0].classes, counted)
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition,
                "channel": column.channel, "slice": name, "field": column.field, "classes": classes, "counts": counts,
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
                counted, failures = Counter[Outcome](), Counter[str]()
                for column in records.of_repeats(cell, name):
                    for answer, times in column.counts():
                        counted[answer.outcome] += times
                        if times and answer.outcome is Outcome.FAILED:
                            failures[answer.rule.removeprefix(FAILED)] += times
                yield {
                    "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                    "condition": cell.condition, "channel": cell.channel, "field": name,
                    "counts": {o.value: counted[o] for o in Outcome if counted[o]},
                    "failures": dict(sorted(failures.items())),
                }  # fmt: skip


def _broken(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    for cell in cells:
        if cell in records.broken:
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.condition,
                "channel": cell.channel, "replies": records.broken[cell],
            }  # fmt: skip


def _fallbacks(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    for cell in cells:
        if cell in records.fallbacks:
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.condition,
                "counts": dict(sorted(records.fallbacks[cell].items())),
            }  # fmt: skip
