"""Read files of answers row by row: tables, and the logs of inspect-ai, lmms-eval, lm-eval, VLMEvalKit and MLLMVisualEmotion.

A row of a log keeps its own keys and gains three: `@answer`, the raw reply (not what the tool's own filter
made of it); `@finish`, why it ended; `@failure`, why there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError
from harness.imports.answer_rows import (
    ANSWER,
    FAILURE,
    FINISH,
    NOT_ANSWERS,
    REPEAT,
    VLMEVALKIT,
    is_vlmevalkit,
    vlmevalkit_rows,
    with_finish,
)
from harness.imports.inspect_logs import COLUMNS, DEFAULTS, json_rows, packed_rows
from harness.imports.visual_emotion import DEFAULTS as RECORDED
from harness.imports.visual_emotion import is_visual_emotion, result_rows
from harness.sources.cells import is_blank, plain
from harness.sources.encoding import encoding_of
from harness.sources.json_rows import first_character
from harness.sources.row import TableFile, TableRow, check_columns
from harness.sources.rows import TABLE_SUFFIXES, open_table
from harness.sources.workbook import sheets

__all__ = ["ANSWER", "FAILURE", "FINISH", "REPEAT", "AnswerFile", "cell_of", "open_answers"]

_LMMS_FAILED = "[LMMS_EVAL_REQUEST_FAILED"
"""lmms-eval puts the text of a failed request where the reply belongs, opening with this."""

_LIKELIHOOD = re.compile(r"-?(inf|\d+(\.\d+)?(e-?\d+)?)")

_LOG_COLUMNS = MappingProxyType({"id": "doc_id", "truth": "target", "answer": ANSWER})


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file of answers whose columns are known and whose rows are read afresh at each iteration."""

    path: Path
    tool: str
    """`table`, `inspect-ai`, `vlmevalkit`, `mllm-visual-emotion`, or `lm-eval` (which lmms-eval's logs follow)."""
    columns: tuple[str, ...]
    read: Callable[[], Iterator[TableRow]] = field(repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Where a log keeps `id`, `truth` and `answer`; empty for tables."""
    notes: tuple[str, ...] = ()
    """What the tool itself made of the answers, where its file says so."""

    def __iter__(self) -> Iterator[TableRow]:
        return self.read()


def open_answers(path: Path) -> AnswerFile:
    """Open a file of answers by its suffix and, for JSON, by what it holds.

    Raises HarnessError for a file that is missing, empty, broken, or of no known kind.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise HarnessError(f"no such file of predictions: {path}", hint="check --predictions FILE")
    if suffix == ".eval":
        next(packed_rows(path))  # what is wrong with the file is told now
        return AnswerFile(path, "inspect-ai", COLUMNS, lambda: packed_rows(path), DEFAULTS)
    if suffix == ".json" and _begins_with(path) != "[" and is_visual_emotion(path):
        rows, note = result_rows(path)
        columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
        return AnswerFile(
            path, "mllm-visual-emotion", columns, lambda: iter(rows), RECORDED, (note,)
        )
    if suffix == ".json" and _begins_with(path) != "[":
        rows = json_rows(path)
        columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
        return AnswerFile(path, "inspect-ai", columns, lambda: iter(rows), DEFAULTS)
    if suffix not in {*TABLE_SUFFIXES, ".xlsx"}:
        raise HarnessError(
            f"{path.name!r} is not a supported format for predictions",
            hint="use a .csv, .tsv, .json, .jsonl, .parquet or .xlsx table, a .json or .eval "
            "log of inspect-ai, or a samples .jsonl of lm-eval or lmms-eval",
        )
    table = _sheet(path) if suffix == ".xlsx" else open_table(path)
    logged = "doc_id" in table.columns and {"resps", "filtered_resps"} & set(table.columns)
    if logged and suffix in {".jsonl", ".ndjson"}:
        columns = (*table.columns, ANSWER)
        return AnswerFile(path, "lm-eval", columns, lambda: _replies(table), _LOG_COLUMNS)
    return _of_table(table)


def _of_table(table: TableFile) -> AnswerFile:
    """A table as a file of answers; VLMEvalKit's are known by their columns."""
    columns = table.columns

    def read() -> Iterator[TableRow]:
        rows = vlmevalkit_rows(table) if is_vlmevalkit(columns) else iter(table)
        return with_finish(rows, columns) if NOT_ANSWERS & set(columns) else rows

    if not is_vlmevalkit(columns):
        return AnswerFile(table.path, "table", columns, read)
    truth = {"truth": "answer"} if "answer" in columns else {}
    return AnswerFile(table.path, "vlmevalkit", columns, read, {**VLMEVALKIT, **truth})


def _begins_with(path: Path) -> str:
    try:
        with path.open(encoding=encoding_of(path).codec) as file:
            return first_character(file).lstrip("\ufeff")
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from None


def _sheet(path: Path) -> TableFile:
    """The first sheet of a workbook that has rows, its first row naming the columns."""
    for rows in sheets(path).values():
        if len(rows) < 2:
            continue
        names = ["" if is_blank(cell) else plain(cell) for cell in rows[0]]
        columns = tuple(name for name in names if name)
        check_columns(path, columns)
        body = [
            TableRow(
                number,
                f"{path.name}, row {number + 1}",
                {name: cell for name, cell in zip(names, row, strict=False) if name},
            )
            for number, row in enumerate(rows[1:], start=1)
            if any(not is_blank(cell) for cell in row)
        ]
        return TableFile(path, columns, partial(iter, body))
    raise HarnessError(f"table is empty: {path}", hint="its first line must name the columns")


def cell_of(row: TableRow, column: str) -> Any:
    """The cell of a column, or of a dotted path into nested objects (`doc.image`); None where absent."""
    if column in row.cells:
        return row.cells[column]
    value: Any = row.cells
    for part in column.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _replies(rows: Iterable[TableRow]) -> Iterator[TableRow]:
    """Rows of an lm-eval or lmms-eval samples log; a document logged again by a second filter is marked."""
    seen: set[Any] = set()
    for row in rows:
        cells = dict(row.cells)
        number = cells.get("doc_id")
        raw = cells.get("resps")
        text = _first_text(cells.get("filtered_resps") if raw is None else raw, row.where)
        if text is not None and text.startswith(_LMMS_FAILED):
            cells[FAILURE] = text[:500]
        cells[ANSWER] = text
        cells[REPEAT] = isinstance(number, int | str) and number in seen
        if isinstance(number, int | str):
            seen.add(number)
        yield TableRow(row.number, row.where, cells)


def _first_text(replies: Any, where: str) -> str | None:
    """The first reply, out of lists in lists (one for each request and repeat)."""
    for _ in range(4):
        if not isinstance(replies, list):
            break
        if _is_likelihood(replies):
            break
        replies = replies[0] if replies else None
    if replies is None or isinstance(replies, str):
        return replies
    raise HarnessError(
        f"{where}: has log-likelihoods of given choices instead of a reply",
        hint="name a column with the chosen label: --answer COLUMN (doc.KEY reads from the "
        "document)",
    )


def _is_likelihood(pair: list[Any]) -> bool:
    """A pair (log-likelihood, whether greedy), as numbers or as the text that samples logs write."""
    if len(pair) != 2 or str(pair[1]) not in {"True", "False"}:
        return False
    return isinstance(pair[0], int | float) or bool(_LIKELIHOOD.fullmatch(str(pair[0])))
