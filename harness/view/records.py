"""Samples of a run page by page, from records.parquet.

What is held of the table are codes: for each task, field and cell where the row of a sample stands, whether it is right,
and which answer it gives, beside the ids of the samples. Texts stay in the file: a page reads the groups of rows that
hold it (2,048 rows each), and a search for words goes through the column of replies, a batch at a time.

100,000 samples by 4 cells: codes in 1.2 s of processor time and 120 MiB at their peak, a page in 0.02 s
(results/benchmarks/view.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.report.grid import cut, is_right, told_of
from harness.run.columns import opened, unreadable
from harness.run.folder import RunFolder

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

Show = Literal["all", "wrong", "all-wrong", "unanswered", "disagree", "only-a"]
SHOWN: Mapping[Show, str] = MappingProxyType(
    {
        "all": "all samples",
        "wrong": "wrong in some cell",
        "all-wrong": "wrong in every cell",
        "unanswered": "not answered in some cell",
        "disagree": "cells disagree",
        "only-a": "first cell right, second wrong",
    }
)
"""Which samples are shown, in words."""
ORDERS = ("id", "disagreement")

ABSENT, UNJUDGED, RIGHT, WRONG, UNANSWERED = 0, 1, 2, 3, 4
STANDINGS = ("absent", "unjudged", "right", "wrong", "unanswered")
BATCH = 1 << 15
_INDEXED = ("trial", "task", "prompt", "field", "sample", "outcome", "value", "target")
_PAGED = ("text", "rule", "failure", "conversation", "outcome", "value", "target")


@dataclass(slots=True)
class Grid:
    """One field of a task: samples by cells."""

    cells: list[tuple[str, str]] = field(default_factory=list)
    """(id, prompt) of each column; an earlier version of a prompt has the id of the one that stands."""
    rows: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), np.int32))
    """Where the record stands in the file; -1 where there is none."""
    standing: NDArray[np.int8] = field(default_factory=lambda: np.empty((0, 0), np.int8))
    answer: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), np.int32))
    """A code of the outcome and value; -1 where there is none."""
    target: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    """A code of the true value of each sample; -1 where it is not known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that is asked for."""

    task: str
    field: str
    show: Show = "all"
    a: int = 0
    b: int = 1
    """Columns, for `only-a`."""
    label: str | None = None
    """A true value, as JSON."""
    words: str = ""
    """Samples whose id or one of whose replies holds them, in any case of letters."""
    order: str = "id"
    start: int = 0
    count: int = 20


class Records:
    """The table of one run. Reads three times: once for the codes, for words, and for each page."""

    def __init__(self, folder: RunFolder, tasks: Mapping[str, Task]) -> None:
        """Read the codes. Raises HarnessError for a table that is broken."""
        self._path = folder.records
        self._tasks = tasks
        self.samples: dict[str, list[str]] = {}
        """Task -> ids of its samples, in the order of the table."""
        self.grids: dict[tuple[str, str], Grid] = {}
        """(task, field) -> its answers."""
        self.values: list[str] = []
        """Code of a true value -> the value as JSON."""
        self.rows = 0
        self._found: tuple[str, NDArray[np.bool_]] | None = None
        """The words searched for last, and whether each row holds them."""
        self._read()

    def _read(self) -> None:
        building = _Building(self._tasks)
        for start, columns in _batches(self._path, _INDEXED):
            fields: dict[tuple[str, str], list[int]] = {}
            for n, key in enumerate(zip(columns["task"], columns["field"], strict=True)):
                fields.setdefault(key, []).append(n)
            for key, at in fields.items():
                building.add(key, columns, at, start=start)
            self.rows = start + len(columns["task"])
        self.values = list(building.coding.targets)
        self.samples = {task: list(found) for task, found in building.places.items()}
        self.grids = dict(building.grids())

    def arrange(self, cells: Sequence[tuple[str, str]]) -> None:
        """Put the columns of each grid into the order of `cells`; those that are not among them come last."""
        place = {cell: n for n, cell in enumerate(cells)}
        for grid in self.grids.values():
            order = np.argsort([place.get(cell, len(place)) for cell in grid.cells], kind="stable")
            grid.cells = [grid.cells[n] for n in order]
            grid.rows, grid.standing = grid.rows[:, order], grid.standing[:, order]
            grid.answer = grid.answer[:, order]

    def page(self, wanted: Wanted) -> dict[str, Any]:
        """The samples asked for, with each cell's answer: `total` of them, `samples` of the page.

        Raises HarnessError for a table that was written anew since.
        """
        grid = self.grids[wanted.task, wanted.field]
        chosen = self._chosen(grid, wanted)
        shown = chosen[wanted.start : wanted.start + wanted.count]
        spec = self._tasks[wanted.task].fields[wanted.field]
        rows = self._rows(np.unique(grid.rows[shown][grid.rows[shown] >= 0]), spec)
        ids = self.samples[wanted.task]
        samples = []
        for place in shown:
            answers = [
                None if row < 0 else {**rows[int(row)], "standing": STANDINGS[standing]}
                for row, standing in zip(grid.rows[place], grid.standing[place], strict=True)
            ]
            code = int(grid.target[place])
            target = None if code < 0 else told_of(spec, json.loads(self.values[code]))
            samples.append({"sample": ids[place], "target": target, "answers": answers})
        return {"total": len(chosen), "samples": samples}

    def labels(self, task: str, name: str, *, most: int = 40) -> list[str]:
        """The true values of a field as JSON, where they are few enough to choose from."""
        codes = np.unique(self.grids[task, name].target)
        found = [self.values[code] for code in codes if code >= 0]
        return sorted(found) if len(found) <= most else []

    def _chosen(self, grid: Grid, wanted: Wanted) -> NDArray[np.intp]:
        standing = grid.standing
        mask = _MASKS[wanted.show](grid, wanted)
        if wanted.label is not None:
            code = self.values.index(wanted.label) if wanted.label in self.values else -2
            mask &= grid.target == code
        if wanted.words:
            mask &= self._holding(grid, wanted)
        places = np.flatnonzero(mask & (standing != ABSENT).any(axis=1))
        if wanted.order == "disagreement":
            answers = np.sort(grid.answer[places], axis=1)
            kinds = (np.diff(answers, axis=1) != 0).sum(axis=1)
            places = places[np.argsort(-kinds, kind="stable")]
        return places

    def _holding(self, grid: Grid, wanted: Wanted) -> NDArray[np.bool_]:
        words = wanted.words.casefold()
        if self._found is None or self._found[0] != words:
            self._found = words, self._search(wanted.words)
        hits = self._found[1]
        there = grid.rows >= 0
        replied = np.any(hits[np.where(there, grid.rows, 0)] & there, axis=1)
        ids = self.samples[wanted.task]
        named = np.fromiter((words in one.casefold() for one in ids), np.bool_, len(ids))
        return np.logical_or(replied, named)

    def _search(self, words: str) -> NDArray[np.bool_]:
        import pyarrow.compute as pc

        hits = np.zeros(self.rows, np.bool_)
        with _same(self._path, self.rows) as file:
            start = 0
            for batch in file.iter_batches(batch_size=BATCH, columns=["text"], use_threads=False):
                match = pc.match_substring(batch.column(0), words, ignore_case=True)
                hits[start : start + len(match)] = match.fill_null(False).to_numpy(
                    zero_copy_only=False
                )
                start += len(match)
        return hits

    def _rows(self, wanted: NDArray[np.int32], spec: FieldSpec) -> dict[int, dict[str, Any]]:
        """Row -> what the page shows of it; only the groups of rows that hold one are read."""
        found: dict[int, dict[str, Any]] = {}
        with _same(self._path, self.rows) as file:
            ends = np.cumsum(
                [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
            )
            groups = np.searchsorted(ends, wanted, side="right")
            names = [*_PAGED, *(n for n in ("reasoning",) if n in file.schema_arrow.names)]
            for group in np.unique(groups):
                mine = wanted[groups == group]
                first = int(ends[group - 1]) if group else 0
                table = file.read_row_group(int(group), columns=names, use_threads=False)
                for row, record in zip(mine, table.take(mine - first).to_pylist(), strict=True):
                    found[int(row)] = _shown(record, spec)
        return found


def _shown(record: Mapping[str, Any], spec: FieldSpec) -> dict[str, Any]:
    value = record["value"]
    return {
        "outcome": record["outcome"],
        "value": None if value is None else told_of(spec, json.loads(value)),
        "rule": record["rule"],
        "text": cut(record["text"] or ""),
        "reasoning": cut(record.get("reasoning") or ""),
        "failure": record["failure"] or "",
        "conversation": record["conversation"] or "",
    }


_MASKS: Mapping[Show, Callable[[Grid, Wanted], NDArray[np.bool_]]] = {
    "all": lambda grid, wanted: np.ones(len(grid.standing), np.bool_),
    "wrong": lambda grid, wanted: (grid.standing == WRONG).any(axis=1),
    "all-wrong": lambda grid, wanted: ((grid.standing == WRONG) | (grid.standing == ABSENT)).all(
        axis=1
    ),
    "unanswered": lambda grid, wanted: (grid.standing == UNANSWERED).any(axis=1),
    "disagree": lambda grid, wanted: _disagreeing(grid),
    "only-a": lambda grid, wanted: (
        (grid.standing[:, wanted.a] == RIGHT) & (grid.standing[:, wanted.b] == WRONG)
    ),
}


def _disagreeing(grid: Grid) -> NDArray[np.bool_]:
    there = grid.answer >= 0
    most = np.where(there, grid.answer, -1).max(axis=1, initial=-1)
    least = np.where(there, grid.answer, np.iinfo(np.int32).max).min(axis=1, initial=2**31 - 1)
    found: NDArray[np.bool_] = there.any(axis=1) & (most != least)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What one batch holds of a field."""

    places: NDArray[np.int32]
    cells: NDArray[np.int32]
    rows: NDArray[np.int32]
    standing: NDArray[np.int8]
    answers: NDArray[np.int32]
    targets: NDArray[np.int32]


class _Coding:
    """Codes of answers and true values; each distinct pair is judged once."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self.targets: dict[str, int] = {}
        self._answers: dict[tuple[str, str | None], int] = {}
        self._judged: dict[tuple[str, str, str, str | None, str | None], int] = {}

    def target(self, value: str | None) -> int:
        return -1 if value is None else self.targets.setdefault(value, len(self.targets))

    def answer(self, outcome: str, value: str | None) -> int:
        return self._answers.setdefault((outcome, value), len(self._answers))

    def standing(
        self, task: str, name: str, outcome: str, value: str | None, target: str | None
    ) -> int:
        key = (task, name, outcome, value, target)
        if key not in self._judged:
            self._judged[key] = self._judge(*key)
        return self._judged[key]

    def _judge(
        self, task: str, name: str, outcome: str, value: str | None, target: str | None
    ) -> int:
        if outcome != "answered":
            return UNANSWERED
        if value is None or target is None:
            return UNJUDGED
        kind = self._tasks[task].fields[name].kind
        right = is_right(kind, json.loads(value), json.loads(target))
        return UNJUDGED if right is None else RIGHT if right else WRONG


class _Building:
    """Grids that grow batch by batch."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self.coding = _Coding(tasks)
        self.places: dict[str, dict[str, int]] = {}
        """Task -> sample -> its place."""
        self._cells: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
        self._parts: dict[tuple[str, str], list[_Part]] = {}

    def add(
        self,
        key: tuple[str, str],
        columns: Mapping[str, Sequence[Any]],
        at: Sequence[int],
        *,
        start: int,
    ) -> None:
        """The rows `at` of a batch, which are of one task and field; of repeats the first alone."""
        task, name = key
        places, cells = self.places.setdefault(task, {}), self._cells.setdefault(key, {})
        coding = self.coding
        trials, prompts, samples = columns["trial"], columns["prompt"], columns["sample"]
        outcomes, values, targets = columns["outcome"], columns["value"], columns["target"]
        found: list[tuple[int, ...]] = []
        for n in at:
            cell, repeat, _ = trials[n].split("/", 2)
            if repeat != "0":
                continue
            sample, outcome, value, target = samples[n], outcomes[n], values[n], targets[n]
            found.append(
                (
                    places.setdefault(sample, len(places)),
                    cells.setdefault((cell, prompts[n]), len(cells)),
                    start + n,
                    coding.standing(task, name, outcome, value, target),
                    coding.answer(outcome, value),
                    coding.target(target),
                )
            )
        table = np.array(found, np.int32).reshape(-1, 6).T
        part = _Part(table[0], table[1], table[2], table[3].astype(np.int8), table[4], table[5])
        self._parts.setdefault(key, []).append(part)

    def grids(self) -> Iterator[tuple[tuple[str, str], Grid]]:
        """(task, field), and its answers."""
        for key, parts in self._parts.items():
            yield key, _grid(parts, list(self._cells[key]), len(self.places[key[0]]))


def _grid(parts: Sequence[_Part], cells: list[tuple[str, str]], samples: int) -> Grid:
    shape = (samples, len(cells))
    grid = Grid(
        cells,
        np.full(shape, -1, np.int32),
        np.zeros(shape, np.int8),
        np.full(shape, -1, np.int32),
        np.full(samples, -1, np.int32),
    )
    for part in parts:
        at = (part.places, part.cells)
        grid.rows[at], grid.standing[at] = part.rows, part.standing
        grid.answer[at], grid.target[part.places] = part.answers, part.targets
    return grid


def _batches(path: Path, names: Sequence[str]) -> Iterator[tuple[int, dict[str, list[Any]]]]:
    """(first row, column -> values) of a batch of rows at a time."""
    start = 0
    with opened(path) as file:
        for name in names:
            if name not in file.schema_arrow.names:
                raise unreadable(path, f"it has no column {name}")
        for batch in file.iter_batches(batch_size=BATCH, columns=list(names), use_threads=False):
            yield start, dict(zip(names, (batch.column(n).to_pylist() for n in names), strict=True))
            start += batch.num_rows


@contextmanager
def _same(path: Path, rows: int) -> Iterator[ParquetFile]:
    """The table, as long as it is the one that was read. Raises HarnessError."""
    with opened(path) as file:
        if file.metadata.num_rows != rows:
            raise HarnessError(f"{path} was written anew", hint="load the page again")
        yield file
