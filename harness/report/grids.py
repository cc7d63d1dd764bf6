"""Plain grids of the page: slices and classes by who answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.inputs import RunView
from harness.report.tables import ScoreTable, Shown, heading, shown
from harness.score.table import SHARED


@dataclass(frozen=True, slots=True)
class Grid:
    """A plain table: headed rows by headed columns."""

    corner: str
    columns: tuple[tuple[str, ...], ...]
    """The lines of each heading."""
    rows: tuple[tuple[str, tuple[Shown, ...]], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Which classes shared slices are over, from the estimators of the numbers."""
        parts = (
            p for _, cells in self.rows for c in cells if c.row for p in c.row.estimator.split("; ")
        )
        return tuple(dict.fromkeys(part for part in parts if part.startswith("over the ")))


def slice_grid(view: RunView, table: ScoreTable, *, shared: bool = False) -> Grid | None:
    """The main metric of a field on every `column=value` slice; None without slices.

    `shared`: over the classes that all slices of one annotation hold, for annotations whose slices hold others.
    """
    metric = table.main + (SHARED if shared else "")
    found = {
        name: block
        for (owner, name, field), block in view.blocks.items()
        if owner == table.task and field == table.field and "=" in name
        and any(metric in rows for rows in block.values())
    }  # fmt: skip
    keys = [line.key for line in table.lines if line.n is not None and line.key[0] != "prior"]
    if not found or not keys:
        return None
    held = {} if shared else _held_classes(view, table)
    return Grid(
        corner="Slice",
        columns=tuple(heading(key) for key in keys),
        rows=tuple(
            (
                name + held.get(name, ""),
                tuple(shown(block.get(key, {}).get(metric)) for key in keys),
            )
            for name, block in found.items()
        ),
    )


def _held_classes(view: RunView, table: ScoreTable) -> dict[str, str]:
    """Slice -> ` (5 of 7 classes)`, where some have no sample."""
    return {
        entry[
            "slice"
        ]: f" ({len(entry['present'])} of {len(entry['present'] + entry['absent'])} classes)"
        for entry in _classes(view, table)
        if entry["absent"]
    }


def absent_classes(view: RunView, table: ScoreTable) -> tuple[str, ...]:
    """The classes of a field without a sample on the table's slice."""
    entries = (entry for entry in _classes(view, table) if entry["slice"] == table.slice)
    return tuple(next(entries, {"absent": ()})["absent"])


def _classes(view: RunView, table: ScoreTable) -> Iterator[Mapping[str, Any]]:
    for state in view.scores.tasks:
        if state["task"] == table.task:
            yield from (e for e in state.get("classes", ()) if e["field"] == table.field)


def class_grid(view: RunView, table: ScoreTable, metric: str) -> Grid | None:
    """`recall` or `f1` of every class; None for a field that has none."""
    block = view.blocks[(table.task, table.slice, table.field)]
    keys = [line.key for line in table.lines if line.n is not None and line.kind != "baseline"]
    names = [m for rows in block.values() for m in rows if m.startswith(f"{metric}[")]
    if not names or not keys:
        return None
    return Grid(
        corner="Class",
        columns=tuple(heading(key) for key in keys),
        rows=tuple(
            (name.partition("[")[2][:-1], tuple(shown(block[key].get(name)) for key in keys))
            for name in dict.fromkeys(names)
        ),
    )
