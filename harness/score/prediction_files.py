"""Files of answers made elsewhere, row by row: tables, and the logs of inspect-ai, lmms-eval and lm-eval.

A row of a log keeps its own keys and gains three: `@answer`, the raw reply (not what the tool's own filter
made of it); `@finish`, why it ended; `@failure`, why there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError
from harness.core.generation import Finish
from harness.sources.rows import Row, open_table

ANSWER, FINISH, FAILURE, REPEAT = "@answer", "@finish", "@failure", "@repeat"

_STOPS: Mapping[str, Finish] = MappingProxyType(
    {"max_tokens": "length", "model_length": "length", "content_filter": "filtered"}
)
"""How inspect-ai writes why a reply ended, where it is not a plain stop."""

_LMMS_FAILED = "[LMMS_EVAL_REQUEST_FAILED"
"""lmms-eval puts the text of a failed request where the reply belongs, opening with this."""

_LIKELIHOOD = re.compile(r"-?(inf|\d+(\.\d+)?(e-?\d+)?)")

_LOG_COLUMNS = MappingProxyType({"id": "doc_id", "truth": "target", "answer": ANSWER})
_INSPECT_COLUMNS = MappingProxyType({"id": "id", "truth": "target", "answer": ANSWER})


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file of answers whose columns are known and whose rows are read afresh at each iteration."""

    path: Path
    tool: str
    """`table`, `inspect-ai`, or `lm-eval` (which lmms-eval's logs follow)."""
    columns: tuple[str, ...]
    read: Callable[[], Iterator[Row]] = field(repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Where a log keeps `id`, `truth` and `answer`; empty for tables."""

    def __iter__(self) -> Iterator[Row]:
        return self.read()


def open_answers(path: Path) -> AnswerFile:
    """Open a file of answers by its suffix and, for JSON lines, by the keys of its first object.

    Raises HarnessError for a file that is missing, empty, broken, or of no known kind.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise HarnessError(f"no such file of predictions: {path}", hint="check --predictions FILE")
    if suffix == ".eval":
        raise HarnessError(
            f"{path.name} is a packed log of inspect-ai",
            hint=f"unpack it first: inspect log convert --to json --output-dir DIR {path.name}",
        )
    if suffix == ".json":
        return _inspect(path)
    if suffix not in {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"}:
        raise HarnessError(
            f"predictions cannot be read from {path.name!r}",
            hint="give a .csv, .tsv, .jsonl or .parquet table, a .json log of inspect-ai, "
            "or a samples .jsonl of lm-eval or lmms-eval",
        )
    table = open_table(path)
    logged = "doc_id" in table.columns and {"resps", "filtered_resps"} & set(table.columns)
    if logged and suffix in {".jsonl", ".ndjson"}:
        columns = (*table.columns, ANSWER)
        return AnswerFile(path, "lm-eval", columns, lambda: _replies(table), _LOG_COLUMNS)
    return AnswerFile(path, "table", table.columns, table.read)


def cell_of(row: Row, column: str) -> Any:
    """The cell of a column, or of a dotted path into nested objects (`doc.image`); None where absent."""
    if column in row.cells:
        return row.cells[column]
    value: Any = row.cells
    for part in column.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _replies(rows: Iterable[Row]) -> Iterator[Row]:
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
        yield Row(row.number, row.where, cells)


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
        f"{where}: holds log-likelihoods of given choices, not a reply",
        hint="name a column that holds the chosen label: --answer COL (doc.KEY reaches into the document)",
    )


def _is_likelihood(pair: list[Any]) -> bool:
    """A pair (log-likelihood, whether greedy), as numbers or as the text that samples logs write."""
    if len(pair) != 2 or str(pair[1]) not in {"True", "False"}:
        return False
    return isinstance(pair[0], int | float) or bool(_LIKELIHOOD.fullmatch(str(pair[0])))


def _inspect(path: Path) -> AnswerFile:
    try:
        log = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{path.name}: not JSON: {error}", hint="write the log again") from None
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from None
    samples = log.get("samples") if isinstance(log, dict) else None
    if not isinstance(samples, list) or "eval" not in log:
        raise HarnessError(
            f"{path.name} is not an eval log of inspect-ai with samples",
            hint="give the whole log (inspect log dump FILE), or a .jsonl with one object a line",
        )
    if not samples:
        raise HarnessError(f"{path.name} holds no samples", hint="give a log that was finished")
    rows = [_inspect_row(path, number, sample) for number, sample in enumerate(samples, start=1)]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    return AnswerFile(path, "inspect-ai", columns, lambda: iter(rows), _INSPECT_COLUMNS)


def _inspect_row(path: Path, number: int, sample: Any) -> Row:
    where = f"{path.name}, sample {number}"
    if not isinstance(sample, dict):
        raise HarnessError(f"{where}: not an object", hint="write the log again")
    kept = ("id", "epoch", "target", "metadata", "choices", "scores")
    cells: dict[str, Any] = {name: sample.get(name) for name in kept}
    target = cells["target"]
    if isinstance(target, list) and len(target) == 1:
        cells["target"] = target[0]
    output = sample.get("output")
    output = output if isinstance(output, dict) else {}
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    first = first if isinstance(first, dict) else {}
    cells[ANSWER] = _completion(output, first)
    cells[FINISH] = _STOPS.get(str(first.get("stop_reason")), "stop")
    fault = sample.get("error") or output.get("error")
    if fault:
        cells[FAILURE] = str(fault.get("message") if isinstance(fault, dict) else fault)[:500]
    cells[REPEAT] = isinstance(cells["epoch"], int) and cells["epoch"] > 1
    return Row(number, where, cells)


def _completion(output: Mapping[str, Any], choice: Mapping[str, Any]) -> str | None:
    """The reply's text: the message's text parts without its reasoning, else `completion`."""
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        parts = [c.get("text") for c in content if isinstance(c, dict) and c.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    if isinstance(content, str):
        return content
    completion = output.get("completion")
    return completion if isinstance(completion, str) else None
