"""Recorded model outputs of MLLMVisualEmotion: `results/MODEL/FaceEmotion/images_..._results.json`.

An object with `samples` (each question with `model_output`, the set's own reading `AI_answer` and `accuracy`),
`statistics` and `Exception`, as the code of github.com/YushuoSu/MLLMVisualEmotion writes it. The files on Hugging Face
were not seen. A reply is read as its question asks for it, by the last option letter in parentheses, which is also the
set's own rule; one without such a letter is read as a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError
from harness.imports.answer_rows import ANSWER
from harness.sources.cells import is_blank
from harness.sources.mllm_visual_emotion import entries_of, id_of, letter_of, read_json
from harness.sources.row import TableRow

ID, TRUTH = "@id", "@truth"
DEFAULTS = MappingProxyType({"id": ID, "truth": TRUTH, "answer": ANSWER})
_OPENING = re.compile(r'\s*\{\s*"samples"\s*:\s*\[')
_HEAD = 200


def is_visual_emotion(path: Path) -> bool:
    """Whether a JSON file begins as such a file of results does."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return _OPENING.match(file.read(_HEAD)) is not None


def result_rows(path: Path) -> tuple[tuple[TableRow, ...], str]:
    """The samples, and what the set's own code counted. Raises HarnessError naming an entry of another layout."""
    data = read_json(path)
    samples = data.get("samples") if isinstance(data, Mapping) else None
    rows = tuple(
        _row(path.name, number, entry)
        for number, entry in enumerate(entries_of(samples, path.name), start=1)
    )
    right = [row.cells.get("accuracy") == 1 for row in rows]
    failed = sum(letter_of(row.cells["model_output"]) is None for row in rows)
    return rows, (
        f"as the set's own code read these replies (the last option letter in parentheses): {sum(right)} of {len(rows)} "
        f"right, {failed} without a letter"
    )


def _row(name: str, number: int, entry: Mapping[str, Any]) -> TableRow:
    where = f"{name}, entry {number}"
    said, truth = entry.get("model_output"), letter_of(entry.get("answer"))
    if not isinstance(said, str) or truth is None:
        raise HarnessError(
            f"{where}: no model_output, or no option letter as answer", hint="give a file of results as published"
        )  # fmt: skip
    cells = {key: value for key, value in entry.items() if not is_blank(value)}
    own = {ID: id_of(entry, number), TRUTH: truth, ANSWER: letter_of(said) or said}
    return TableRow(number, where, {**cells, **own})
