"""Pairs of an edited picture and its unedited one, where a data set says what was edited (`harness.core.edits`).

The statistics are those of changed cues: the mean paired change of an outcome, clustered by base face, with Holm's
correction over the edits of one cell. A generative model made the edit, so that more than the attribute may differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.edits import BASE_FACE, EDIT, EDIT_VALUE, EDITED, UNEDITED
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.cues.contrasts import UNCHANGED, Contrast
from harness.cues.interventions import Effects, effects_of
from harness.cues.outcomes import distances, outcomes
from harness.cues.schema import EMOTION
from harness.cues.sheet import AnswerSheet


def edits(
    sheets: Sequence[AnswerSheet],
    tasks: Mapping[str, Task],
    *,
    label: str | None = None,
    seed: int = 0,
) -> Effects:
    """Effects of every edit on every label field, of cells that show pictures as they are.

    `label` is the answer whose rate is compared; by default happiness, else a field's first label. Raises HarnessError
    where a field with edits does not have it.
    """
    found: list[Contrast] = []
    told: dict[str, str] = {}
    for sheet in sheets:
        if sheet.condition != UNCHANGED or not any(a.get(EDIT) for a in sheet.annotations):
            continue
        field = _label_field(sheet, tasks[sheet.task])
        if field is not None:
            told[sheet.task] = _label(tasks[sheet.task].fields[field].classes, label, sheet.task)
            found += contrasts_of(_as_emotion(sheet, field))
    return effects_of(
        found, (), lambda one: outcomes(one.first, told[one.first.task]), lambda one: distances(one.first), seed,
    )  # fmt: skip


def contrasts_of(sheet: AnswerSheet) -> list[Contrast]:
    """Each edit of a cell against the unedited pictures, sample by base face."""
    places: dict[tuple[str, str], list[int]] = {}
    for at, notes in enumerate(sheet.annotations):
        if notes.get(BASE_FACE):
            key = (str(notes.get(EDIT) or ""), str(notes.get(EDIT_VALUE) or ""))
            places.setdefault(key, []).append(at)
    unedited = _part(sheet, places.pop(("", ""), []))
    return [
        Contrast("edit", f"{name}: {value}", (EDITED, UNEDITED), _part(sheet, taken), unedited, unedited)
        for (name, value), taken in sorted(places.items())
    ]  # fmt: skip


def _part(sheet: AnswerSheet, places: Sequence[int]) -> AnswerSheet:
    """Some samples of a cell under the names of their base faces, the first of each."""
    first: dict[str, int] = {}
    for at in places:
        first.setdefault(str(sheet.annotations[at][BASE_FACE]), at)
    chosen = list(first.values())

    def picked(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        return {name: [values[at] for at in chosen] for name, values in columns.items()}

    return replace(
        sheet,
        samples=tuple(first),
        clusters=tuple(first),
        truth=picked(sheet.truth),
        said=picked(sheet.said),
        probabilities=picked(sheet.probabilities),
        annotations=[sheet.annotations[at] for at in chosen],
    )


def _label_field(sheet: AnswerSheet, task: Task) -> str | None:
    """The emotion where it was asked, else the first field whose answer is one of several."""
    asked = [name for name, spec in task.fields.items() if spec.categorical and name in sheet.said]
    return EMOTION if EMOTION in asked else next(iter(asked), None)


def _as_emotion(sheet: AnswerSheet, field: str) -> AnswerSheet:
    """The cell with that field where the outcomes look for the emotion."""
    if field == EMOTION:
        return sheet

    def moved(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {EMOTION if name == field else name: values for name, values in columns.items()}

    return replace(
        sheet,
        truth=moved(sheet.truth),
        said=moved(sheet.said),
        probabilities=moved(sheet.probabilities),
    )


def _label(classes: Sequence[str], asked: str | None, task: str) -> str:
    if asked is None:
        return "happiness" if "happiness" in classes else classes[0]
    if asked not in classes:
        raise HarnessError(f"--label {asked}: {task} has no such label", hint=f"labels: {', '.join(classes)}")  # fmt: skip
    return asked
