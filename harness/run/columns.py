"""Parquet files of text columns, written a batch at a time.

Arrow arrays are made from their buffers: the general constructors import pandas, which costs more than
the rest of a small run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import HarnessError
from harness.run.folder import replacing

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

BATCH = 2048
"""Rows held before they are written."""

Row = Mapping[str, str | None]


def write_table(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Write `rows` as columns `names`, in their order; the same rows give the same bytes.

    The file replaces an older one when it is whole. Raises HarnessError when it cannot be written.
    """
    import pyarrow.parquet as pq

    pa = _arrow()
    schema = pa.schema([(name, pa.string()) for name in names])
    with (
        replacing(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for batch in _batches(names, rows):
            arrays = [_text_array(column) for column in batch]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


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


@contextmanager
def opened(path: Path) -> Iterator[ParquetFile]:
    """Such a file, open for reading. Raises HarnessError where there is none, and for what is broken of it."""
    import pyarrow.parquet as pq

    pa = _arrow()
    try:
        with pq.ParquetFile(path) as file:
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


def _text_array(values: Sequence[str | None]) -> Any:
    """An Arrow string array; half a surrogate pair becomes `?`, since Parquet holds valid UTF-8 only."""
    import pyarrow as pa

    texts = [value or "" for value in values]
    lengths = list(map(len, texts))
    data = "".join(texts).encode("utf-8", "replace")
    if len(data) != sum(lengths):  # not ASCII throughout
        lengths = [len(text.encode("utf-8", "replace")) for text in texts]
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    known = np.packbits([value is not None for value in values], bitorder="little")
    buffers = [pa.py_buffer(known), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)
