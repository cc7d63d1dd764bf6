"""Members of a set one by one, such as action units: F1 of each beside how often it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.report.inputs import RowKey, RunView, row_key
from harness.report.tables import ScoreTable, Shown, heading, is_baseline, shown
from harness.report.words import count, number, percent

MEAN = "macro_f1"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One name of a set."""

    name: str
    present: str
    """How many samples have it, and their share."""
    always: str
    """F1 of saying it every time."""
    f1s: tuple[Shown, ...]
    """One for each model and prompt."""


@dataclass(frozen=True, slots=True)
class UnitTable:
    """All names of a set field on the whole task or one part."""

    keys: tuple[RowKey, ...]
    rows: tuple[UnitRow, ...]
    means: tuple[Shown, ...]
    """Mean over the names, of each model and prompt."""
    always: str
    """The same of saying every name every time."""
    absent: tuple[str, ...]
    """Names without a true case: no F1, and not in the mean."""

    @property
    def headings(self) -> tuple[tuple[str, ...], ...]:
        """The lines of each column's heading."""
        return tuple(heading(key) for key in self.keys)


def unit_table(view: RunView, table: ScoreTable) -> UnitTable | None:
    """The names of a set field with the F1 of each; None for other fields, and where nothing was answered."""
    entries = [
        entry
        for entry in view.scores.units
        if (entry["task"], entry["slice"], entry["field"]) == (table.task, table.slice, table.field)
    ]
    keys = tuple(row_key(entry) for entry in entries if not is_baseline(row_key(entry)))
    if not keys or not entries[0]["units"]:
        return None
    block = view.blocks[table.task, table.slice, table.field]
    whole = max(entries, key=lambda entry: entry["n"])
    return UnitTable(
        keys=keys,
        rows=tuple(
            UnitRow(
                name=unit["name"],
                present=f"{count(unit['present'])} ({percent(unit['present'] / whole['n'])})",
                always=number(unit["always"]),
                f1s=tuple(shown(block.get(key, {}).get(f"f1[{unit['name']}]")) for key in keys),
            )
            for unit in whole["units"]
        ),
        means=tuple(shown(block.get(key, {}).get(MEAN)) for key in keys),
        always=number(sum(u["always"] for u in whole["units"]) / len(whole["units"])),
        absent=tuple(whole["absent"]),
    )


def unit_lines(
    table: UnitTable, shown: Sequence[int], *, bounds: bool
) -> Iterator[tuple[str, ...]]:
    """Rows for a terminal: name, present, always, then F1 of the keys at the places `shown`, with intervals or not."""
    for row in table.rows:
        yield (row.name, row.present, row.always, *(_told(row.f1s[at], bounds) for at in shown))
    yield ("mean", "", table.always, *(_told(table.means[at], bounds) for at in shown))


def _told(number: Shown, bounds: bool) -> str:
    return f"{number.value} {number.interval}".strip() if bounds else number.value
