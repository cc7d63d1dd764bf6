"""Published numbers beside measured ones, and how their method differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.compare.board import Board
from harness.compare.candidates import Side
from harness.core.task import Task
from harness.metrics import named
from harness.run.published import (
    PublishedFile,
    PublishedRow,
    PublishedSetting,
    PublishedSource,
    PublishedTable,
    Status,
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A published number that stands beside measured ones."""

    system: str
    value: float
    metric: str
    """As tables write it."""
    set: str
    source: str
    """Title, address and place."""
    status: Status
    differs: tuple[str, ...]
    """In what it differs from what was measured; `not told` for what the source does not say."""


def beside(
    boards: Sequence[Board], sides: Sequence[Side], files: Sequence[PublishedFile]
) -> list[Beside]:
    """The published numbers of the tasks, fields and metrics that the boards show, best first."""
    found: dict[tuple[str, str, str, str], Beside] = {}
    for board in boards:
        entry = next(s.manifest["tasks"][board.task] for s in sides if board.task in s.manifest["tasks"])  # fmt: skip
        task = Task.model_validate(entry["config"])
        mine: list[Beside] = []
        for file in files:
            for table in file.tables:
                if not _meant(table.setting, board, task):
                    continue
                mine += _rows(file.source, table, board, task)
        for one in sorted(mine, key=lambda one: -(board.sign or 1) * one.value):
            found.setdefault((one.system, one.metric, one.set, one.source), one)
    return list(found.values())


def _meant(setting: PublishedSetting, board: Board, task: Task) -> bool:
    field = setting.field or next(name for name, spec in task.fields.items() if spec.scored)
    return (setting.task, field, setting.part) == (board.task, board.field, board.part)


def _rows(
    source: PublishedSource, table: PublishedTable, board: Board, task: Task
) -> Iterator[Beside]:
    same = {board.metric, _same(board.metric)}
    for row in table.rows:
        for metric, value in row.values.items():
            if {metric, _same(metric)} & same:
                yield Beside(
                    system=row.system,
                    value=value,
                    metric=board.title,
                    set=", ".join(w for w in (table.setting.set, table.setting.split) if w),
                    source=" ".join(w for w in (source.title, source.url, source.place) if w),
                    status=source.status,
                    differs=tuple(_differs(source, table.setting, row, board, task)),
                )


def _same(metric: str) -> str:
    known = named(metric, "")
    return (known.same_as if known else "") or metric


def _differs(
    source: PublishedSource,
    setting: PublishedSetting,
    row: PublishedRow,
    board: Board,
    task: Task,
) -> Iterator[str]:
    """What a reader has to know before the two numbers are put side by side."""
    split = str(task.source.get("split", ""))
    if not setting.split:
        yield "split not told"
    elif split and split.casefold() not in setting.split.casefold():
        yield f"split {setting.split}, here {split}"
    classes = _classes(task, board.field)
    if classes is not None and setting.classes != classes:
        told = "not told" if setting.classes is None else str(setting.classes)
        yield f"classes {told}, here {classes}"
    sizes = {one.n for one in board.cells}
    if setting.n is None:
        yield "n not told"
    elif sizes and sizes != {setting.n}:
        yield f"n {setting.n:,}, here {min(sizes):,}"
    protocol = row.protocol or setting.protocol
    yield {"zero-shot": "other prompt", "unknown": "protocol not told"}.get(
        protocol, f"protocol {protocol}"
    )
    yield from (note for note in (setting.note, row.note, source.note) if note)


def _classes(task: Task, field: str) -> int | None:
    labels: Any = task.fields[field].labels
    return len(labels) if isinstance(labels, (list, tuple)) else None
