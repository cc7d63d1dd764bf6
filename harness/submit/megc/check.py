"""Check an answer file against its question file: format errors, and suspicious answers.

Faults are about structure and make a file unfit: rows missing, added, doubled, moved or empty, fields or
questions changed. Warnings are about content, which nobody outside can rule on: labels outside the lists
known, another wording than the challenge's, one answer to nearly everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from harness.submit.findings import Findings, name_rows
from harness.submit.megc.content import OUTSIDE, content_warnings
from harness.submit.megc.labels import Labels, labels_for
from harness.submit.megc.questions import Question, Questions


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file of answers that holds an object."""

    row: int
    cells: Mapping[str, Any]

    @property
    def id(self) -> Any:
        return self.cells.get("video_id")


def check_rows(
    data: bytes, questions: Questions, labels: Labels | None = None, *, name: str
) -> Findings:
    """Check the bytes of a file of answers; `labels` (field -> labels) stand in place of the built-in ones."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        return Findings(name, 0, (f"row {row}: not UTF-8",), ())
    faults: list[str] = []
    warnings: list[str] = []
    if text.startswith("\ufeff"):
        faults.append("row 1: the file starts with a byte order mark, which is not valid JSON")
        text = text[1:]
    if "\r" in text and "\n" not in text:
        faults.append("line 1: ends in CR alone; save the file with LF line ends")
        text = text.replace("\r", "\n")
    raw = text.split("\n")
    if raw[-1] == "":
        raw.pop()
    else:
        warnings.append("the last row does not end with a line break")
    ended = [number for number, line in enumerate(raw, start=1) if line.endswith("\r")]
    if ended:
        warnings.append(f"{name_rows(ended)}: Windows line endings")
    lines, broken = _objects([line.removesuffix("\r") for line in raw])
    faults += broken
    faults += _order_faults(lines, questions.rows)
    faults += _field_faults(lines, questions.rows)
    asked = {question.video_id: question for question in questions.rows}
    pairs = [
        (line.row, asked[line.id], answer)
        for line in lines
        if line.id in asked
        and isinstance(answer := line.cells.get("answer"), str)
        and answer.strip()
    ]
    warnings += _field_order(lines, asked)
    known = labels_for(questions.path.name, labels)
    warnings += content_warnings(pairs, known, rows=name_rows)
    told = {
        field: labels
        for field, labels in known.items()
        if any(f"{field}: {OUTSIDE}" in line for line in warnings)
    }
    return Findings(name, len(raw), tuple(faults), tuple(warnings), told)


def _objects(raw: Sequence[str]) -> tuple[list[_Line], list[str]]:
    lines: list[_Line] = []
    faults: list[str] = []
    blank: list[int] = []
    broken: list[int] = []
    for number, text in enumerate(raw, start=1):
        doubled: list[str] = []
        try:
            cells = json.loads(text, object_pairs_hook=partial(_object, doubled=doubled))
        except (ValueError, RecursionError):
            (broken if text.strip() else blank).append(number)
            continue
        if not isinstance(cells, dict):
            broken.append(number)
            continue
        if doubled:
            faults.append(f"row {number}: the field {doubled[0]!r} appears twice")
        lines.append(_Line(number, cells))
    if blank:
        faults.append(f"{name_rows(blank)}: blank")
    if broken:
        faults.append(f"{name_rows(broken)}: not a JSON object")
    return lines, faults


def _object(pairs: list[tuple[str, Any]], doubled: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            doubled.append(name)
        found[name] = value
    return found


def _order_faults(lines: Sequence[_Line], asked: Sequence[Question]) -> Iterator[str]:
    """Rows missing, added, doubled or moved."""
    place = {question.video_id: at for at, question in enumerate(asked)}
    first: dict[str, int] = {}
    kept: list[_Line] = []
    unknown = []
    for line in lines:
        if not isinstance(line.id, str) or line.id not in place:
            unknown.append(line.row)
            continue
        if line.id in first:
            yield f"rows {first[line.id]} and {line.row}: the same video_id {line.id!r}"
            continue
        first[line.id] = line.row
        kept.append(line)
    if unknown:
        yield f"{name_rows(unknown)}: a video_id that is not in the questions"
    missing = [question.row for question in asked if question.video_id not in first]
    if missing:
        yield f"no answer to {name_rows(missing)} of the questions"
    moved = [later.row for earlier, later in pairwise(kept) if place[later.id] < place[earlier.id]]
    if moved:
        yield f"{name_rows(moved)}: not in the order of the questions"


def _field_faults(lines: Sequence[_Line], asked: Sequence[Question]) -> Iterator[str]:
    """Fields missing, added or changed, and answers that are none."""
    by_id = {question.video_id: question for question in asked}
    found: dict[str, list[int]] = {}
    for line in lines:
        question = by_id.get(line.id) if isinstance(line.id, str) else None
        if question is None:
            continue
        for name, value in question.cells.items():
            if name not in line.cells:
                found.setdefault(f"field {name!r} is missing", []).append(line.row)
            elif name != "answer" and line.cells[name] != value:
                found.setdefault(f"a {name} that differs from the questions", []).append(line.row)
        for name in line.cells:
            if name not in question.cells:
                found.setdefault(f"a field {name!r} that the questions do not have", []).append(
                    line.row
                )
        answer = line.cells.get("answer")
        if answer is not None and not isinstance(answer, str):
            found.setdefault("the answer is not text", []).append(line.row)
        elif answer is None or not answer.strip():
            found.setdefault("the answer is empty", []).append(line.row)
    yield from (f"{name_rows(numbers)}: {what}" for what, numbers in found.items())


def _field_order(lines: Sequence[_Line], asked: Mapping[str, Question]) -> Iterator[str]:
    moved = [
        line.row
        for line in lines
        if line.id in asked
        and set(line.cells) == set(asked[line.id].cells)
        and list(line.cells) != list(asked[line.id].cells)
    ]
    if moved:
        yield f"{name_rows(moved)}: the fields are in a different order than in the questions"
