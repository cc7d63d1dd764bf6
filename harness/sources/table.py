"""The family `table`: a CSV, TSV, JSON, Parquet or Arrow file with a row for each sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.core.text import digest_file, digest_json
from harness.sources.columns import NOT_IN_DIGEST, ColumnOptions, find_columns
from harness.sources.encoded import is_encoded
from harness.sources.join import JoinOptions, SideTable, join, read_side
from harness.sources.mapper import Mapper, RowSource
from harness.sources.options import read_options
from harness.sources.places import check_responds, folders
from harness.sources.references import INDEX, References
from harness.sources.rows import TableFile, TableRow, open_table


class TableOptions(ColumnOptions):
    """Options of a table."""

    file: str
    """The table, relative to the current folder."""
    root: str | None = None
    """Folder that relative picture paths start at, relative to the current folder; default the table's own."""
    join: tuple[JoinOptions, ...] = ()
    """Side tables, joined in this order."""


def open_table_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over a table's rows, read one by one. Raises HarnessError."""
    asked = read_options(TableOptions, options, family="table")
    table = open_table(base / asked.file)
    columns, sides = list(table.columns), list[SideTable]()
    notes = table.notes
    for side_options in asked.join:
        side = read_side(side_options, base=base, taken=columns)
        columns += side.columns
        sides.append(side)
    root = table.path.parent if asked.root is None else base / asked.root
    check_responds(root)
    if asked.root is not None and not root.is_dir():
        raise HarnessError(
            f"media.root: there is no folder {root}",
            hint="name the folder that the paths of the table start from; relative ones start here",
        )
    found = find_columns(asked, columns, fields, table=table.path.name)
    mapper = Mapper(
        options=asked,
        columns=found,
        fields=fields,
        root=root,
        inside=() if asked.allow_outside else folders(root, table.path.parent),
    )

    if holds_pictures(table, found.medium.text):
        mapper = replace(mapper, references=References(found.medium.text, lambda: table))

    def rows() -> Iterable[TableRow]:
        return join(table, tuple(sides)) if sides else table

    def digest() -> str:
        return _digest(asked, base)

    follows = mapper.references is None and found.kind == "image"
    follows = follows and (asked.id is not None or not asked.allow_outside)  # else content names it
    return RowSource(
        rows, mapper, name=table.path.name, digest=digest, notes=notes, folder=root if follows else None
    )  # fmt: skip


def holds_pictures(table: TableFile, column: str) -> bool:
    """Whether a table with a column `index` holds pictures as text in its first row, as VLMEvalKit's do."""
    if not {INDEX, column} <= set(table.columns):
        return False
    first = next(iter(table), None)
    cell = None if first is None else first.cells.get(column)
    return isinstance(cell, str) and is_encoded(cell)


def _digest(options: TableOptions, base: Path) -> str:
    """Over the bytes of all tables and the options; not over where they lie."""
    written = options.model_dump(mode="json", exclude={"file", "root", "join", *NOT_IN_DIGEST})
    return digest_json(
        {
            "options": written,
            "table": digest_file(base / options.file),
            "join": [
                {"on": side.on if isinstance(side.on, str) else dict(side.on),
                 "columns": list(side.columns), "table": digest_file(base / side.file)}
                for side in options.join
            ],
        }
    )  # fmt: skip
