"""A row of a table, and tables that are read again at each iteration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError

MOST_COLUMNS = 10_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number from 1 (the header not counted), where to find it, its cells by column."""

    number: int
    where: str
    """For errors: `labels.csv, row 3 (line 4)`."""
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table file whose columns are known and whose rows are read afresh at each iteration."""

    path: Path
    columns: tuple[str, ...]
    read: Callable[[], Iterator[TableRow]]
    notes: tuple[str, ...] = ()
    """How it was read, where that is not plain: an encoding that is not UTF-8."""

    def __iter__(self) -> Iterator[TableRow]:
        return self.read()


def check_columns(path: Path, columns: tuple[str, ...]) -> None:
    """Refuse a table without columns, with one name twice, or with more than anyone reads. Raises HarnessError."""
    if len(columns) > MOST_COLUMNS:
        raise HarnessError(
            f"{path.name} has {len(columns):,} columns; the maximum is {MOST_COLUMNS:,}",
            hint="keep only the columns that the task needs",
        )
    repeated = sorted(name for name, times in Counter(columns).items() if times > 1)
    if repeated:
        raise HarnessError(
            f"{path.name} uses a column name twice: {', '.join(repeated[:5])}",
            hint="rename one of them",
        )
    if not columns:
        raise HarnessError(
            f"{path.name} has no column names", hint="the first line must contain them"
        )
