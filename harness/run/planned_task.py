"""The samples of one task as planned: one pass over its source, or what the last start wrote of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.task import SUBJECT, Task
from harness.run.adapter_folds import with_folds
from harness.run.axes import Axes
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.run.gone import read_gone
from harness.run.planned_before import (
    OnlyPictures,
    PlannedSamples,
    made_of,
    may_take_over,
    note_samples,
    take_over,
)
from harness.run.sample_file import read_lean_samples
from harness.run.samples import SampleSummary, select_with_classes, with_classes, write_samples
from harness.sources import open_source
from harness.sources.contradiction import Contradictions

if TYPE_CHECKING:
    from harness.run.exemplars import ExamplePool


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task with its labels fixed and its samples written down."""

    task: Task
    source: Source
    summary: SampleSummary
    digest: str
    """Hex digest of the annotations as the source read them."""
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    """What the source has to say of how it read them: labels that it joined, for one."""
    gone: frozenset[str] = frozenset()
    """Samples that the run held before and that the source no longer has."""
    pool: ExamplePool | None = None
    """What few-shot examples are drawn from, where a cell shows any."""
    record: PlannedSamples | None = None
    """By which the next start knows whether it has to read the source; None where it has to."""
    few: tuple[Sample, ...] = ()
    """The samples, where they are few pictures (`OnlyPictures.few`), so that the source need not be read again."""

    @property
    def every(self) -> Iterable[Sample]:
        """The samples once more, from the source only where they are not held. Those that were not chosen are among
        them."""
        return self.few or self.source

    @property
    def cluster_unit(self) -> str:
        """What is resampled: `subject`, the annotation named by the task, or `image`."""
        if self.task.cluster not in {"auto", "image"}:
            return self.task.cluster
        return "subject" if self.summary.own_clusters else "image"


def plan_task(
    task: Task,
    axes: Axes,
    folder: RunFolder,
    *,
    here: Path,
    standing: RunFolder | None = None,
    before: PlannedSamples | None = None,
) -> PlannedTask:
    """One pass over a task's source: samples written, labels fixed.

    `standing` is the run as it is: its samples stay beside those that a limit chooses. `before` is what its last start
    planned: where that would come again, its samples are taken over, and the source is not read.
    """
    source = open_source(task.source, fields=task.fields, base=here)
    made = None
    if standing is not None and axes.limit is None and axes.folds is None:
        made = made_of(task, source, here)
        if before is not None and may_take_over(before, made, standing.samples(task.name), source):
            return _taken_over(task, source, before, folder, standing)
    return _read(task, source, axes, folder, standing, made=made, here=here)


def _taken_over(
    task: Task, source: Source, before: PlannedSamples, folder: RunFolder, standing: RunFolder
) -> PlannedTask:
    """The task as it was planned the last time."""
    take_over(standing.samples(task.name), folder.samples(task.name))
    planned = PlannedTask(
        task=with_classes(task, before.summary.classes), source=source, summary=before.summary,
        digest=before.source, skipped=before.left_out, notes=tuple(before.notes),
        gone=read_gone(standing).get(task.name, frozenset()), record=before,
    )  # fmt: skip
    _check_folds(planned, folder)
    return planned


def _read(
    task: Task,
    source: Source,
    axes: Axes,
    folder: RunFolder,
    standing: RunFolder | None,
    *,
    made: str | None,
    here: Path,
) -> PlannedTask:
    """The task as its source has it now. `made` is what its samples will be made of, where that can be said."""
    kept, notes = frozenset[str](), list[str]()
    if standing is not None:
        kept = _held(standing, task.name, notes) | read_gone(standing).get(task.name, frozenset())
    chosen = None
    rows: Iterable[Sample] = source
    stated = stated_labels(source)
    if axes.limit is not None:
        # A limit chooses samples, not classes: what is offered to a model is what the whole source holds.
        rows, classes = select_with_classes(source, task, axes.limit, axes.seed)
        stated = {**stated, **classes}
        if kept:  # they stay beside what is chosen now, in the order of the source
            chosen = frozenset(sample.id for sample in rows)
            rows = (sample for sample in source if sample.id in kept or sample.id in chosen)
    gone, plain, contrary = set(kept), OnlyPictures(), Contradictions(task.fields)
    rows = contrary.passed(rows)
    summary = write_samples(
        with_folds(
            _crossing_off(map(plain, rows) if axes.limit is None else rows, gone), axes.folds, task
        ),
        task,
        folder.samples(task.name),
        limited=axes.limit is not None and chosen is None,
        stated=stated,
    )
    record = None
    if made and plain.holds and made == made_of(task, source, here):  # not edited meanwhile
        record = note_samples(made, folder.samples(task.name), summary, source, bare=plain.bare)
    planned = PlannedTask(
        task=with_classes(task, summary.classes),
        source=source,
        summary=summary if chosen is None else replace(summary, chosen=chosen),
        digest=source.digest(),
        skipped=source.skipped(),
        gone=frozenset(gone),
        notes=(*source_notes(source), *contrary.notes(), *notes),
        record=record,
        few=plain.few,
    )
    _check_folds(planned, folder)
    return planned


def _check_folds(planned: PlannedTask, folder: RunFolder) -> None:
    """Raises HarnessError where no sample has what the task's folds are taken from."""
    task = planned.task
    if task.folds is None or (task.folds == SUBJECT and planned.cluster_unit == SUBJECT):
        return
    rows = read_lean_samples(folder.samples(task.name), (task.folds,))
    if any(row.annotations.get(task.folds) is not None for row in rows):
        return
    if task.folds == SUBJECT:
        raise HarnessError(
            f"task {task.name}: folds: subject leaves one subject out, and the source names no subjects",
            hint="use a source that knows its subjects, name their column (cluster: COLUMN of a table), or leave out folds",
        )
    raise HarnessError(
        f"task {task.name}: no sample has the annotation {task.folds!r}, which folds: names",
        hint="write folds: subject to leave one subject out, name the annotation that holds the fold, or leave out folds",
    )


def with_ids_of(task: Task, folder: RunFolder) -> Task:
    """The task with its table's `ids` as the folder's last run had them, so that finished trials are found again.

    In a folder that version 0.2 began, paths are ids as the table spells them, as they were there.
    """
    if task.source.get("family") != "table" or "ids" in task.source or not folder.manifest.exists():
        return task
    from harness.run.manifest import read_manifest  # which builds on this module

    try:
        entry = read_manifest(folder).get("tasks", {}).get(task.name)
    except HarnessError:  # it cannot be read, and a new one is about to be written
        return task
    ids = "path" if entry is None else entry.get("ids", "as-written")
    if ids == "path":
        return task
    return task.model_copy(update={"source": {**task.source, "ids": ids}})


def _crossing_off(samples: Iterable[Sample], names: set[str]) -> Iterator[Sample]:
    """The samples; their ids are taken out of `names`."""
    for sample in samples:
        names.discard(sample.id)
        yield sample


def _held(folder: RunFolder, task: str, notes: list[str]) -> frozenset[str]:
    """The ids of a task's samples that a run folder holds already. A file that is broken is about to be written anew: that
    is noted."""
    path = folder.samples(task)
    if not path.is_file():
        return frozenset()
    try:
        return frozenset(row["sample"] for row in read_table(path, ("sample",)))
    except HarnessError as error:
        notes.append(
            f"{error.message}. The samples are read from the source again; those that it no longer has are not counted"
        )
        return frozenset()
