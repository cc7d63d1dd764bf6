"""Answers made elsewhere, written down as a run folder, so that scoring and reporting know one way only.

The folder reads as if a model named `predictions:FILE` had been run once on the task's samples with the
prompt `-`. What is not known of it (sampling, the prompt's words) is left empty, never made up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.core.sample import Sample, Value
from harness.core.source import Skipped
from harness.core.task import Task
from harness.core.text import digest_json
from harness.run.folder import RunFolder
from harness.run.plan import Axes, PlannedTask, plan_task
from harness.run.sample_file import read_samples
from harness.run.samples import with_classes, write_samples
from harness.run.workspace import Workspace, fill_references
from harness.score.folds import fold_note
from harness.score.prediction_columns import Columns, PredictionMap, choose_columns, has_truth
from harness.score.prediction_files import (
    FAILURE,
    FINISH,
    REPEAT,
    AnswerFile,
    cell_of,
    open_answers,
)
from harness.score.prediction_folder import Said, write_prediction_run
from harness.score.prediction_replies import reply_maker
from harness.sources.cells import annotation, is_blank, plain, target
from harness.sources.ids import check_id
from harness.sources.rows import Row

OWN_SOURCE = "predictions"
"""Written as the source's family where the file itself holds the truths."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A run folder made from a file, and what was noticed on the way."""

    folder: RunFolder
    cell: Cell
    samples: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One usable row."""

    sample: str
    targets: Mapping[str, Value]
    answers: Mapping[str, Any]
    """Field -> cell; under "" where one reply answers all fields."""
    annotations: Mapping[str, Any]
    cluster: str | None
    finish: Any
    failure: str | None


@dataclass(slots=True)
class _Lines:
    """The usable rows of a file by sample id, and counts of the others."""

    by_id: dict[str, _Line] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def import_predictions(
    path: Path,
    task: Task,
    asked: PredictionMap,
    folder: RunFolder,
    *,
    workspace: Workspace,
    command: Sequence[str],
    source_meant: bool = False,
    seed: int = 0,
) -> Imported:
    """Write `folder` from a file of answers; score it with `score_run`.

    Truths come from the file where a truth column is named; else from the task's source, joined by id,
    where that opens; else, unless `source_meant`, from the file's column of the usual name. Rows without
    an id and rows repeated word for word are left out and counted. Raises HarnessError for a file that cannot be read,
    unclear columns, one id with two answers, a true label outside the task's list, or no id in common.
    """
    file = open_answers(path)
    task, joined = _with_source(task, file, asked, workspace, meant=source_meant)
    columns = choose_columns(file, asked, task, with_truth=not joined)
    lines = _read(file, columns, task)
    folder.create()
    if joined:
        planned = plan_task(task, Axes(models=()), folder, here=workspace.here)
    else:
        if asked.fold:  # an annotation of the file's own rows
            task = task.model_copy(update={"folds": asked.fold})
        planned = _plan_own(file, task, lines, folder)
    left_out = tuple(Skipped(why, n) for why, n in sorted(lines.left_out.items()))
    planned = replace(planned, skipped=(*planned.skipped, *left_out))
    make = reply_maker(planned.task, columns, [line.answers for line in lines.by_id.values()])
    said = {
        name: Said(*make(line.answers), finish=line.finish, failure=line.failure)
        for name, line in lines.by_id.items()
    }
    cell, unmatched, missing = write_prediction_run(
        folder, planned, said, file,
        form=make.form, ranked=make.ranked, columns=columns, command=command, seed=seed,
    )  # fmt: skip
    folds = [_fold_note(asked.fold, lines, planned, folder)] if asked.fold else []
    notes = [*folds, *_notes(file, planned, left_out, unmatched, missing), *make.notes]
    return Imported(folder, cell, planned.summary.count, tuple(notes))


def _with_source(
    task: Task, file: AnswerFile, asked: PredictionMap, workspace: Workspace, *, meant: bool
) -> tuple[Task, bool]:
    """The task with its data roots filled in, and whether its own source gives the truths."""
    if asked.truth:
        return task, False
    from harness.sources import open_source

    try:
        filled = fill_references(dict(task.source), workspace.data, where="source")
        source = open_source(filled, fields=task.fields, base=workspace.here)
        next(iter(source), None)
    except HarnessError as error:
        if has_truth(file, asked) and not meant:
            return task, False
        if meant:
            raise
        raise HarnessError(
            f"{file.path.name} has no column of true values, and the task's source gives none: {error.message}",
            mend="name the column with --truth COL, or complete the source with --set source....",
        ) from None
    return task.model_copy(update={"source": filled}), True


def _read(file: AnswerFile, columns: Columns, task: Task) -> _Lines:
    """All usable rows. Raises HarnessError where one id has two different answers."""
    lines = _Lines()
    seen_any = False
    for row in file:
        seen_any = True
        cell = cell_of(row, columns.id)
        if is_blank(cell):
            lines.left_out["no id"] += 1
            continue
        if row.cells.get(REPEAT):
            lines.left_out["a further epoch or filter of the same sample"] += 1
            continue
        line = _line(row, plain(cell), columns, task)
        known = lines.by_id.get(line.sample)
        if known is None:
            lines.by_id[line.sample] = line
        elif known == line:
            lines.left_out["a row repeated word for word"] += 1
        else:
            raise HarnessError(
                f"{row.where}: the id {line.sample[:80]!r} stands there a second time with other values",
                mend="keep one answer for each id, or put repeats into files of their own",
            )
    if not lines.by_id:
        why = "no row has an id" if seen_any else "it has no rows"
        raise HarnessError(f"{file.path.name}: {why}", mend="check the file and --id COL")
    return lines


def _line(row: Row, sample: str, columns: Columns, task: Task) -> _Line:
    check_id(sample, where=row.where)
    targets = {
        name: target(cell, task.fields[name], column=column, where=row.where)
        for name, column in columns.truth.items()
        if not is_blank(cell := cell_of(row, column))
    }
    by_field = {"": columns.answer} if isinstance(columns.answer, str) else columns.answer
    cluster = cell_of(row, columns.cluster) if columns.cluster else None
    return _Line(
        sample=sample,
        targets=targets,
        answers={name: cell_of(row, column) for name, column in by_field.items()},
        annotations={name: annotation(cell_of(row, name)) for name in columns.annotations},
        cluster=None if is_blank(cluster) else plain(cluster),
        finish=row.cells.get(FINISH, "stop"),
        failure=row.cells.get(FAILURE),
    )


@dataclass(frozen=True, slots=True)
class _FileSource:
    """The samples of a file of answers; they have no media."""

    lines: Mapping[str, _Line]

    def __iter__(self) -> Iterator[Sample]:
        nothing = Medium(kind="image", frames=(), indices=())
        for line in self.lines.values():
            yield Sample(
                id=line.sample,
                medium=nothing,
                targets=line.targets,
                annotations=line.annotations,
                cluster=line.cluster,
            )

    def digest(self) -> str:
        """Over ids, truths, clusters and annotations in the order of ids, not over the answers."""
        rows = sorted(self.lines.values(), key=lambda line: line.sample)
        return digest_json(
            [[r.sample, dict(r.targets), r.cluster, dict(r.annotations)] for r in rows]
        )

    def skipped(self) -> tuple[Skipped, ...]:
        return ()


def _plan_own(file: AnswerFile, task: Task, lines: _Lines, folder: RunFolder) -> PlannedTask:
    """The task planned over the file's own ids and truths."""
    source = _FileSource(lines.by_id)
    options = {"family": OWN_SOURCE, "file": file.path.name}
    task = task.model_copy(update={"source": options})
    summary = write_samples(source, task, folder.samples(task.name), limited=False)
    for name, classes in summary.classes.items():
        if not classes:
            raise HarnessError(
                f"{file.path.name}: no row has a true value for {name}",
                mend=f"check --truth COL, or list the labels: --set 'fields.{name}.labels=[...]'",
            )
    return PlannedTask(
        task=with_classes(task, summary.classes),
        source=source,
        summary=summary,
        digest=source.digest(),
        skipped=(),
    )


def _fold_note(fold: str, lines: _Lines, planned: PlannedTask, folder: RunFolder) -> str:
    tested = (
        (
            row.sample,
            row.cluster,
            plain(line.annotations[fold]) if line.annotations[fold] is not None else "",
        )
        for row in read_samples(folder.samples(planned.task.name))
        if (line := lines.by_id.get(row.sample)) is not None
    )
    return fold_note(tested, unit=planned.cluster_unit)


def _notes(
    file: AnswerFile,
    planned: PlannedTask,
    left_out: Sequence[Skipped],
    unmatched: Sequence[str],
    missing: int,
) -> Iterator[str]:
    name = file.path.name
    yield from (f"{name}: {s.count:,} rows left out: {s.reason}" for s in left_out)
    if unmatched:
        yield (
            f"{name}: {len(unmatched):,} ids are not among the task's samples and were dropped, "
            f"such as {unmatched[0]!r}"
        )
    if missing:
        yield (
            f"{name}: {missing:,} of {planned.summary.count:,} samples have no prediction: "
            "they count as failed"
        )
