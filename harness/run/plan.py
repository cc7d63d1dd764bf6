"""The plan: every trial of a run, fixed before the first request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from harness.conditions.presentation import Presentation
from harness.core.cell import Cell, trial_id
from harness.core.cell_pattern import CellPattern
from harness.core.constraint import Need
from harness.core.enhancer import Enhancer
from harness.core.errors import HarnessError
from harness.core.prompt import Prompt
from harness.core.task import Task
from harness.core.text import digest_json
from harness.models import has_own_loop
from harness.prompting.library import Library
from harness.run.adapter_folds import AdapterFolds, check_adapters
from harness.run.axes import Axes
from harness.run.cell_checks import check_cells
from harness.run.cell_needs import needs_of_cells
from harness.run.columns import AlikeRow, read_coded, write_alike
from harness.run.data_roots import naming_roots
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
from harness.run.planned_before import (
    PlannedBefore,
    PlannedTrials,
    digest_of,
    read_planned,
    stands,
    take_over,
    write_planned,
)
from harness.run.planned_task import PlannedTask, plan_task, with_ids_of
from harness.run.prompt_choice import choose_prompts, conditions_of, refuse_overruled
from harness.run.request_count import requests_of
from harness.run.tools_check import protocol_with
from harness.version import __version__

COLUMNS = ("trial", "cell", "task", "model", "prompt", "condition", "protocol", "channel", "sample")
"""Columns of plan.parquet."""


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
    data: Mapping[str, str] = MappingProxyType({}),
    on_task: Callable[[str], None] = lambda name: None,
) -> Plan:
    """Read every source once, write the samples and `plan.parquet` into `folder`, open no media.

    `before` is the run as it stands, where the plan is first made elsewhere; its samples stay in it. `ids` are those
    under which it keeps cells otherwise than they would be called (`harness.run.cell_entry.given_ids`); `data` are the folders of data sets by name, for errors. Raises HarnessError for a prompt that fits no field of a task, a channel or protocol
    that does not suit a prompt, a bad source, a label outside its list.
    """
    planned: dict[str, PlannedTask] = {}
    notes: list[str] = []
    standing = before or folder
    gone, held = read_gone(standing), read_planned(standing)
    for task in tasks:
        on_task(task.name)
        with naming_roots(task, data):
            planned[task.name] = plan_task(
                with_ids_of(task, standing), axes, folder, here=here,
                standing=standing, before=held.samples.get(task.name),
            )  # fmt: skip
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
            from harness.run.exemplars import read_pool

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
    counts, asked = _put_trials(plan, folder, standing, held)
    return replace(plan, counts=counts, needs=needs_of_cells(plan, library, asked))


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


def _put_trials(
    plan: Plan, folder: RunFolder, standing: RunFolder, before: PlannedBefore
) -> tuple[dict[str, int], dict[str, set[tuple[str, ...]]]]:
    """Have `plan.parquet`, one row a trial, and the record of it in `folder`: that of the run as it stands where it would
    come again, else a new one. Returns the trials of each cell, and what `needs_of_cells` asks for."""
    records = {name: one.record for name, one in plan.tasks.items() if one.record is not None}
    made = _made_of(plan) if len(records) == len(plan.tasks) else None
    if before.trials is not None and stands(before.trials, made, standing.plan):
        take_over(standing.plan, folder.plan)
        write_planned(folder, PlannedBefore(samples=records, trials=before.trials))
        return dict(before.trials.counts), _asked(plan)
    counts, asked = _write_plan(plan, folder)
    trials = None
    if made is not None:
        trials = PlannedTrials(made_of=made, file=digest_of(folder.plan), counts=counts)
    if records:
        write_planned(folder, PlannedBefore(samples=records, trials=trials))
    return counts, asked


def _made_of(plan: Plan) -> str:
    """A digest of what the trials follow from: the samples, the cells, and which samples each asks about."""
    records = [[name, one.record and one.record.file] for name, one in plan.tasks.items()]
    asked = _asked(plan)
    cells = [[c.id, dict(c.as_row()), sorted(asked[c.id])] for c in plan.cells]
    return digest_json([__version__, records, cells, plan.repeats])


def _asked(plan: Plan) -> dict[str, set[tuple[str, ...]]]:
    """Cell id -> the fields that its answers fill, once for each form of sample of its task."""
    return {
        cell.id: {
            fills
            for asks, _ in plan.tasks[cell.task].summary.forms
            if (fills := plan.prompts[cell.prompt].head.fills(asks))
        }
        for cell in plan.cells
    }


def _write_plan(
    plan: Plan, folder: RunFolder
) -> tuple[dict[str, int], dict[str, set[tuple[str, ...]]]]:
    """Write plan.parquet; returns the trials of each cell, and the fields that its answers fill."""
    counts = {cell.id: 0 for cell in plan.cells}
    asked = {cell.id: set[tuple[str, ...]]() for cell in plan.cells}

    def rows() -> Iterator[AlikeRow]:
        fixed = {cell.id: {"cell": cell.id, **cell.as_row()} for cell in plan.cells}
        for cell, sample, fills, trial in trials_of(plan, folder):
            counts[cell.id] += 1
            asked[cell.id].add(fills)
            yield (trial, sample), fixed[cell.id]

    write_alike(folder.plan, COLUMNS, ("trial", "sample"), rows())
    return counts, asked
