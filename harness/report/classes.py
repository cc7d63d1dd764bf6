"""Label fields class by class: how often each is true, how often it is answered, and how well it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.analyses.keys import BLANK, RowKey, is_baseline, row_key
from harness.analyses.words import count, percent
from harness.report.inputs import RunView
from harness.report.tables import ScoreTable, Shown, shown

METRICS = ("recall", "precision", "f1")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One true class."""

    name: str
    true: str
    """How many samples are of it, and their share."""
    answered: str
    """How many answers name it, and their share of all samples."""
    numbers: tuple[Shown, ...]
    """One for each of METRICS."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """One model and prompt on a label field."""

    key: RowKey
    rows: tuple[ClassRow, ...]
    none: str
    """Samples without an answer among the true classes, and their share; empty for none."""


def class_tables(view: RunView, table: ScoreTable) -> tuple[ClassTable, ...]:
    """A table for each model and prompt on the field's part; none for fields without classes, and for baselines."""
    block = view.blocks[table.task, table.slice, table.field]
    entries = [
        entry
        for entry in view.scores.confusions
        if (entry["task"], entry["slice"], entry["field"]) == (table.task, table.slice, table.field)
        and not is_baseline(row_key(entry))
    ]
    entries.sort(key=lambda entry: bool(entry["condition"] == BLANK))
    return tuple(_table(entry, block.get(row_key(entry), {})) for entry in entries)


def _table(entry: Mapping[str, Any], numbers: Mapping[str, Any]) -> ClassTable:
    counts = entry["counts"]
    total = sum(map(sum, counts)) or 1
    return ClassTable(
        key=row_key(entry),
        rows=tuple(
            ClassRow(
                name=name,
                true=_share(sum(counts[place]), total),
                answered=_share(sum(row[place] for row in counts), total),
                numbers=tuple(shown(numbers.get(f"{metric}[{name}]")) for metric in METRICS),
            )
            for place, name in enumerate(entry["classes"])
        ),
        none=_share(none, total) if (none := sum(row[-1] for row in counts)) else "",
    )


def _share(number: int, total: int) -> str:
    return f"{count(number)} ({percent(number / total)})"
