"""Read a challenge's question file row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.text import digest_file
from harness.sources.megc_questions import question_kind
from harness.submit.megc.labels import FILES, answer_name

FIELDS = ("video_id", "video", "question", "answer")


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a file of questions."""

    row: int
    """From 1."""
    video_id: str
    video: str
    question: str
    kind: str | None
    """What is asked, by the question's wording; None for a wording never seen."""
    cells: Mapping[str, Any]
    """The row as it stands, fields in their order."""


@dataclass(frozen=True, slots=True)
class Questions:
    """A file of questions."""

    path: Path
    digest: str
    """Hex SHA-256 of the file."""
    rows: tuple[Question, ...]

    @property
    def answers_to(self) -> str:
        """The name that the file of answers must have."""
        return answer_name(self.path.name)


def read_questions(path: Path, form: str) -> Questions:
    """Read a file of questions of the form named. Windows line ends, a byte order mark and a blank last line are let pass.

    Raises HarnessError: no such file, a name that the challenge does not have, a row that is no object or
    lacks a field, and a `video_id` that appears twice; row numbers are named.
    """
    if path.name not in FILES[form]:
        others = [name for name, files in FILES.items() if path.name in files]
        raise HarnessError(
            f"{form} has no question file named {path.name!r}",
            hint=f"it belongs to {others[0]}"
            if others
            else "keep the published names; the answer files are named after them: "
            f"{', '.join(FILES[form])}",
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be read: {error.strerror}", hint="check --to-answer FILE"
        ) from None
    except UnicodeDecodeError:
        raise HarnessError(f"{path.name} is not UTF-8", hint="use the file as published") from None
    rows = [_row(path, number, line) for number, line in enumerate(_lines(text), start=1)]
    seen: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(row.video_id, row.row)
        if first != row.row:
            raise HarnessError(
                f"{path.name}, rows {first} and {row.row}: the same video_id {row.video_id!r}",
                hint="use the file as published; there, each question has its own id",
            )
    if not rows:
        raise HarnessError(f"{path.name} has no rows", hint="use the file as published")
    return Questions(path, digest_file(path), tuple(rows))


def _lines(text: str) -> list[str]:
    """The lines without their ends; no other character than a line feed ends one."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _row(path: Path, number: int, line: str) -> Question:
    where = f"{path.name}, row {number}"
    try:
        cells = json.loads(line)
    except (ValueError, RecursionError):
        raise HarnessError(
            f"{where}: not a JSON object", hint="use the file as published"
        ) from None
    if not isinstance(cells, dict):
        raise HarnessError(f"{where}: not a JSON object", hint="use the file as published")
    for name in FIELDS:
        if not isinstance(cells.get(name), str):
            raise HarnessError(
                f"{where}: the field {name!r} has no text",
                hint=f"use the file as published; fields: {', '.join(FIELDS)}",
            )
    return Question(
        row=number,
        video_id=cells["video_id"],
        video=cells["video"],
        question=cells["question"],
        kind=question_kind(cells["question"]),
        cells=cells,
    )
