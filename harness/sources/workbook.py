"""Coding sheets of published sets: Excel workbooks (or CSV), with the header on any row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from harness.core.errors import HarnessError, missing_extra
from harness.sources.cells import is_blank, plain
from harness.sources.encoding import encoding_of

Cells: TypeAlias = tuple[Any, ...]

_HEADER_WITHIN = 40
"""Rows from the top among which the header is looked for: some sheets begin with a page of notes."""


@dataclass(frozen=True, slots=True)
class WorkbookRow:
    """One row of a sheet by its header's names."""

    where: str
    """For errors: `CODES.xlsx, sheet label, row 15`."""
    cells: Mapping[str, Any]
    """Plain name of the column (`onsetframe`) -> cell."""

    def get(self, *names: str) -> Any:
        """The cell of the first of these columns that the sheet has and the row fills; else None."""
        for name in names:
            cell = self.cells.get(plain_name(name))
            if not is_blank(cell):
                return cell
        return None

    def text(self, *names: str) -> str:
        """The same as text; empty where there is none."""
        cell = self.get(*names)
        return "" if cell is None else plain(cell)


def plain_name(header: Any) -> str:
    """`Onset Frame` and `OnsetFrame ` are one name: `onsetframe`."""
    return re.sub(r"[^a-z0-9]", "", str(header).lower())


def find_workbook(root: Path, patterns: Sequence[str], *, given: Path | None, family: str) -> Path:
    """The workbook named by the person, else the first under the root of one of these names.

    Raises HarnessError naming where it was looked for.
    """
    if given is not None:
        if not given.is_file():
            raise HarnessError(
                f"source.workbook: file not found: {given}",
                hint="relative paths start at the current folder",
            )
        return given
    for pattern in patterns:
        found = sorted(root.glob(pattern)) + sorted(root.glob(f"*/{pattern}"))
        if found:
            return found[0]
    raise HarnessError(
        f"no coding sheet of {family} under {root} (searched for {', '.join(patterns)})",
        hint="name it with --set source.workbook=FILE.xlsx (or a CSV with the same columns)",
    )


def sheets(path: Path) -> dict[str, list[Cells]]:
    """Sheet name -> its rows; of a CSV one sheet without a name. Formulas give their last value.

    Raises HarnessError for an old `.xls`, for a broken file, and where openpyxl is not installed.
    """
    if path.suffix.lower() in {".csv", ".tsv"}:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        codec = encoding_of(path).codec
        with path.open(encoding="utf-8-sig" if codec == "utf-8" else codec, newline="") as file:
            return {"": [tuple(row) for row in csv.reader(file, delimiter=delimiter)]}
    if path.suffix.lower() == ".xls":
        raise HarnessError(
            f"{path.name} is an old workbook (.xls), which is not supported",
            hint="save it as .xlsx or .csv and name it with --set source.workbook=FILE",
        )
    try:
        import openpyxl
    except ImportError:
        raise missing_extra("openpyxl", "workbooks") from None
    import zipfile

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise HarnessError(f"not a workbook: {path}: {error}", hint="get the file again") from None


def lines(path: Path, needed: Sequence[str], *, sheet: str | None = None) -> Iterator[WorkbookRow]:
    """The rows below the header: the first row of a sheet that names all the needed columns.

    Blank rows are passed over. Raises HarnessError naming the columns where no sheet has them.
    """
    wanted = {plain_name(name) for name in needed}
    for title, rows in sheets(path).items():
        if sheet is not None and title and title.lower() != sheet.lower():
            continue
        for number, row in enumerate(rows[:_HEADER_WITHIN]):
            names = [plain_name(cell) if not is_blank(cell) else "" for cell in row]
            if wanted <= set(names):
                yield from _below(path, title, rows, number, names)
                return
    raise HarnessError(
        f"{path.name}: no sheet has the columns {', '.join(needed)}",
        hint="use the data set's own coding sheet, with the published column names",
    )


def _below(
    path: Path, title: str, rows: Sequence[Cells], header: int, names: Sequence[str]
) -> Iterator[WorkbookRow]:
    place = f"{path.name}, sheet {title}" if title else path.name
    for number in range(header + 1, len(rows)):
        row = rows[number]
        if any(not is_blank(cell) for cell in row):
            pairs = zip(names, row, strict=False)
            yield WorkbookRow(
                f"{place}, row {number + 1}", {name: cell for name, cell in pairs if name}
            )
