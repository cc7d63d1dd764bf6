"""Members of a set one by one, such as action units: F1 and frequency of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import (
    BLANK,
    Numbers,
    RowKey,
    by_place,
    has_scores,
    heading,
    is_baseline,
    measured,
    places,
    row_key,
)
from harness.analyses.rows.units import unit_counts
from harness.core.blocks import Block, Cell, Column, Count, Note, Number, Place, Row, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers

MEAN = "macro_f1"
MOST_UNITS = 4
"""Models and prompts beside each other where there is little room."""


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    for column, _ in answers.scored:
        yield from unit_counts(column)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    numbers = by_place(beside.scores)
    for part, field in places(beside):
        entries = [e for e in rows if (e["slice"], e["field"]) == (part, field)]
        keys = [row_key(e) for e in entries if not is_baseline(row_key(e))]
        if keys and entries[0]["units"]:
            whole = max(entries, key=lambda entry: entry["n"])
            yield from _tables(whole, keys, numbers[part, field], Place(field, part))


def _tables(
    whole: Mapping[str, Any], keys: Sequence[RowKey], numbers: Numbers, at: Place
) -> Iterator[Block]:
    yield _brief(whole, keys, numbers, at)
    yield Table(
        at=at,
        room="much",
        title="One by one",
        caption="F1 of each as a yes or no of its own, strict; the mean counts each the same. “Always”: the F1 of saying "
        "it every time",
        columns=("Name", "Present", "Always", *("\n".join(heading(key)) for key in keys)),
        rows=tuple(_rows(whole, keys, numbers, bounds=True)),
    )
    if whole["absent"]:
        absent = ", ".join(whole["absent"])
        told = f"No true case of {absent}: no F1 is defined, and the mean leaves them out."
        yield Note(at=at, room="much", text=told)


def _brief(whole: Mapping[str, Any], keys: Sequence[RowKey], numbers: Numbers, at: Place) -> Table:
    asked = [key for key in keys if key[2] != BLANK] or [*keys]
    shown = asked[:MOST_UNITS]
    notes = []
    if len(keys) > len(shown):
        notes.append("F1 of the other models, prompts and conditions: harness report RUN")
    if whole["absent"]:
        notes.append(f"no true case, and not in the mean: {', '.join(whole['absent'])}")
    headings = (Column("F1\n" + "\n".join(heading(key))) for key in shown)
    return Table(
        at=at,
        room="little",
        caption="\n".join(notes),
        columns=("", "present", "F1 if\nalways", *headings),
        rows=tuple(_rows(whole, shown, numbers, bounds=len(asked) < MOST_UNITS - 1)),
    )


def _rows(
    whole: Mapping[str, Any], keys: Sequence[RowKey], numbers: Numbers, *, bounds: bool
) -> Iterator[Row]:
    def f1(key: RowKey, metric: str) -> Cell:
        found = measured(numbers.get(key, {}).get(metric))
        return found if bounds else Number(found.value)

    units = whole["units"]
    for unit in units:
        name, present = unit["name"], unit["present"]
        yield Row(
            (
                name,
                Count(present, whole["n"]),
                Number(unit["always"]),
                *(f1(key, f"f1[{name}]") for key in keys),
            )
        )
    always = sum(unit["always"] for unit in units) / len(units)
    yield Row(("mean", "", Number(always), *(f1(key, MEAN) for key in keys)), "total")


ANALYSIS = ShippedAnalysis(
    name="units",
    title="One by one",
    about="set fields, such as action units: F1 of each name beside how often it is there",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="units",
    order=4,
)
