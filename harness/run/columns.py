"""Parquet files of text columns, written a batch at a time.

Arrow arrays are made from their buffers: the general constructors import pandas, which costs more than
the rest of a small run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.run.folder import replacing

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

BATCH = 2048
"""Rows held before they are written."""

Row = Mapping[str, str | None]
AlikeRow = tuple[tuple[str | None, ...], Row]
"""A row in two: the values of some columns in their order, and the others, the same object where rows are alike in
them."""


def write_table(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Write `rows` as columns `names`, in their order; the same rows give the same bytes.

    The file replaces an older one when it is whole. Raises HarnessError when it cannot be written.
    """
    _write(path, names, (map(_text_array, batch) for batch in _batches(names, rows)))


def write_alike(
    path: Path, names: Sequence[str], own: Sequence[str], rows: Iterable[AlikeRow]
) -> None:
    """As `write_table` of rows that are alike in most columns: the first part of each are the values of `own`. It gives the
    same bytes at a fraction of the time."""

    def arrays(batch: Sequence[AlikeRow]) -> Iterator[Any]:
        values, shared = zip(*batch, strict=True)
        apart = dict(zip(own, zip(*values, strict=True), strict=True))
        distinct = {id(row): row for row in shared}  # all are held by the batch
        for name in names:
            if name in apart:
                yield _text_array(apart[name])
                continue
            texts = {key: row[name] for key, row in distinct.items()}
            first = next(iter(texts.values()))
            if all(text == first for text in texts.values()):
                yield _repeated(first, len(batch))
            else:
                yield _text_array([texts[id(row)] for row in shared])

    coming = iter(rows)
    batches = iter(lambda: list(islice(coming, BATCH)), [])
    _write(path, names, (arrays(batch) for batch in batches))


def _write(path: Path, names: Sequence[str], batches: Iterable[Iterable[Any]]) -> None:
    """Write the Arrow arrays of each batch of rows."""
    import pyarrow.parquet as pq

    pa = _arrow()
    schema = pa.schema([(name, pa.string()) for name in names])
    with (
        replacing(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for arrays in batches:
            writer.write_table(pa.Table.from_arrays(list(arrays), schema=schema))


def read_table(
    path: Path, names: Sequence[str] | None = None, *, needs: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """The rows of such a file (of columns `names` only), a batch at a time.

    Raises HarnessError where there is none, where it is broken, and where it lacks one of `names` or `needs`.
    """
    pa = _arrow()
    with opened(path) as file:
        held = file.schema_arrow
        for name in (*(names or held.names), *needs):
            if name not in held.names or held.field(name).type != pa.string():
                raise unreadable(path, f"it has no column {name} of texts")
        for batch in file.iter_batches(
            batch_size=BATCH,
            columns=None if names is None else list(names),
            use_threads=False,  # each would keep memory of its own
        ):
            yield from batch.to_pylist()


@dataclass(frozen=True, slots=True)
class CodedBatch:
    """Some rows of such a file."""

    texts: tuple[bytes, NDArray[np.int64]]
    """Of one column, the UTF-8 of all rows one behind the other, and (n,) where each ends."""
    coded: Mapping[str, tuple[list[str], NDArray[np.int64]]]
    """Column -> its distinct values, and (n,) which of them each row has."""

    def each(self) -> Iterator[str]:
        """The texts one by one."""
        block, start = self.texts[0], 0
        for end in self.texts[1].tolist():
            yield block[start:end].decode()
            start = end


def read_coded(path: Path, texts: str, coded: Sequence[str]) -> Iterator[CodedBatch]:
    """The rows of such a file a batch at a time, in columns without empty cells: one of texts that seldom repeat, others
    whose values mostly do.

    Raises HarnessError as `read_table`, and where a cell is empty.
    """
    pa = _arrow()
    with opened(path, coded=coded) as file:
        for name in (texts, *coded):
            if name not in file.schema_arrow.names:
                raise unreadable(path, f"it has no column {name} of texts")
        for batch in file.iter_batches(
            batch_size=BATCH, columns=[texts, *coded], use_threads=False
        ):
            names = batch.schema.names
            if any(column.null_count for column in batch.columns):
                raise unreadable(path, f"an empty cell in one of {', '.join(names)}")
            found: dict[str, tuple[list[str], NDArray[np.int64]]] = {}
            for name in coded:
                column = batch.column(names.index(name))
                if column.type != pa.dictionary(pa.int32(), pa.string()):
                    raise unreadable(path, f"it has no column {name} of texts")
                numbers = np.frombuffer(column.indices.buffers()[1], dtype=np.int32)
                at = numbers[column.offset : column.offset + len(column)]
                found[name] = column.dictionary.to_pylist(), at.astype(np.int64)
            yield CodedBatch(_utf8(batch.column(names.index(texts)), path), found)


def _utf8(column: Any, path: Path) -> tuple[bytes, NDArray[np.int64]]:
    import pyarrow as pa

    if column.type != pa.string():
        raise unreadable(path, "a column is not one of texts")
    _, ends, data = column.buffers()
    at = np.frombuffer(ends, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    at = at.astype(np.int64)
    return bytes(memoryview(data)[at[0] : at[-1]]) if data else b"", at[1:] - at[0]


@contextmanager
def opened(path: Path, *, coded: Sequence[str] = ()) -> Iterator[ParquetFile]:
    """Such a file, open for reading, some columns as distinct values with their numbers. Raises HarnessError where there
    is none, and for what is broken of it."""
    import pyarrow.parquet as pq

    pa = _arrow()
    try:
        with pq.ParquetFile(path, read_dictionary=list(coded)) as file:
            yield file
    except FileNotFoundError:
        raise unreadable(path, "there is no such file") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(path, str(error)) from None


def unreadable(path: Path, fault: str) -> HarnessError:
    """The error for a table of a run that is not as the harness wrote it."""
    hint = (
        "score the run again: harness score RUN"
        if path.name == "records.parquet"
        else "restore a copy, or run the same command again, which writes it again"
    )
    return HarnessError(f"{path} cannot be read: {fault}", hint=hint, at_work=False)


def _arrow() -> Any:
    """Arrow on the allocator of the C library: its own keeps 7 MB for tables of a few kilobytes."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    return pa


def _batches(names: Sequence[str], rows: Iterable[Row]) -> Iterator[list[list[str | None]]]:
    """The columns of BATCH rows at a time; the lists are emptied when the next are asked for."""
    columns: list[list[str | None]] = [[] for _ in names]
    for row in rows:
        for name, column in zip(names, columns, strict=True):
            column.append(row[name])
        if len(columns[0]) == BATCH:
            yield columns
            for column in columns:
                column.clear()
    if columns[0]:
        yield columns


def _repeated(value: str | None, times: int) -> Any:
    """An Arrow string array of one value."""
    text = (value or "").encode("utf-8", "replace")
    offsets = np.arange(times + 1, dtype=np.int32) * len(text)
    known = np.packbits(np.full(times, value is not None), bitorder="little")
    return _strings(times, known, offsets, text * times)


def _text_array(values: Sequence[str | None]) -> Any:
    """An Arrow string array; half a surrogate pair becomes `?`, since Parquet holds valid UTF-8 only."""
    texts = [value or "" for value in values]
    lengths = list(map(len, texts))
    data = "".join(texts).encode("utf-8", "replace")
    if len(data) != sum(lengths):  # not ASCII throughout
        lengths = [len(text.encode("utf-8", "replace")) for text in texts]
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    known = np.packbits([value is not None for value in values], bitorder="little")
    return _strings(len(texts), known, offsets, data)


def _strings(count: int, known: NDArray[np.uint8], offsets: NDArray[np.int32], data: bytes) -> Any:
    """An Arrow string array of its buffers."""
    import pyarrow as pa

    buffers = [pa.py_buffer(known), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), count, buffers)
