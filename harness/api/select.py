"""Choose prompts on some samples and report on others, so that the best score is not due to luck."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.metrics import main_metric, metric_of
from harness.run.folder import RunFolder
from harness.run.log import AppendLog, read_log
from harness.score.columns import NO_PROMPT
from harness.score.scores import Scores

SELECT, REPORT = "@select", "@report"
"""What is added to a task's name."""


class Select(BaseModel):
    """Source options of the samples that prompts are chosen on, and of those that the choice is reported on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Mapping[str, Any]
    report: Mapping[str, Any]
    metric: str | None = None
    """What decides; left out: the first metric of the task's first scored field."""

    @model_validator(mode="after")
    def _apart(self) -> Select:
        if not self.on or not self.report or self.on == self.report:
            raise ValueError(
                "select needs two different choices of samples, such as on: {split: train}, report: {split: test}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Choice:
    """The prompt chosen for one model on one task."""

    task: str
    """Without `@select`."""
    model: str
    prompt: str
    metric: str
    value: float
    """Of the chosen prompt, on the samples it was chosen on: an optimistic number."""
    among: int
    """How many prompts were candidates."""
    alike: tuple[str, ...] = ()
    """Other prompts with the same score; the one named first in the experiment is chosen."""

    def __str__(self) -> str:
        told = (
            f"{self.task}, {self.model}: {self.prompt} is the best of {self.among} prompts where prompts are chosen "
            f"({self.metric} {self.value:.3f}, optimistic because it is the best)"
        )
        if not self.alike:
            return told
        return f"{told}; {', '.join(self.alike)} had the same score, and the prompt named first is taken"


def halves(tasks: Sequence[Task], select: Select) -> tuple[list[Task], list[Task]]:
    """Each task over the samples to choose on, and over those to report on."""
    return (
        [_part(task, SELECT, select.on) for task in tasks],
        [_part(task, REPORT, select.report) for task in tasks],
    )


def _part(task: Task, suffix: str, options: Mapping[str, Any]) -> Task:
    source = {**task.source, **options}
    return task.model_copy(update={"name": f"{task.name}{suffix}", "source": source})


def choose(
    scores: Scores, tasks: Sequence[Task], select: Select, *, condition: str
) -> tuple[Choice, ...]:
    """The best prompt of every task and model, by the score under `condition`; the first of equals.

    `tasks` are those that end in `@select`. Raises HarnessError where no prompt has a score.
    """
    found: list[Choice] = []
    for task in tasks:
        field, metric = _deciding(task, select)
        sign = metric_of(task.fields[field], metric).sign
        rows = [
            row
            for row in scores.scores
            if row.task == task.name and row.field == field and row.metric == metric
            and row.slice == "all" and row.condition == condition and row.value is not None
            and row.prompt != NO_PROMPT
        ]  # fmt: skip
        for model in dict.fromkeys(row.model for row in rows):
            ranked = sorted(
                (row for row in rows if row.model == model),
                key=lambda row: -sign * (row.value or 0),
            )
            best = ranked[0]
            found.append(
                Choice(
                    task.name.removesuffix(SELECT), model, best.prompt, metric, best.value or 0.0,
                    len({row.prompt for row in ranked}),
                    tuple(row.prompt for row in ranked[1:] if row.value == best.value),
                )
            )  # fmt: skip
        if not rows:
            raise HarnessError(
                f"task {task.name}: no prompt has a value of {metric} under the condition {condition}, so none can be chosen",
                hint="check that the samples of the run folder were answered",
            )
    return tuple(found)


def _deciding(task: Task, select: Select) -> tuple[str, str]:
    """The field and the metric that decide. Raises HarnessError where the task has no such metric."""
    scored = {name: spec for name, spec in task.fields.items() if spec.scored}
    for name, spec in scored.items():
        if select.metric is None:
            return name, main_metric(spec)
        if select.metric in spec.shown_metrics:
            return name, select.metric
    raise HarnessError(
        f"select.metric: task {task.name} is not scored by {select.metric or 'anything'}",
        hint="its metrics are: "
        + ", ".join(dict.fromkeys(m for spec in scored.values() for m in spec.shown_metrics)),
    )


def reported(
    choices: Sequence[Choice], against: CellPattern | None
) -> dict[str, tuple[CellPattern, ...]]:
    """Task (with `@report`) -> the cells asked of it: each model with its chosen prompt, and with the one that
    everything is compared with."""
    found: dict[str, list[CellPattern]] = {}
    for one in choices:
        prompts = dict.fromkeys(
            [one.prompt, *([against.prompt] if against and against.prompt else [])]
        )
        found.setdefault(f"{one.task}{REPORT}", []).extend(
            CellPattern(model=glob.escape(one.model), prompt=glob.escape(prompt))
            for prompt in prompts
        )
    return {task: tuple(patterns) for task, patterns in found.items()}


def openings(folder: RunFolder) -> int:
    """How often samples to report on were asked after a choice."""
    return sum(1 for _ in read_log(folder.openings))


def note_opening(folder: RunFolder, choices: Sequence[Choice]) -> int:
    """Record that the samples to report on are about to be asked; returns how often that happened, this time
    included."""
    chosen = [{"task": c.task, "model": c.model, "prompt": c.prompt} for c in choices]
    return note_use(folder, {"chosen": chosen})


def note_use(folder: RunFolder, what: Mapping[str, Any]) -> int:
    """Record that samples which a choice is reported on are used; returns how often that happened, this time included.

    Raises HarnessError where the folder cannot be written: a use that is not counted is refused.
    """
    log = AppendLog(folder.openings)
    try:
        log.append({"time": datetime.now(UTC).isoformat(timespec="seconds"), **what})
    finally:
        log.close()
    return openings(folder)


def opened(times: int) -> str:
    """What is said when the samples to report on are asked."""
    if times == 1:
        return "the report samples are used for the first time"
    return (
        f"the report samples have now been used {times} times after choosing a prompt: each use makes the best "
        "result more optimistic"
    )


def record(select: Select, choices: Sequence[Choice]) -> dict[str, Any]:
    """What the manifest holds of a choice."""
    return {**select.model_dump(mode="json"), "chosen": [asdict(choice) for choice in choices]}
