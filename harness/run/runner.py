"""A whole run: what a command asks for, planned, then executed model by model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.conditions import load_condition
from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.core.task import Task
from harness.core.text import digest_json
from harness.models import BASELINES, open_model
from harness.prompting import Library
from harness.run.execute import Tally, execute
from harness.run.fit_on import write_fit
from harness.run.folder import RunFolder
from harness.run.journal import Journal
from harness.run.manifest import build_manifest, write_details, write_manifest
from harness.run.plan import Axes, Plan, make_plan, trials_of
from harness.run.provenance import redact
from harness.run.workspace import Workspace

RUNS = Path("results") / "runs"


@dataclass(frozen=True, slots=True)
class Job:
    """What a command asks for, checked as far as that can be done without reading data."""

    tasks: tuple[Task, ...]
    axes: Axes
    workspace: Workspace
    folder: RunFolder
    command: tuple[str, ...]
    fit_on: str | None
    allow_remote: frozenset[str]


def make_job(
    tasks: Sequence[Task],
    workspace: Workspace,
    *,
    models: Sequence[str],
    prompts: Sequence[str],
    conditions: Sequence[str],
    limit: int | None,
    seed: int,
    out: Path | None,
    fit_on: str | None,
    allow_remote: Sequence[str],
    command: Sequence[str],
    changes: Sequence[str],
) -> Job:
    """A job and its folder, made if absent. Without `out` the same arguments give the same folder.

    Raises HarnessError for an unknown condition or a folder that cannot be made.
    """
    for condition in conditions:
        load_condition(condition)
    axes = Axes(
        models=tuple(dict.fromkeys(m for m in models if m not in BASELINES)),
        prompts=tuple(dict.fromkeys(prompts)),
        conditions=tuple(dict.fromkeys(conditions)),
        limit=limit,
        seed=seed,
    )
    names = [task.name for task in tasks]
    asked = [names, axes.models, axes.prompts, axes.conditions, limit, seed, sorted(changes)]
    folder = RunFolder(out if out is not None else RUNS / _folder_name(names, axes.models, asked))
    folder.create()
    return Job(
        tuple(tasks), axes, workspace, folder, tuple(command), fit_on, frozenset(allow_remote)
    )


def _folder_name(tasks: Sequence[str], models: Sequence[str], asked: Any) -> str:
    words = "-".join([*tasks[:3], *models[:2]])
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", redact(words)).strip("-.")[:80]
    return f"{plain}-{digest_json(asked)[:8]}"


@dataclass(slots=True)
class ReadyRun:
    """A planned run with its models open and its manifest written."""

    job: Job
    plan: Plan
    library: Library
    models: dict[str, Model]
    journal: Journal
    done: dict[str, int] = field(default_factory=dict)
    """Cell id -> trials already finished on this basis."""

    def summary(self) -> dict[str, Any]:
        """What is shown before anything runs."""
        cells = [
            {
                "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                "condition": cell.condition, "trials": self.plan.counts[cell.id],
                "done": self.done[cell.id],
            }
            for cell in self.plan.cells
        ]  # fmt: skip
        asked = sum(
            (self.plan.counts[cell.id] - self.done[cell.id])
            * _turns(self.plan.prompts[cell.prompt].source)
            for cell in self.plan.cells
        )
        return {
            "cells": cells,
            "trials": self.plan.trials,
            "requests": asked,
            "done": sum(self.done.values()),
            "run": str(self.job.folder.path),
            "notes": self._notes(),
        }

    def _notes(self) -> list[str]:
        notes = []
        for name, planned in self.plan.tasks.items():
            unit = planned.cluster_unit
            assumed = " (independence assumed)" if unit == "image" else ""
            notes.append(
                f"{name}: {planned.summary.count:,} samples in {planned.summary.clusters:,} clusters "
                f"by {unit}{assumed}"
            )
            notes += [f"{name}: {s.count:,} left out: {s.reason}" for s in planned.skipped]
        if not self.plan.cells:
            notes.append("no model asked for: only the baselines are scored (--model M)")
        return notes

    def close(self) -> None:
        """Close the journal; models are closed by the run."""
        self.journal.close()


def _turns(source: str) -> int:
    """Requests of one trial: one, and one more for each reply tag."""
    return 1 + len(re.findall(r"\{%-?\s*reply\s", source))


def plan_job(job: Job) -> ReadyRun:
    """Plan, open the models, write the manifest. Nothing is asked yet.

    Raises HarnessError for anything wrong with data, prompts or models.
    """
    library = Library(job.workspace.prompts)
    plan = make_plan(job.tasks, job.axes, library, job.folder, here=job.workspace.here)
    write_fit(job.folder, job.tasks, job.fit_on, here=job.workspace.here)
    models = {spec: open_model(spec, allow_remote=job.allow_remote) for spec in job.axes.models}
    cards = {spec: model.card for spec, model in models.items()}
    manifest = build_manifest(plan, job.axes, cards, command=job.command, fit_on=job.fit_on)
    write_manifest(job.folder, manifest)
    bases = {cell["id"]: cell["basis"] for cell in manifest["cells"]}
    journal = Journal(job.folder)
    return ReadyRun(job, plan, library, models, journal, _done(plan, job, bases, journal))


def _done(plan: Plan, job: Job, bases: Mapping[str, str], journal: Journal) -> dict[str, int]:
    """Cell id -> trials that were finished on the cell's basis."""
    done = {cell.id: 0 for cell in plan.cells}
    if not len(journal):
        return done
    for cell, _, trial in trials_of(plan, job.folder):
        done[cell.id] += journal.finished(trial, bases[cell.id])
    return done


def run_job(ready: ReadyRun, *, on_trial: Callable[[Tally], None] = lambda tally: None) -> Tally:
    """Ask every model in turn; each reply is kept as it arrives. Raises HarnessError, KeyboardInterrupt."""
    tally = Tally()
    for spec in ready.job.axes.models:
        try:
            asyncio.run(_run_model(ready, spec, tally, on_trial))
        except OSError as error:
            raise HarnessError(f"{spec}: {error}") from error
    write_details(ready.job.folder, {spec: model.card for spec, model in ready.models.items()})
    return tally


async def _run_model(
    ready: ReadyRun, spec: str, tally: Tally, on_trial: Callable[[Tally], None]
) -> None:
    model = ready.models[spec]
    try:
        await execute(
            ready.plan,
            ready.job.axes,
            model=model,
            name=spec,
            library=ready.library,
            journal=ready.journal,
            tally=tally,
            on_trial=on_trial,
        )
    finally:
        await model.close()
