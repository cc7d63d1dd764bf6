"""CSV and TSV tables, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import HarnessError
from harness.sources.encoding import Encoding, encoding_of
from harness.sources.lines import bounded_lines
from harness.sources.row import TableFile, TableRow, check_columns

_CELL = 1 << 26
"""Most characters in a cell, which may hold a whole picture, and in a line."""


def open_delimited(path: Path, delimiter: str) -> TableFile:
    """A table whose first line names the columns.

    A header without the delimiter that has `;` or tabs is split at these, as spreadsheets of some countries write it.
    Raises HarnessError: an unknown encoding, no header, repeated columns; and, while reading, broken rows.
    """
    encoding = encoding_of(path)
    header = next((cells for _, cells in _records(path, delimiter, encoding)), None)
    if header is None:
        raise HarnessError(
            f"table is empty: {path}", hint="the first line must contain the column names"
        )
    other = next((mark for mark in (";", "\t", ",") if mark in header[0]), "")
    if len(header) == 1 and other:
        return _table(path, other, header[0].split(other), encoding)
    return _table(path, delimiter, header, encoding)


def _table(path: Path, delimiter: str, header: list[str], encoding: Encoding) -> TableFile:
    names = [name.strip() for name in header]
    columns = tuple(name for name in names if name)  # an index column without a name is left out
    check_columns(path, columns)

    def read() -> Iterator[TableRow]:
        records = _records(path, delimiter, encoding)
        next(records)
        for number, (line, cells) in enumerate(records, start=1):
            where = f"{path.name}, row {number} (line {line})"
            if len(cells) != len(names):
                raise HarnessError(
                    f"{where}: {len(cells)} cells, but the header has {len(names)}",
                    hint="put quotes around cells that contain the delimiter or a line break",
                )
            filled = {name: cell for name, cell in zip(names, cells, strict=True) if name}
            yield TableRow(number, where, filled)

    notes = (f"{path.name} {encoding.note}",) if encoding.note else ()
    return TableFile(path, columns, read, notes)


def _records(path: Path, delimiter: str, encoding: Encoding) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not blank, the header first."""
    csv.field_size_limit(_CELL)  # the module's own; its default is under one small picture
    codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
    with path.open(encoding=codec, newline="") as file:
        reader = csv.reader(bounded_lines(file, path), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except UnicodeDecodeError as error:  # it was changed since it was opened
            raise HarnessError(f"{path.name}: {error}", hint="save it as UTF-8") from None
        except csv.Error as error:
            raise HarnessError(
                f"{path.name}, line {reader.line_num}: {error}",
                hint="check the quotes in that line",
            ) from None
