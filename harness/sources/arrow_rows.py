"""Parquet and Arrow tables, row by row, with the class names that their metadata hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError
from harness.sources.row import TableFile, TableRow, check_columns

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 256
"""Rows turned into Python values at a time."""


def open_parquet(path: Path) -> TableFile:
    """A Parquet file. Raises HarnessError where it is none, and while reading where it is broken."""
    import pyarrow.parquet as pq

    def batches() -> Iterator[Any]:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=_BATCH_ROWS)

    def schema() -> Any:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow

    return _table(path, "Parquet", schema, batches)


def open_arrow(path: Path) -> TableFile:
    """An Arrow file (also called Feather) or stream. Raises HarnessError as `open_parquet` does."""

    def schema() -> Any:
        return _reader(path).schema

    def batches() -> Iterator[Any]:
        reader = _reader(path)
        count = getattr(reader, "num_record_batches", None)
        for batch in reader if count is None else map(reader.get_batch, range(count)):
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield batch.slice(start, _BATCH_ROWS)

    return _table(path, "Arrow", schema, batches)


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """Column -> the names of its classes, as Hugging Face `datasets` writes them into a file's metadata."""
    try:
        held = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        features = held["info"]["features"]
        found = {}
        for column, feature in features.items():
            inner = feature.get("feature", feature) if isinstance(feature, dict) else {}
            inner = inner if isinstance(inner, dict) else {}
            names = inner.get("names")
            if inner.get("_type") == "ClassLabel" and isinstance(names, list):
                found[str(column)] = tuple(map(str, names))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found


def named(cell: Any, names: tuple[str, ...]) -> Any:
    """A class number, or each of a list of them, as its name; -1 and what is out of range have none."""
    if isinstance(cell, list):
        return [named(number, names) for number in cell]
    known = isinstance(cell, int) and 0 <= cell < len(names)
    return names[cell] if known else None


def _reader(path: Path) -> Any:
    import pyarrow as pa

    mapped = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(mapped)
    except pa.ArrowInvalid:
        mapped.seek(0)
        return pa.ipc.open_stream(mapped)


def _table(
    path: Path, form: str, schema: Callable[[], Any], batches: Callable[[], Iterator[Any]]
) -> TableFile:
    import pyarrow as pa

    try:
        known = schema()
        columns = tuple(known.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise HarnessError(
            f"not {'an' if form[0] in 'AO' else 'a'} {form} file: {path}: {error}",
            hint="write the file again",
        ) from None
    check_columns(path, columns)
    classes = {
        name: names for name, names in class_names(known.metadata).items() if name in columns
    }

    def read() -> Iterator[TableRow]:
        number = 0
        try:
            for batch in batches():
                for cells in _rows(batch):
                    number += 1
                    for column, names in classes.items():
                        cells[column] = named(cells[column], names)
                    yield TableRow(number, f"{path.name}, row {number}", cells)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise HarnessError(f"{path.name}, after row {number}: {error}") from None

    listed = ", ".join(classes)
    notes = (f"{path.name}: classes of {listed} are named in its metadata",) if classes else ()
    return TableFile(path, columns, read, notes)


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows as Python values; a date that Python cannot hold becomes text."""
    import pyarrow as pa

    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (ValueError, OverflowError) as error:
        if isinstance(error, pa.ArrowException | UnicodeDecodeError):
            raise
        columns = {
            name: [_value(cell) for cell in batch.column(name)] for name in batch.schema.names
        }
        return [
            dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
        ]
    return rows


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return str(getattr(cell, "value", "")) or None
