"""The usable rows of a file of answers, stored in columns: a million take some tens of megabytes.

What a row says besides its id and its cluster is written as JSON, and each distinct text is held once.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar, Value
from harness.core.task import Task
from harness.imports.answer_shares import check_shares
from harness.imports.columns import PredictionColumns
from harness.imports.files import FAILURE, FINISH, REPEAT, AnswerFile, cell_of
from harness.run.dictionary_encoding import Texts, as_codes
from harness.run.digests import Digests, digest
from harness.sources.cells import annotation, is_blank, plain, target
from harness.sources.ids import check_id
from harness.sources.rows import TableRow

HELD = 4096
"""Distinct contents of rows held as objects too: mostly there are no more, or each is its own."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True)
class Content:
    """What a row says besides its id and its cluster."""

    targets: Mapping[str, Value]
    answers: Mapping[str, Any]
    """Field -> cell; under "" where one reply answers all fields. Numbers and words are text here."""
    annotations: Mapping[str, Scalar]
    finish: Any
    failure: Any
    """Why there is no reply, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictionLine:
    """One usable row."""

    sample: str
    cluster: str | None
    content: Content


class _Pool:
    """Distinct strings, numbered as they come."""

    __slots__ = ("_known", "texts")

    def __init__(self) -> None:
        self.texts = Texts()
        self._known = Digests(0)

    def number(self, text: str) -> int:
        """The number of a string; a new one is put in."""
        number = self._known.number(digest(text))
        if number == len(self.texts):
            self.texts.append(text)
        return number


@dataclass(slots=True, eq=False)
class PredictionLines:
    """The usable rows of a file in order, and counts of the others."""

    left_out: Counter[str] = field(default_factory=Counter)
    _ids: Texts = field(default_factory=Texts)
    _places: Digests = field(default_factory=lambda: Digests(0))
    _clusters: array[int] = field(default_factory=lambda: array("i"))
    _contents: array[int] = field(default_factory=lambda: array("i"))
    _cluster_pool: _Pool = field(default_factory=_Pool)
    _content_pool: _Pool = field(default_factory=_Pool)
    _held: dict[int, Content] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[PredictionLine]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, place: int) -> PredictionLine:
        content = self.content(self.number_at(place))
        return PredictionLine(self._ids[place], self._cluster(place), content)

    def by_id(self) -> Iterator[PredictionLine]:
        """The rows in the order of their ids."""
        return map(self.__getitem__, self._ids.order())

    def sample(self, place: int) -> str:
        """The id of a row."""
        return self._ids[place]

    def place(self, sample: str) -> int | None:
        """The place of a sample's row; None where there is none."""
        key = digest(sample)
        return None if self._places.get(key) is None else self._places.number(key)

    def contents(self) -> Iterator[tuple[Content, int]]:
        """Each distinct content, and how many rows have it."""
        counts = np.bincount(as_codes(self._contents), minlength=len(self._content_pool.texts))
        return ((self.content(number), times) for number, times in enumerate(counts.tolist()))

    def number_at(self, place: int) -> int:
        """The number of a row's content."""
        return self._contents[place]

    def content(self, number: int) -> Content:
        """A content by its number."""
        found = self._held.get(number)
        if found is None:
            targets, *rest = json.loads(self._content_pool.texts[number])
            found = Content({name: _value(value) for name, value in targets.items()}, *rest)
            if len(self._held) < HELD:
                self._held[number] = found
        return found

    def number(self, content: Content) -> int:
        """The number of a content, which is held from now on."""
        said = (
            {**content.targets}, {**content.answers}, {**content.annotations},
            content.finish, content.failure,
        )  # fmt: skip
        return self._content_pool.number(_JSON.encode(said))

    def put(self, sample: str, cluster: str | None, number: int) -> bool:
        """Add a row of a content; False where the sample has another one already."""
        place = self._places.number(digest(sample))
        if place < len(self._ids):
            same = number == self._contents[place] or self.content(number) == self.content(
                self._contents[place]
            )
            if same and cluster == self._cluster(place):
                self.left_out["a repeated identical row"] += 1
                return True
            return False
        self._ids.append(sample)
        self._contents.append(number)
        self._clusters.append(-1 if cluster is None else self._cluster_pool.number(cluster))
        return True

    def _cluster(self, place: int) -> str | None:
        number = self._clusters[place]
        return None if number < 0 else self._cluster_pool.texts[number]


def read_lines(file: AnswerFile, columns: PredictionColumns, task: Task) -> PredictionLines:
    """All usable rows. Raises HarnessError where one id has two different answers."""
    lines, reader = PredictionLines(), _Reader(columns, task.fields)
    seen_any = False
    for row in file:
        seen_any = True
        cell = cell_of(row, columns.id)
        if is_blank(cell):
            lines.left_out["no id"] += 1
            continue
        if row.cells.get(REPEAT):
            lines.left_out["another epoch or filter of the same sample"] += 1
            continue
        sample = plain(cell)
        check_id(sample, where=row.where)
        number = reader.number(row, lines)
        if not lines.put(sample, reader.cluster(row), number):
            raise HarnessError(
                f"{row.where}: the id {sample[:80]!r} appears a second time with other values",
                hint="keep one answer per id, or put repeats into separate files",
            )
    if not len(lines):
        why = "no row has an id" if seen_any else "it has no rows"
        raise HarnessError(f"{file.path.name}: {why}", hint="check the file and --id COLUMN")
    return lines


class _Reader:
    """Rows of one file read into contents; cells that are alike are read once."""

    def __init__(self, columns: PredictionColumns, fields: Mapping[str, FieldSpec]) -> None:
        self._columns = columns
        self._fields = fields
        answer = columns.probabilities or columns.answer
        self._answers = {"": answer} if isinstance(answer, str) else answer
        self._wanted = (*columns.truth.values(), *self._answers.values(), *columns.annotations)
        self._known: dict[tuple[Any, ...], int] = {}

    def number(self, row: TableRow, lines: PredictionLines) -> int:
        """The number of a row's content. Raises HarnessError for a target that is none."""
        cells = row.cells
        key = (
            *(cell_of(row, name) for name in self._wanted),
            cells.get(FINISH, "stop"),
            cells.get(FAILURE),
        )
        if not all(type(cell) is str for cell in key if cell is not None):
            # 1, 1.0 and True are equal keys, and lists are none
            return lines.number(self._read(row))
        number = self._known.get(key)
        if number is None:
            number = lines.number(self._read(row))
            if len(self._known) < HELD:
                self._known[key] = number
        return number

    def cluster(self, row: TableRow) -> str | None:
        """What a row is resampled with."""
        name = self._columns.cluster
        cell = cell_of(row, name) if name else None
        return None if is_blank(cell) else plain(cell)

    def _read(self, row: TableRow) -> Content:
        if self._columns.probabilities:
            check_shares(row, self._columns.probabilities)
        return Content(
            targets={
                name: target(cell, self._fields[name], column=column, where=row.where)
                for name, column in self._columns.truth.items()
                if not is_blank(cell := cell_of(row, column))
            },
            answers={
                name: _portable(cell_of(row, column)) for name, column in self._answers.items()
            },
            annotations={
                name: annotation(cell_of(row, name)) for name in self._columns.annotations
            },
            finish=row.cells.get(FINISH, "stop"),
            failure=row.cells.get(FAILURE),
        )


def _portable(cell: Any) -> Any:
    """A cell as JSON holds it, read alike as a reply and as a ranking."""
    if isinstance(cell, str | list | tuple | dict):
        return cell
    return None if is_blank(cell) else plain(cell)


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value
