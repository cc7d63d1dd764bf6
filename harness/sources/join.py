"""Add columns from side tables, matched by key. A side table is held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import model_validator

from harness.core.errors import HarnessError
from harness.sources.cells import is_blank, plain
from harness.sources.options import Options
from harness.sources.rows import TableRow, open_table

Key = tuple[str, ...]


class JoinOptions(Options):
    """One side table."""

    file: str
    """Relative to the current folder."""
    on: str | Mapping[str, str]
    """The key: one column of both tables, or column here -> column there (several make one key)."""
    columns: tuple[str, ...] = ()
    """Columns to bring; empty means all but the key."""

    @model_validator(mode="before")
    @classmethod
    def _read_on(cls, written: Any) -> Any:
        """YAML 1.1 reads the bare key `on` as true."""
        if isinstance(written, Mapping) and True in written:
            return {"on" if key is True else key: value for key, value in written.items()}
        return written


@dataclass(frozen=True, slots=True)
class SideTable:
    """A side table read whole: key -> the values of `columns`."""

    name: str
    left: tuple[str, ...]
    """Key columns of the main table."""
    columns: tuple[str, ...]
    values: Mapping[Key, tuple[Any, ...]]


def read_side(options: JoinOptions, *, base: Path, taken: Iterable[str]) -> SideTable:
    """Read a side table. `taken` are the columns there are already.

    Raises HarnessError: key not found in either table, column brought twice, key in two rows.
    """
    table = open_table(base / options.file)
    on = {options.on: options.on} if isinstance(options.on, str) else dict(options.on)
    there, present = tuple(table.columns), tuple(taken)
    for left, right in on.items():
        _require(left, present, "the table joined to")
        _require(right, there, table.path.name)
    columns = options.columns or tuple(c for c in there if c not in on.values())
    for column in columns:
        _require(column, there, table.path.name)
        if column in present:
            raise HarnessError(
                f"source.join: {table.path.name} already has a column {column!r}",
                hint="choose the columns to add in `columns`, or rename one",
            )
    values: dict[Key, tuple[Any, ...]] = {}
    for row in table:
        key = _key(row.cells, tuple(on.values()))
        if key is None:
            continue
        if key in values:
            first = next(r for r in table if _key(r.cells, tuple(on.values())) == key)
            raise HarnessError(
                f"{row.where}: the key {', '.join(key)!r} is already in {first.where}",
                hint="each key may appear once in a side table",
            )
        values[key] = tuple(row.cells.get(column) for column in columns)
    return SideTable(table.path.name, tuple(on), columns, values)


def join(rows: Iterable[TableRow], sides: tuple[SideTable, ...]) -> Iterator[TableRow]:
    """Rows with the side tables' columns; None where a side table lacks the key.

    Raises HarnessError at the end where a side table matched no row at all.
    """
    matched, any_row = [False] * len(sides), False
    for row in rows:
        any_row, cells = True, dict(row.cells)
        for i, side in enumerate(sides):
            key = _key(cells, side.left)
            found = None if key is None else side.values.get(key)
            matched[i] = matched[i] or found is not None
            cells.update(zip(side.columns, found or [None] * len(side.columns), strict=True))
        yield TableRow(row.number, row.where, cells)
    for side, hit in zip(sides, matched, strict=True):
        if any_row and not hit:
            raise HarnessError(
                f"source.join: no row matches {side.name} on {', '.join(side.left)}",
                hint="check that both key columns are spelled alike",
            )


def _key(cells: Mapping[str, Any], columns: tuple[str, ...]) -> Key | None:
    found = [cells.get(column) for column in columns]
    if any(is_blank(cell) for cell in found):
        return None
    return tuple(plain(cell) for cell in found)


def _require(column: str, columns: tuple[str, ...], table: str) -> None:
    if column not in columns:
        raise HarnessError(
            f"source.join: {table} has no column {column!r}",
            hint=f"columns: {', '.join(columns)}",
        )
