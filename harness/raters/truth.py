"""What is true of the items: from the source of a task, or from a column of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.core.errors import HarnessError
from harness.core.sample import Sample, Value
from harness.raters.table import RatingTable
from harness.rating.form import FormField, written

Truths = Mapping[tuple[str, str], Value]
"""(sample, field) -> the true value."""


def truths_of(table: RatingTable, samples: Iterable[Sample], *, task: str) -> Truths:
    """The truths of the rated samples and fields in a task's source; a field that the source says nothing of has none.

    Raises HarnessError that names the row of an item that is no sample of the task.
    """
    wanted = {item.sample for _, item, _ in table.ratings.given}
    fields = {field.name for field in table.fields}
    found: dict[tuple[str, str], Value] = {}
    seen, example = set(), ""
    for sample in samples:
        example = example or sample.id
        if sample.id in wanted:
            seen.add(sample.id)
            found |= {(sample.id, n): v for n, v in sample.targets.items() if n in fields}
    for (_, item, _), where in table.rows.items():
        if item.sample not in seen:
            raise HarnessError(
                f"{where}: {item.sample[:60]!r} is no sample of {task}",
                hint=f"items are the ids of the task's samples, such as {example!r}",
            )
    return found


def truths_in_order(
    samples: Sequence[str], field: FormField, truths: Truths
) -> list[str | float | None]:
    """The true value of each sample as ratings are held: numbers as they are, others as text; None where unknown."""
    numeric = field.control == "number"
    found: list[str | float | None] = []
    for sample in samples:
        value = truths.get((sample, field.name))
        if value is None or not numeric:
            found.append(None if value is None else written(value))
        else:
            found.append(float(value))  # type: ignore[arg-type]
    return found
