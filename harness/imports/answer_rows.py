"""Extra content of answer rows, and how truncated or withheld replies are marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.core.finish import Finish, finish_of
from harness.sources.cells import is_blank, plain
from harness.sources.row import TableRow

ANSWER, FINISH, FAILURE, REPEAT = "@answer", "@finish", "@failure", "@repeat"

REASONS = ("finish_reason", "stop_reason", "finish")
"""Columns that say in a word why a reply ended."""
FLAGS = ("content_filter", "content_filter_results", "content_filtered", "filtered", "refused")
"""Columns that say whether a platform withheld a reply."""
NOT_ANSWERS = frozenset({*REASONS, *FLAGS})

_NO = frozenset({"", "no", "false", "0", "none", "null", "nan", "stop", "safe", "{}", "[]", "-"})

VLMEVALKIT = MappingProxyType({"id": "index", "answer": "prediction"})
_FAILED = "Failed to obtain answer via API"
"""VLMEvalKit puts this where the reply of a failed request belongs."""
_LETTER = re.compile(r"\(?([A-Z])[).:]?(?:\s+(.*))?", re.DOTALL)


def with_finish(rows: Iterable[TableRow], columns: Sequence[str]) -> Iterator[TableRow]:
    """Rows that say in FINISH whether the reply was cut or withheld, where a column of the table tells."""
    reasons = [name for name in REASONS if name in columns]
    flags = [name for name in FLAGS if name in columns]
    for row in rows:
        finish = _finish(row.cells, reasons, flags)
        yield (
            row
            if finish == "stop"
            else TableRow(row.number, row.where, {**row.cells, FINISH: finish})
        )


def _finish(cells: Mapping[str, Any], reasons: Sequence[str], flags: Sequence[str]) -> Finish:
    if any(_withheld(cells.get(name)) for name in flags):
        return "filtered"
    for name in reasons:
        cell = cells.get(name)
        word = "" if is_blank(cell) else plain(cell).lower().rpartition(".")[2]
        finish = finish_of(word)
        if finish in {"length", "filtered"}:
            return finish
    return "stop"


def _withheld(cell: Any) -> bool:
    """Whether a flag is set; of a service's record of several checks, whether any of them says `filtered`."""
    if isinstance(cell, Mapping):
        if "filtered" in cell:
            return cell["filtered"] is True
        return any(_withheld(part) for part in cell.values() if isinstance(part, Mapping | list))
    if isinstance(cell, list | tuple):
        return any(_withheld(part) for part in cell)
    return not is_blank(cell) and plain(cell).lower() not in _NO


def is_vlmevalkit(columns: Sequence[str]) -> bool:
    """Whether a table is what VLMEvalKit writes beside its scores."""
    return {"index", "prediction"} <= set(columns)


def vlmevalkit_rows(rows: Iterable[TableRow]) -> Iterator[TableRow]:
    """Rows with letters of options replaced by the options' words, and failed requests as failures.

    A prediction stays as it is unless it is a letter alone, or a letter before the very words of its option.
    """
    for row in rows:
        cells = dict(row.cells)
        options = {
            name: plain(cell)
            for name, cell in cells.items()
            if len(name) == 1 and name.isupper() and not is_blank(cell)
        }
        for name in ("answer", "prediction"):
            if options and not is_blank(cells.get(name)):
                cells[name] = _by_letter(plain(cells[name]), options)
        said = cells.get("prediction")
        if isinstance(said, str) and said.startswith(_FAILED):
            cells[FAILURE] = said[:500]
        yield TableRow(row.number, row.where, cells)


def _by_letter(text: str, options: Mapping[str, str]) -> str:
    found = _LETTER.fullmatch(text)
    if found is None or found[1] not in options:
        return text
    words = (found[2] or "").strip().rstrip(".").lower()
    return options[found[1]] if words in {"", options[found[1]].lower()} else text
