"""Read tables row by row: CSV, TSV, JSON, Parquet and Arrow. No table is loaded whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.core.errors import HarnessError
from harness.sources.arrow_rows import open_arrow, open_parquet
from harness.sources.delimited import open_delimited
from harness.sources.json_rows import open_json
from harness.sources.row import TableFile, TableRow

__all__ = ["TABLE_SUFFIXES", "TableFile", "TableRow", "open_columns", "open_table"]


def open_table(path: Path) -> TableFile:
    """Open a table by its suffix, one of TABLE_SUFFIXES.

    Text may be UTF-8, UTF-16 or cp1252, found by its bytes; what is not UTF-8 is told in the table's notes. Raises
    HarnessError: missing file, unknown suffix, other encodings, no header, repeated columns; and, while reading,
    broken rows.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise HarnessError(
            f"{path.name!r} is not a supported table format",
            hint=f"use a file that ends in one of: {', '.join(_READERS)}",
        )
    if not path.is_file():
        raise HarnessError(
            f"table not found: {path}",
            hint="check the path; relative paths start at the current folder",
        )
    try:
        return reader(path)
    except OSError as error:
        raise HarnessError(
            f"table cannot be read: {path}: {error.strerror}", hint="check its permissions"
        ) from None


def open_columns(path: Path, *needed: str) -> TableFile:
    """Open a table of a published data set. Raises HarnessError as `open_table`, and for a column that it must have."""
    table = open_table(path)
    for column in needed:
        if column not in table.columns:
            raise HarnessError(
                f"{path.name} has no column {column!r}",
                hint=f"columns: {', '.join(table.columns)}; get the file again",
            )
    return table


def _comma(path: Path) -> TableFile:
    return open_delimited(path, ",")


def _tab(path: Path) -> TableFile:
    return open_delimited(path, "\t")


_READERS: Mapping[str, Callable[[Path], TableFile]] = {
    ".csv": _comma,
    ".tsv": _tab,
    ".json": open_json,
    ".jsonl": open_json,
    ".ndjson": open_json,
    ".parquet": open_parquet,
    ".arrow": open_arrow,
    ".feather": open_arrow,
}
TABLE_SUFFIXES = tuple(_READERS)
"""File name endings, in small letters, that are read as tables."""
