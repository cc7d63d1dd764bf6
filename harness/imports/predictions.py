"""Import answers from other tools as a run folder, so that scoring and reporting work as for any run.

The folder reads as if a model named `predictions:FILE` had been run once on the task's samples with the
prompt `-`. What is not known of it (sampling, the prompt's words) is left empty, never made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.analyses.rows.folds import fold_note
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.core.sample import Sample
from harness.core.source import Skipped, source_notes
from harness.core.task import Task
from harness.core.text import canonical_json, counted
from harness.imports.checkpoints import selection_notice
from harness.imports.columns import PredictionMap, choose_columns, has_truth
from harness.imports.files import AnswerFile, open_answers
from harness.imports.folder import (
    MODEL,
    ImportedModel,
    Matched,
    refuse_other_run,
    write_prediction_run,
)
from harness.imports.lines import PredictionLines, read_lines
from harness.imports.replies import reply_maker
from harness.imports.scales import scale_notes
from harness.imports.training import training_details
from harness.run.axes import Axes
from harness.run.folder import RunFolder
from harness.run.planned_task import PlannedTask, plan_task
from harness.run.sample_file import read_samples
from harness.run.samples import with_classes, write_samples
from harness.run.workspace import Workspace, fill_references
from harness.sources.cells import plain
from harness.sources.labels import with_labels

OWN_SOURCE = "predictions"
"""Written as the source's family where the file itself holds the truths."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A run folder made from a file, and what was noticed on the way."""

    folder: RunFolder
    cell: Cell
    samples: int
    notes: tuple[str, ...]


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
    model: ImportedModel | None = None,
) -> Imported:
    """Write `folder` from a file of answers; score it with `score_run`.

    Truths come from the file where a truth column is named; else from the task's source, joined by id,
    where that opens; else, unless `source_meant`, from the file's column of the usual name. Rows without
    an id and rows repeated word for word are left out and counted. `model` names who answered, where that is known.
    Raises HarnessError for a file that cannot be read, unclear columns, one id with two answers, a true label outside the
    task's list, no id in common, or a subject that is tested and was trained on (`harness.imports.training`).
    """
    file = open_answers(path)
    named = "" if model is None else model.name
    refuse_other_run(folder, task=task.name, model=named or MODEL + path.name)
    task, joined = _with_source(task, file, asked, workspace, meant=source_meant)
    columns = choose_columns(file, asked, task, with_truth=not joined)
    lines = read_lines(file, columns, task)
    folder.create()
    if joined:
        planned = plan_task(task, Axes(models=()), folder, here=workspace.here)
    else:
        if asked.fold:  # an annotation of the file's own rows
            task = task.model_copy(update={"folds": asked.fold})
        planned = _plan_own(file, task, lines, folder)
    left_out = tuple(Skipped(why, n) for why, n in sorted(lines.left_out.items()))
    planned = replace(planned, skipped=(*planned.skipped, *left_out))
    make = reply_maker(planned.task, columns, lines)
    folds = [_fold_note(asked.fold, lines, planned, folder)] if asked.fold else []
    trained = training_details(
        file, columns, asked, read_samples(folder.samples(task.name)), unit=planned.cluster_unit,
        place=workspace.here,
    )  # fmt: skip
    model = model or ImportedModel()
    details = {**model.details, **({"folds": folds[0]} if folds else {}), **trained}
    model = replace(model, details=details)
    cell, matched = write_prediction_run(
        folder, planned, lines, file, make, columns=columns, command=command, seed=seed, model=model
    )
    noticed = selection_notice(cell.model, details)
    notes = [
        *folds,
        *([noticed] if noticed else []),
        *_notes(file, planned, lines, left_out, matched),
    ]
    notes += [f"training subjects: {trained['training']}"] if "training" in trained else []
    notes += [
        *make.notes,
        *(f"{path.name}: {one}" for one in scale_notes(planned.task, columns, lines)),
    ]
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
            f"{file.path.name} has no column of true values, and the task's source has none: "
            f"{error.message}",
            hint="name the column with --truth COLUMN, or complete the source with --set "
            "source....",
        ) from None
    return task.model_copy(update={"source": filled}), True


@dataclass(frozen=True, slots=True)
class _FileSource:
    """The samples of a file of answers; they have no media."""

    lines: PredictionLines

    def __iter__(self) -> Iterator[Sample]:
        nothing = Medium(kind="image", frames=(), indices=())
        for line in self.lines:
            yield Sample(
                id=line.sample,
                medium=nothing,
                targets=line.content.targets,
                annotations=line.content.annotations,
                cluster=line.cluster,
            )

    def digest(self) -> str:
        """Over ids, truths, clusters and annotations in the order of ids, not over the answers."""
        found = hashlib.sha256()
        opening = "["  # the whole is one list as canonical JSON, written a row at a time
        for line in self.lines.by_id():
            said = line.content
            row = canonical_json(
                [line.sample, dict(said.targets), line.cluster, dict(said.annotations)]
            )
            found.update(f"{opening}{row}".encode("utf-8", "surrogatepass"))
            opening = ","
        found.update(b"]")
        return found.hexdigest()

    def skipped(self) -> tuple[Skipped, ...]:
        return ()


def _plan_own(
    file: AnswerFile, task: Task, lines: PredictionLines, folder: RunFolder
) -> PlannedTask:
    """The task planned over the file's own ids and truths."""
    named = task.source.get("labels")
    source = with_labels(_FileSource(lines), named, fields=task.fields, keep=True)
    options = {"family": OWN_SOURCE, "file": file.path.name}
    if named is not None:
        options["labels"] = named
    task = task.model_copy(update={"source": options})
    summary = write_samples(source, task, folder.samples(task.name), limited=False)
    for name, classes in summary.classes.items():
        if not classes:
            raise HarnessError(
                f"{file.path.name}: no row has a true value for {name}",
                hint="check --truth COLUMN, or list the labels: --set "
                f"'fields.{name}.labels=[...]'",
            )
    return PlannedTask(
        task=with_classes(task, summary.classes),
        source=source,
        summary=summary,
        digest=source.digest(),
        skipped=source.skipped(),
        notes=source_notes(source),
    )


def _fold_note(fold: str, lines: PredictionLines, planned: PlannedTask, folder: RunFolder) -> str:
    tested = (
        (row.sample, row.cluster, "" if found is None else plain(found))
        for row in read_samples(folder.samples(planned.task.name))
        if (place := lines.place(row.sample)) is not None
        for found in [lines[place].content.annotations[fold]]
    )
    return fold_note(tested, unit=planned.cluster_unit)


def _notes(
    file: AnswerFile,
    planned: PlannedTask,
    lines: PredictionLines,
    left_out: Sequence[Skipped],
    matched: Matched,
) -> Iterator[str]:
    name = file.path.name
    yield from (f"{name}: {note}" for note in file.notes)
    yield from (f"{name}: {counted(s.count, 'row')} left out: {s.reason}" for s in left_out)
    yield from (f"{name}: {note}" for note in planned.notes)
    if matched.stray is not None:
        yield (
            f"{name}: {len(lines) - matched.count:,} ids are not samples of the task and were "
            f"dropped, such as {matched.stray!r}"
        )
    missing = planned.summary.count - matched.count
    if missing:
        yield (
            f"{name}: {missing:,} of {planned.summary.count:,} samples have no prediction: "
            "they count as failed"
        )
