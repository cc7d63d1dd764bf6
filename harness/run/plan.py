"""The plan: every trial of a run, fixed before the first request."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from harness.conditions import Presentation, hears, load_condition, needs_video
from harness.core.cell import FREE, Cell, trial_id
from harness.core.cell_pattern import CellPattern
from harness.core.constraint import Need
from harness.core.enhancer import Enhancer
from harness.core.errors import HarnessError
from harness.core.prompt import Prompt
from harness.core.protocol import needs_of
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.task import SUBJECT, Task
from harness.core.thinking import OFF, thinking_need
from harness.models import has_own_loop
from harness.prompting import Library
from harness.protocols import load_protocol
from harness.run.adapter_folds import AdapterFolds, check_adapters, with_folds
from harness.run.answer_constraints import need_of
from harness.run.axes import Axes
from harness.run.cell_checks import check_cells
from harness.run.columns import AlikeRow, read_coded, read_table, write_alike
from harness.run.exemplars import ExamplePool, read_pool
from harness.run.families import (
    NO_OUTPUT,
    answerable,
    channels_for,
    families_of,
    left_out,
    refuse_chat_options,
    suits,
)
from harness.run.folder import RunFolder
from harness.run.gone import read_gone, write_gone
from harness.run.prompt_choice import choose_prompts, conditions_of, refuse_overruled
from harness.run.request_count import requests_of
from harness.run.sample_file import read_lean_samples
from harness.run.samples import (
    SampleSummary,
    select_with_classes,
    with_classes,
    write_samples,
)
from harness.run.tools_check import protocol_with
from harness.sources import open_source

COLUMNS = ("trial", "cell", "task", "model", "prompt", "condition", "protocol", "channel", "sample")
"""Columns of plan.parquet."""


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

    @property
    def cluster_unit(self) -> str:
        """What is resampled: `subject`, the annotation named by the task, or `image`."""
        if self.task.cluster not in {"auto", "image"}:
            return self.task.cluster
        return "subject" if self.summary.own_clusters else "image"


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks, cells and trials. Trials are not held in memory: `trials_of` reads them off the samples."""

    tasks: Mapping[str, PlannedTask]
    prompts: Mapping[str, Prompt]
    cells: tuple[Cell, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    """Cell id -> number of trials."""
    requests: Mapping[str, int] = field(default_factory=dict)
    """Cell id -> requests of one trial, as its protocol makes them."""
    needs: Mapping[str, frozenset[Need]] = field(default_factory=dict)
    """Cell id -> what its channel and its condition need of the model; absent where that is nothing."""
    repeats: int = 1
    """How often each cell asks about each sample."""
    left_out: tuple[str, ...] = ()
    """Which cells were left out since their model takes no such prompt, in words."""
    seed: int = 0
    """That of the first repeat; it also pairs the samples of mixtures."""
    enhancers: Mapping[str, Enhancer] = field(default_factory=dict)
    """Name of an endpoint -> what asks it, once the run may."""
    folds: AdapterFolds | None = None
    """Whose adapter a subject is asked of."""

    @property
    def trials(self) -> int:
        return sum(self.counts.values())


def make_plan(
    tasks: Sequence[Task],
    axes: Axes,
    library: Library,
    folder: RunFolder,
    *,
    here: Path,
    before: RunFolder | None = None,
    ids: Mapping[str, str] = MappingProxyType({}),
    on_task: Callable[[str], None] = lambda name: None,
) -> Plan:
    """Read every source once, write the samples and `plan.parquet` into `folder`, open no media.

    `before` is the run as it stands, where the plan is first made elsewhere; its samples stay in it. `ids` are those
    under which it keeps cells otherwise than they would be called (`harness.run.cell_entry.given_ids`). Raises HarnessError for a prompt that fits no field of a task, a channel or protocol
    that does not suit a prompt, a bad source, a label outside its list.
    """
    planned: dict[str, PlannedTask] = {}
    notes: list[str] = []
    gone = read_gone(before or folder)
    for task in tasks:
        on_task(task.name)
        standing = before or folder
        kept = _held(standing, task.name) | gone.get(task.name, frozenset())
        planned[task.name] = plan_task(
            with_ids_of(task, standing), axes, folder, here=here, kept=kept
        )
        notes += check_adapters(axes.folds, task, planned[task.name])
    write_gone(folder, {**gone, **{name: one.gone for name, one in planned.items()}})
    prompts: dict[str, Prompt] = {}
    cells: list[Cell] = []
    lines: list[str] = []
    refuse_chat_options(axes)
    for task in tasks:
        chosen: tuple[Prompt, ...] = ()
        if axes.models:
            families = families_of(axes)
            chosen = choose_prompts(task, axes.prompts, library, families=families)
        notes += left_out(task, chosen, axes)
        prompts.update((prompt.name, prompt) for prompt in chosen)
        refuse_overruled(axes, chosen)
        shown = conditions_of(task, axes, chosen, library)
        if any(one.shots for each in shown.values() for one in each):
            pool = read_pool(planned[task.name].task, seed=axes.seed, here=here)
            planned[task.name] = replace(planned[task.name], pool=pool)
        made, lines = answerable(
            _cells(task, axes, chosen, shown), planned[task.name].task, prompts, axes
        )
        cells, notes = cells + made, [*notes, *lines]
    if lines and not cells:
        raise HarnessError(lines[0].removesuffix("; left out"), hint=NO_OUTPUT)
    cells = _kept_cells(cells, axes)
    cells = [replace(cell, given_id=ids.get(cell.id, "")) for cell in cells]
    requests = {
        cell.id: requests_of(
            cell, prompts[cell.prompt], library, temperature=axes.temperature_of(cell.model)
        )
        for cell in cells
    }
    check_cells(cells, planned, prompts, axes)
    plan = Plan(
        tasks=planned, prompts=prompts, cells=tuple(cells), requests=requests, repeats=axes.repeats, seed=axes.seed,
        left_out=tuple(notes), folds=axes.folds,
    )  # fmt: skip
    counts, needs = _write_plan(plan, folder, library)
    return replace(plan, counts=counts, needs=needs)


def _cells(
    task: Task,
    axes: Axes,
    prompts: Sequence[Prompt],
    shown: Mapping[str, Sequence[Presentation]],
) -> list[Cell]:
    """The cells of one task."""
    return [
        Cell(
            task.name,
            model,
            prompt.name,
            one.condition,
            protocol_with(
                _protocol(prompt, axes),
                tools,
                own_loop=has_own_loop(axes.settings_of(model).model),
            ),
            channel,
            shots=one.shots,
            label_order=one.label_order,
            thinking=thinking,
            pixels=pixels,
            detail=detail,
            tools=tools,
        )
        for model in axes.models
        for prompt in prompts
        if suits(prompt, model, axes)
        for one in shown[prompt.name]
        for channel in channels_for(prompt, task, axes)
        for thinking in (axes.thinking_of(model) if prompt.head.family == "chat" else ("",))
        for pixels in ((one.pixels,) if one.pixels else axes.pixels_of(model))
        for detail in ((one.detail,) if one.detail else axes.details_of(model))
        for tools in ((axes.tools or ("",)) if prompt.head.family == "chat" else ("",))
    ]


def _protocol(prompt: Prompt, axes: Axes) -> str:
    """The protocol that is asked for, else the prompt's own."""
    asked = axes.protocol if prompt.head.family == "chat" else None
    return asked or prompt.head.protocol


def _kept_cells(cells: Sequence[Cell], axes: Axes) -> list[Cell]:
    """The cells that are not left out. Raises HarnessError for a pattern that no cell fits, and where all are left
    out."""
    for option, patterns in {"exclude": axes.exclude, "against": _against(axes)}.items():
        for pattern in patterns:
            if not pattern.fitting(cells):
                raise HarnessError(
                    f"{option}: no cell fits {pattern}",
                    hint="the values are those of --model, --prompt, --condition and so on as the plan lists them",
                )
    asked = [cell for cell in cells if not any(pattern.fits(cell) for pattern in axes.exclude)]
    if cells and not asked:
        raise HarnessError("every cell is excluded", hint="exclude fewer")
    return [
        cell
        for cell in asked
        if cell.task not in axes.only or any(one.fits(cell) for one in axes.only[cell.task])
    ]


def _against(axes: Axes) -> tuple[CellPattern, ...]:
    against = axes.experiment.get("against")
    return (CellPattern(**against),) if against else ()


def plan_task(
    task: Task, axes: Axes, folder: RunFolder, *, here: Path, kept: Collection[str] = ()
) -> PlannedTask:
    """One pass over a task's source: samples written, labels fixed.

    `kept` are the ids that the run holds already: they stay beside those that a limit chooses.
    """
    source = open_source(task.source, fields=task.fields, base=here)
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
    gone = set(kept)
    summary = write_samples(
        with_folds(_crossing_off(rows, gone), axes.folds, task),
        task,
        folder.samples(task.name),
        limited=axes.limit is not None and chosen is None,
        stated=stated,
    )
    planned = PlannedTask(
        task=with_classes(task, summary.classes),
        source=source,
        summary=summary if chosen is None else replace(summary, chosen=chosen),
        digest=source.digest(),
        skipped=source.skipped(),
        gone=frozenset(gone),
        notes=source_notes(source),
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


def _held(folder: RunFolder, task: str) -> frozenset[str]:
    """The ids of a task's samples that a run folder holds already."""
    path = folder.samples(task)
    if not path.is_file():
        return frozenset()
    return frozenset(row["sample"] for row in read_table(path, ("sample",)))


def trials_of(plan: Plan, folder: RunFolder) -> Iterator[tuple[Cell, str, tuple[str, ...], str]]:
    """(cell, sample id, the fields that its answer fills, trial id) of the whole plan, task by task and sample by sample."""
    for name, planned in plan.tasks.items():
        cells = [cell for cell in plan.cells if cell.task == name]
        chosen = planned.summary.chosen
        asking: dict[str, list[tuple[Cell, tuple[str, ...], list[str]]]] = {}
        for batch in read_coded(folder.samples(name), "sample", ["asks"]) if cells else ():
            texts, codes = batch.coded["asks"]
            for text in texts:
                if text not in asking:
                    asking[text] = list(_asking(plan, cells, tuple(json.loads(text))))
            for sample, code in zip(batch.each(), codes.tolist(), strict=True):
                if chosen is None or sample in chosen:
                    for cell, fills, before in asking[texts[code]]:
                        for start in before:
                            yield cell, sample, fills, start + sample


def _asking(
    plan: Plan, cells: Sequence[Cell], asks: tuple[str, ...]
) -> Iterator[tuple[Cell, tuple[str, ...], list[str]]]:
    """The cells that ask about samples of these fields, what they fill, and how the ids of their trials begin."""
    for cell in cells:
        if fills := plan.prompts[cell.prompt].head.fills(asks):
            yield cell, fills, [trial_id(cell, "", repeat) for repeat in range(plan.repeats)]


def _write_plan(
    plan: Plan, folder: RunFolder, library: Library
) -> tuple[dict[str, int], dict[str, frozenset[Need]]]:
    """Write plan.parquet, one row a trial; returns the trials of each cell, and what it needs."""
    counts = {cell.id: 0 for cell in plan.cells}
    asked: dict[Cell, set[tuple[str, ...]]] = {}

    def rows() -> Iterator[AlikeRow]:
        fixed = {cell.id: {"cell": cell.id, **cell.as_row()} for cell in plan.cells}
        for cell, sample, fills, trial in trials_of(plan, folder):
            counts[cell.id] += 1
            if cell.channel != FREE:
                asked.setdefault(cell, set()).add(fills)
            yield (trial, sample), fixed[cell.id]

    write_alike(folder.plan, COLUMNS, ("trial", "sample"), rows())
    needs = {cell.id: _needs(cell, plan, library, asks) for cell, asks in asked.items()}
    for cell in plan.cells:
        if cell.thinking:
            held = cell.channel != FREE and cell.thinking != OFF
            thought = {thinking_need(cell.thinking)}
            thought |= {thinking_need(cell.thinking, held=True)} if held else set()
            needs[cell.id] = needs.get(cell.id, frozenset[Need]()) | thought
        if cell.tools and (called := _call_needs(cell)):
            needs[cell.id] = needs.get(cell.id, frozenset[Need]()) | called
        if needs_video(load_condition(cell.condition)):
            needs[cell.id] = needs.get(cell.id, frozenset[Need]()) | {"video"}
        if hears(load_condition(cell.condition)):
            needs[cell.id] = needs.get(cell.id, frozenset[Need]()) | {"audio"}
    return counts, needs


def _call_needs(cell: Cell) -> frozenset[Need]:
    """What the calls of a cell's tools need. Before a reply that is held to a call most models do not think, so none is
    where thinking is asked for."""
    found = needs_of(load_protocol(cell.protocol))
    return found - {"calls"} if cell.thinking not in {"", OFF} else found


def _needs(
    cell: Cell, plan: Plan, library: Library, asked: set[tuple[str, ...]]
) -> frozenset[Need]:
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    awaited = library.survey(prompt).replies
    return frozenset[Need]().union(
        *(need_of(task, prompt, cell.channel, asks, awaited) for asks in sorted(asked))
    )
