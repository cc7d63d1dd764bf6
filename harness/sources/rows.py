"""Tables on disk, row by row: CSV, TSV, JSON lines and Parquet. No table is ever in memory whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError

_PEEK_LINES = 200
"""JSON lines read to learn the columns: an object may leave a column out."""
_BATCH_ROWS = 256
"""Parquet rows turned into Python values at a time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1 (the header not counted), where to find it, its cells by column."""

    number: int
    where: str
    """For errors: `labels.csv, row 3 (line 4)`."""
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table file whose columns are known and whose rows are read afresh at each iteration."""

    path: Path
    columns: tuple[str, ...]
    read: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        return self.read()


def open_table(path: Path) -> Table:
    """Open a table by its suffix: .csv, .tsv, .jsonl, .ndjson, .parquet.

    Text must be UTF-8, with or without a byte order mark. Raises HarnessError: missing file, unknown
    suffix, other encodings, no header, repeated columns; and, while reading, broken rows.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise HarnessError(
            f"a table cannot be read from {path.name!r}",
            hint=f"give a file ending in one of: {', '.join(_READERS)}",
        )
    if not path.is_file():
        raise HarnessError(
            f"table not found: {path}",
            hint="check source.file; a relative path starts at the task's base folder",
        )
    try:
        return reader(path)
    except OSError as error:
        raise HarnessError(
            f"table cannot be read: {path}: {error.strerror}", hint="check its permissions"
        ) from None


def _comma(path: Path) -> Table:
    return _delimited(path, ",")


def _tab(path: Path) -> Table:
    return _delimited(path, "\t")


def _delimited(path: Path, delimiter: str) -> Table:
    header = next((cells for _, cells in _records(path, delimiter)), None)
    if header is None:
        raise HarnessError(f"table is empty: {path}", hint="its first line must name the columns")
    names = [name.strip() for name in header]
    columns = tuple(name for name in names if name)  # an index column without a name is left out
    _check_columns(path, columns)

    def read() -> Iterator[Row]:
        records = _records(path, delimiter)
        next(records)
        for number, (line, cells) in enumerate(records, start=1):
            where = f"{path.name}, row {number} (line {line})"
            if len(cells) != len(names):
                raise HarnessError(
                    f"{where}: {len(cells)} cells, but the header has {len(names)}",
                    hint="quote cells that hold the delimiter or a line break",
                )
            filled = {name: cell for name, cell in zip(names, cells, strict=True) if name}
            yield Row(number, where, filled)

    return Table(path, columns, read)


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not blank, the header first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except UnicodeDecodeError as error:
            raise _not_utf8(path, error) from None
        except csv.Error as error:
            raise HarnessError(
                f"{path.name}, line {reader.line_num}: {error}", hint="hint that line's quotes"
            ) from None


def _json_lines(path: Path) -> Table:
    columns: dict[str, None] = {}
    for row in _objects(path):
        columns.update(dict.fromkeys(row.cells))
        if row.number >= _PEEK_LINES:
            break
    if not columns:
        raise HarnessError(f"table is empty: {path}", hint="give one JSON object a line")
    return Table(path, tuple(columns), lambda: _objects(path))


def _objects(path: Path) -> Iterator[Row]:
    number = 0
    with path.open(encoding="utf-8-sig") as file:
        try:
            for line_number, line in enumerate(file, start=1):
                if line.strip():
                    number += 1
                    where = f"{path.name}, row {number} (line {line_number})"
                    yield Row(number, where, _object(line, where))
        except UnicodeDecodeError as error:
            raise _not_utf8(path, error) from None


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{where}: not JSON: {error}", hint="one object a line") from None
    if not isinstance(value, dict):
        raise HarnessError(
            f"{where}: a JSON {type(value).__name__}, not an object",
            hint='write each row as {"column": value, ...}',
        )
    return value


def _parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise HarnessError(f"not a Parquet file: {path}: {error}", hint="write it again") from None
    _check_columns(path, columns)

    def read() -> Iterator[Row]:
        number = 0
        with pq.ParquetFile(path) as file:
            try:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                    for cells in batch.to_pylist():
                        number += 1
                        yield Row(number, f"{path.name}, row {number}", cells)
            except (pa.ArrowException, OSError) as error:
                raise HarnessError(f"{path.name}, after row {number}: {error}") from None

    return Table(path, columns, read)


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise HarnessError(
            f"{path.name} names a column twice: {', '.join(repeated)}", hint="rename one of them"
        )
    if not columns:
        raise HarnessError(f"{path.name} names no columns", hint="its first line must name them")


def _not_utf8(path: Path, error: UnicodeDecodeError) -> HarnessError:
    return HarnessError(
        f"{path.name} is not UTF-8 text (byte 0x{error.object[error.start]:02x})",
        hint=f"save it as UTF-8, such as: iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}",
    )


_READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": _comma,
    ".tsv": _tab,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
