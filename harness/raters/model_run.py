"""Answers of a run as those of one more rater, one for each cell of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import HarnessError
from harness.raters.table import RatingTable
from harness.rating.form import written
from harness.run.columns import read_table
from harness.run.folder import open_run

_COLUMNS = (
    "trial", "task", "model", "prompt", "condition", "protocol", "channel", "sample", "field", "outcome", "value",
)  # fmt: skip


@dataclass(slots=True)
class ModelRater:
    """One cell of a run: a model with its prompt, under one condition."""

    name: str
    """Model, prompt, and what else tells the cells of the run apart."""
    condition: str
    """What the model was shown, as the run names it."""
    saw: str
    """The condition of the raters that it is compared with."""
    answers: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """(sample, field) -> the answer as text; None where there is none."""
    repeats: int = 1


def model_raters(
    path: Path, table: RatingTable, *, task: str | None, saw: str | None
) -> list[ModelRater]:
    """The cells of a scored run that answered rated items.

    Args:
        path: the run folder.
        table: the ratings.
        task: the task whose samples the items are; None: the only one of the run with such a field.
        saw: the condition of the raters that the model is compared with; None: the one of the same name, or the only one.

    Answers to a blank picture are left out, unless raters saw one too. Of repeats the first counts. Raises HarnessError where
    the run is not scored, answered none of the items, or what the model saw cannot be told.
    """
    run = open_run(path)
    if not run.records.is_file():
        raise HarnessError(f"{path} is not scored yet", hint=f"harness score {path}")
    samples = {item.sample for _, item, _ in table.ratings.given}
    fields = {one.name for one in table.fields}
    rows = [
        row
        for row in read_table(run.records, _COLUMNS)
        if row["field"] in fields
        and row["sample"] in samples
        and not unseen(row["condition"], table.conditions)
    ]
    tasks = sorted({row["task"] for row in rows})
    if task is not None:
        rows = [row for row in rows if row["task"] == task]
    elif len(tasks) > 1:
        raise HarnessError(
            f"{path} holds several tasks with these items: {', '.join(tasks)}",
            hint=f"name the one that was rated: --task {tasks[0]}",
        )
    if not rows:
        raise HarnessError(
            f"{path} holds no answer to a rated item and field",
            hint="the column `item` must hold the sample ids of the run, and `field` a field of its task",
        )
    cells: dict[tuple[str, ...], ModelRater] = {}
    shown: dict[tuple[str, ...], tuple[str, ...]] = {}
    for row in rows:
        cell, repeat, _ = row["trial"].split("/", 2)
        key = (cell, row["prompt"])
        if key not in cells:
            condition = row["condition"]
            cells[key] = ModelRater("", condition, _seen(condition, table.conditions, saw))
            shown[key] = tuple(
                row[n] for n in ("model", "prompt", "condition", "channel", "protocol")
            )
        one = cells[key]
        one.repeats = max(one.repeats, int(repeat) + 1)
        if repeat == "0":
            one.answers[row["sample"], row["field"]] = _value(row)
    _name(cells, shown)
    return list(cells.values())


def unseen(condition: str, humans: tuple[str, ...]) -> bool:
    """Whether the model was shown a blank picture, and no rater was."""
    return condition not in humans and "blank" in condition.replace("/", "+").split("+")


def _value(row: Mapping[str, str | None]) -> str | None:
    if row["value"] is None:
        return None
    value = json.loads(row["value"])
    return written(tuple(value) if isinstance(value, list) else value)


def _seen(condition: str, humans: tuple[str, ...], saw: str | None) -> str:
    if saw is not None:
        if saw not in humans:
            raise HarnessError(
                f"--model-saw {saw}: no rating is under this condition",
                hint=f"conditions of the raters: {', '.join(humans)}",
            )
        return saw
    if condition in humans:
        return condition
    if len(humans) == 1:
        return humans[0]
    raise HarnessError(
        f"what the model saw ({condition}) is none of the raters' conditions: {', '.join(humans)}",
        hint=f"name the one that showed raters what the model saw: --model-saw {humans[-1]}",
    )


def _name(
    cells: Mapping[tuple[str, ...], ModelRater], shown: Mapping[tuple[str, ...], tuple[str, ...]]
) -> None:
    """Name each cell by its model and by what differs between the cells."""
    differing = [k for k in range(1, 5) if len({told[k] for told in shown.values()}) > 1]
    for key, one in cells.items():
        one.name = " ".join([shown[key][0], *(shown[key][k] for k in differing)])
    names = [one.name for one in cells.values()]
    for key, one in cells.items():
        if names.count(one.name) > 1:
            one.name = f"{one.name} ({key[0]})"
