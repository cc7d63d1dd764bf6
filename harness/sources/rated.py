"""What each annotator of a data set said, in long form, as `harness.raters` reads it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.sample import Value
from harness.core.source import Source
from harness.core.task import Task
from harness.sources.dataset import KeepsRatings
from harness.sources.registry import OF_ANY, SOURCES

COLUMNS = ("rater", "item", "field", "value")


def ratings_text(task: Task, source: Source, *, base: Path) -> tuple[str, int, int, int]:
    """The table as CSV, and how many annotators, samples and rows it has.

    `source` is the task's own source, whose samples alone are taken (a subset of it may be meant). Raises HarnessError
    for a source that does not keep its annotators apart.
    """
    family = str(task.source["family"])
    rest = {key: value for key, value in task.source.items() if key not in OF_ANY}
    read = SOURCES.make(family, rest, fields=task.fields, base=base, expects=Source)
    if not isinstance(read, KeepsRatings):
        raise HarnessError(
            f"the source family {family!r} does not keep its annotators apart",
            hint="name a task whose set does, such as emonet-face/intensity",
        )
    taken = {sample.id for sample in source}
    held = io.StringIO()
    table = csv.writer(held, lineterminator="\n")
    table.writerow(COLUMNS)
    raters: set[str] = set()
    items: set[str] = set()
    rows = 0
    for one in read.ratings():
        if one.sample in taken:
            table.writerow((one.rater, one.sample, one.field, _written(one.value)))
            raters.add(one.rater)
            items.add(one.sample)
            rows += 1
    return held.getvalue(), len(raters), len(items), rows


def _written(value: Value) -> str:
    """A value as the table of ratings has it: a set as its names, or `none`."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
