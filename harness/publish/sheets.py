"""Tables for spreadsheets and programs: CSV with one line per cell, and XLSX workbooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.errors import missing_extra
from harness.core.text import visible
from harness.publish.markdown import entry_words
from harness.publish.published import Beside
from harness.publish.table import AXES, Entry, PaperTable, axis_value

_AXES = tuple(axis for axis in AXES if axis not in {"task", "metric"})
HEADER = (
    "kind", "task", "part", "field", "metric", *_AXES, "value", "low", "high", "n", "clusters", "unit", "coverage", "rank",
    "tied_with_best", "best_told_apart", "estimator", "source", "status", "differs",
)  # fmt: skip
"""Columns of the CSV. `kind` is `measured` or `published`; empty cells are not known or do not apply."""


def tidy(tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]] = ()) -> str:
    """One line a cell, with unrounded numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([_inert(value) for value in row] for row in _lines(tables, besides))
    return text.getvalue()


def _lines(
    tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]]
) -> Iterator[Sequence[Any]]:
    for at, table in enumerate(tables):
        yield from (_measured(entry) for entry in table.entries.values())
        for one in besides[at] if besides else ():
            row: dict[str, Any] = {
                "kind": "published", "task": one.set, "metric": one.metric, "model": one.system, "value": one.value,
                "source": one.source, "status": one.status, "differs": "; ".join(one.differs),
            }  # fmt: skip
            yield [row.get(name) for name in HEADER]


def _measured(entry: Entry) -> list[Any]:
    one, board = entry.cell, entry.board
    row: dict[str, Any] = {axis: axis_value(one, board, axis) for axis in _AXES}
    row |= {
        "kind": "measured", "task": board.task, "part": board.part, "field": board.field, "metric": board.metric,
        "value": one.value, "low": one.low, "high": one.high, "n": one.n, "clusters": board.clusters,
        "unit": board.unit, "coverage": one.coverage, "rank": one.rank, "tied_with_best": one.tied,
        "best_told_apart": entry.best, "estimator": one.estimator,
    }  # fmt: skip
    return [row.get(name) for name in HEADER]


def _inert(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = " ".join(visible(value).split())
    return f"'{text}" if len(text) > 1 and text[0] in "=+-@" else text


def workbook(tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]] = ()) -> bytes:
    """A sheet for each table as it is read, and one with every number. Raises HarnessError without openpyxl."""
    try:
        import openpyxl
        from openpyxl.styles import Font
    except ImportError:
        raise missing_extra("openpyxl", "workbooks") from None
    bold = Font(bold=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for at, table in enumerate(tables):
        sheet = book.create_sheet(f"table {at + 1}")
        _put(sheet, 1, [table.title], font=bold)
        heads = [head for column in table.columns for head in (column, "95% interval")]
        _put(sheet, 3, [table.corner, *heads], font=bold)
        for number, row in enumerate(table.rows, start=4):
            _put(sheet, number, [row])
            for place, column in enumerate(table.columns):
                _put_entry(sheet, number, 2 + 2 * place, table.entries.get((row, column)), bold)
        below = 5 + len(table.rows)
        for number, note in enumerate(table.notes, start=below):
            _put(sheet, number, [note])
        _put_published(sheet, below + len(table.notes) + 1, besides[at] if besides else (), bold)
        sheet.column_dimensions["A"].width = max(12, *(len(row) for row in table.rows)) + 2
        sheet.freeze_panes = "B4"
    every = book.create_sheet("cells")
    _put(every, 1, HEADER, font=bold)
    for number, line in enumerate(_lines(tables, besides), start=2):
        _put(every, number, line)
    every.freeze_panes = "A2"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _put(sheet: Any, row: int, values: Sequence[Any], *, font: Any = None) -> None:
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(row=row, column=column)
        cell.value = " ".join(visible(value).split()) if isinstance(value, str) else value
        if isinstance(value, str):
            cell.data_type = "s"  # a text that begins with = is no formula
        if font is not None:
            cell.font = font


def _put_entry(sheet: Any, row: int, column: int, entry: Entry | None, bold: Any) -> None:
    value, bounds = entry_words(entry)
    cell = sheet.cell(row=row, column=column)
    if entry is None or entry.cell.value is None:
        cell.value = value
        return
    cell.value = entry.cell.value
    cell.number_format = '0.000"†"' if entry.tied else "0.000"
    if entry.best:
        cell.font = bold
    sheet.cell(row=row, column=column + 1).value = bounds


def _put_published(sheet: Any, row: int, found: Sequence[Beside], bold: Any) -> None:
    if not found:
        return
    _put(sheet, row, ["Published elsewhere, not measured here"], font=bold)
    _put(
        sheet,
        row + 1,
        ["system", "metric", "value", "set", "source", "status", "what differs"],
        font=bold,
    )
    for number, one in enumerate(found, start=row + 2):
        _put(
            sheet, number,
            [one.system, one.metric, one.value, one.set, one.source, one.status, "; ".join(one.differs)],
        )  # fmt: skip
