"""Published numbers of papers and leaderboards, and how their method differs from the measured ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt

from harness.compare.board import Board
from harness.compare.candidates import Side
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.metrics import named
from harness.run.yaml_file import read_yaml, validated

Status = Literal["read", "secondary", "recomputed"]
"""`read`: in the source that is named. `secondary`: quoted by somebody else. `recomputed`: from answers that the source
publishes."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedSource(_Strict):
    """Where numbers were published."""

    title: str
    url: str = ""
    """Address, or `arXiv:2511.00389`."""
    place: str = ""
    """Table or figure with its number; empty where that is not known."""
    status: Status
    note: str = ""


class PublishedSetting(_Strict):
    """What was measured."""

    set: str
    """The data set in words."""
    task: str = ""
    """The task of this project that comes nearest; empty where there is none."""
    form: str = ""
    """The submission form whose local score it stands beside; empty for none."""
    field: str = ""
    """The field of the task; empty: its only one."""
    part: str = "all"
    split: str = ""
    """Split or subset; empty where that is not told."""
    classes: PositiveInt | None = None
    """How many classes; None where that is not told or there are none."""
    n: PositiveInt | None = None
    """Samples; None where that is not told."""
    protocol: Literal["zero-shot", "few-shot", "trained", "fine-tuned", "mixed", "unknown"]
    note: str = ""


class PublishedRow(_Strict):
    """What one system reached."""

    system: str
    values: Mapping[str, FiniteFloat] = Field(min_length=1)
    """Metric -> value, in the unit of the metric: shares from 0 to 1. Names are those of this project where it has the
    metric."""
    protocol: Literal["zero-shot", "few-shot", "trained", "fine-tuned", "unknown"] | None = None
    """Where it differs from that of the others."""
    note: str = ""


class PublishedTable(_Strict):
    """Rows of one table: one setting."""

    setting: PublishedSetting
    rows: tuple[PublishedRow, ...] = Field(min_length=1)


class PublishedFile(_Strict):
    """One file of `results/published/`."""

    source: PublishedSource
    tables: tuple[PublishedTable, ...] = Field(min_length=1)


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


@dataclass(frozen=True, slots=True)
class OfForm:
    """A published number of a challenge."""

    system: str
    metric: str
    value: float
    part: str
    set: str


def of_form(files: Sequence[PublishedFile], form: str) -> Iterator[OfForm]:
    """The published numbers of a submission form, in the order of the files."""
    for file in files:
        for table in file.tables:
            if table.setting.form == form:
                where = ", ".join(w for w in (table.setting.set, table.setting.split) if w)
                for row in table.rows:
                    for metric, value in row.values.items():
                        yield OfForm(row.system, metric, value, table.setting.part, where)


def published_folder() -> Path:
    """The folder of published numbers that come with the package."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped" / "published"
    return installed if installed.is_dir() else package.parent / "results" / "published"


def read_published(folder: Path) -> list[PublishedFile]:
    """All files of a folder. Raises HarnessError naming the line of a fault, and where there is no file."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise HarnessError(
            f"{folder} holds no published numbers", hint="name a folder of .yaml files, see docs"
        )
    return [read_file(path) for path in paths]


def read_file(path: Path) -> PublishedFile:
    """One file. Raises HarnessError naming the line."""
    data, place = read_yaml(path)
    found = validated(PublishedFile, data, place, "published numbers")
    for number, table in enumerate(found.tables):
        for at, row in enumerate(table.rows):
            for metric, value in row.values.items():
                known = named(metric, "")
                low, high = known.range if known else (float("-inf"), float("inf"))
                if not low <= value <= high:
                    raise HarnessError(
                        f"{place(['tables', number, 'rows', at])}: {metric} {value:g} is outside {low:g} to {high:g}",
                        hint="write shares from 0 to 1: .758, not 75.8",
                    )
    return found


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
