"""The family `megc-vqa`: the question files of the Micro-Expression Grand Challenge.

JSON lines of the ME-VQA and ME-LVQA tasks, editions 2025 and 2026: training files (`id`, `dataset`,
`image_id`, `subject`, `filename`, `question`, `answer`) and files to answer (`video_id`, `video`,
`question`, `answer` blank). Rows without an answer are kept: they are asked, and not scored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import field_validator

from harness.answers.vocabulary import resolve_labels
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Source
from harness.core.text import digest_file, digest_json
from harness.sources.cells import annotation, is_blank, plain, target
from harness.sources.ids import check_id, fault_of
from harness.sources.mapper import NOT_ASKED, RowSource
from harness.sources.megc_questions import ASKED, answers_of, event_of, question_kind, unit_of
from harness.sources.options import Options, read_options
from harness.sources.pictures import cell_for, clip_numbers, frames_of
from harness.sources.rows import TableFile, TableRow, open_table

SPACES: Mapping[str, Mapping[str, str]] = {
    "casme2": {"fine": "casme2-fine"},
    "samm": {"fine": "samm-fine"},
    "casme3": {"fine": "casme3-fine"},
}
"""Data set -> field -> the labels it may have. The challenge's own lists were not seen: those of the
training files, and for CAS(ME)^3 those of the set itself that occur in competitors' prompts."""

LAYOUTS = (
    "{dataset}/{subject}/{filename}",
    "{subject}/{filename}",
    "{dataset}/{filename}",
    "{filename}",
    "{dataset}/{image_id}",
    "{image_id}",
    "{dataset}/{video}",
    "{video}",
)
"""Where a clip's frames are looked for under the root, in this order; the first folder there is wins."""

_TEST_ID = re.compile(r"([a-z0-9]+?)(?:_v2)?(?:_lvqa)?_test_", re.IGNORECASE)
_FIT = re.compile(r"\{([^{}]+)\}")


class MegcOptions(Options):
    """Options of the challenge's question files."""

    file: str | tuple[str, ...]
    """One JSONL file or several, relative to the current folder."""
    root: str | None = None
    """Folder of the frames, relative to the current folder; default the first file's own."""
    frames: str | None = None
    """A pattern of columns under the root, such as `{subject}/{filename}`; default: see LAYOUTS."""
    spaces: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {}
    """Data set -> field -> a vocabulary or a list of labels, over those of SPACES. They count where
    the task takes a field's labels from the data."""

    @field_validator("file")
    @classmethod
    def _some_file(cls, file: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not file:
            raise ValueError("name at least one file")
        return file

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file,) if isinstance(self.file, str) else self.file


def open_megc_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the questions, in the order of the files. Raises HarnessError."""
    asked = read_options(MegcOptions, options, family="megc-vqa")
    tables = tuple(open_table(base / file) for file in asked.files)
    for table in tables:
        _check_columns(table, asked)
    root = tables[0].path.parent if asked.root is None else base / asked.root
    if asked.root is not None and not root.is_dir():
        raise HarnessError(
            f"source.root: folder of frames not found: {root}",
            hint="relative paths start at the current folder; leave it out to run without frames",
        )
    mapper = _Mapper(fields, root, asked.frames)
    spaces = {**SPACES, **asked.spaces}

    def digest() -> str:
        written = asked.model_dump(mode="json", exclude={"file", "root"})
        return digest_json(
            {"options": written, "tables": [digest_file(table.path) for table in tables]}
        )

    return MegcSource(tables, mapper, spaces, digest)


class MegcSource(RowSource):
    """The rows of the files as one source, with the labels that their data sets allow."""

    __slots__ = ("_spaces", "_tables")

    def __init__(
        self,
        tables: tuple[TableFile, ...],
        mapper: _Mapper,
        spaces: Mapping[str, Mapping[str, str | tuple[str, ...]]],
        digest: Any,
    ) -> None:
        name = ", ".join(table.path.name for table in tables)
        super().__init__(self._all_rows, mapper, name=name, digest=digest)
        self._tables = tables
        self._spaces = spaces

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Field -> the labels that the data sets in the files allow."""
        sets = dict.fromkeys(data_set(row.cells) for row in self._all_rows())
        found: dict[str, dict[str, None]] = {}
        for name in sets:
            for part, labels in self._spaces.get(name or "", {}).items():
                found.setdefault(part, {}).update(dict.fromkeys(resolve_labels(labels)))
        return {part: tuple(labels) for part, labels in found.items()}

    def _all_rows(self) -> Iterator[TableRow]:
        """All rows numbered through, each with its file and its place in it (`row`, from 0)."""
        number = 0
        for table in self._tables:
            for place, row in enumerate(table):
                number += 1
                yield TableRow(
                    number, row.where, {**row.cells, "row": place, "file": table.path.name}
                )


@dataclass(slots=True)
class _Mapper:
    """How a row becomes a Sample; the frames of the last clip are remembered."""

    fields: Mapping[str, FieldSpec]
    root: Path
    pattern: str | None
    _last: tuple[tuple[str, ...], Medium] | None = field(default=None, init=False)

    def own_id(self, row: TableRow) -> str | None:
        """`id` or `video_id`, checked; None where the row has neither."""
        for column in ("id", "video_id"):
            if not is_blank(row.cells.get(column)):
                found = plain(row.cells[column])
                check_id(found, where=row.where)
                return found
        return None

    def given_id(self, row: TableRow) -> str:
        return str(row.number)

    def sample(self, row: TableRow, sample_id: str) -> Sample | str:
        """The row's Sample, or why it is left out. Raises HarnessError naming file, row and hint."""
        question = _question(row)
        kind = question_kind(question)
        if kind is None:
            raise HarnessError(
                f"{row.where}: not a question of ME-VQA or ME-LVQA: {question[:80]!r}",
                hint="use the family `table`, and name the fields to ask in a column (source.asks)",
            )
        asks = tuple(name for name in ASKED[kind] if name in self.fields)
        if not asks:
            return NOT_ASKED
        cells = {**row.cells, "subject": subject_of(row.cells), "dataset": data_set(row.cells)}
        notes: dict[str, Scalar] = {
            name: annotation(cell)
            for name, cell in cells.items()
            if name not in {"id", "question", "answer"} and not is_blank(cell)
        }
        notes["question_kind"] = kind
        for name, said in (("unit", unit_of(question)), ("event", event_of(question))):
            if said is not None:
                notes[name] = said
        return Sample(
            id=sample_id,
            medium=self._medium(cells, row),
            targets=self._targets(row, kind),
            question=question,
            asks=asks,
            annotations=notes,
            cluster=_cluster(cells),
        )

    def _targets(self, row: TableRow, kind: str) -> dict[str, Value]:
        cell = row.cells.get("answer")
        if is_blank(cell):
            return {}
        try:
            answers = answers_of(kind, plain(cell))
        except ValueError as error:
            raise HarnessError(
                f"{row.where}, column 'answer': {error}", hint="correct the answer, or blank it"
            ) from None
        return {
            name: target(text, self.fields[name], column="answer", where=row.where)
            for name, text in answers.items()
            if name in self.fields
        }

    def _medium(self, cells: Mapping[str, Any], row: TableRow) -> Medium:
        places = tuple(dict.fromkeys(_places(cells, self.pattern, row.where)))
        if not places:
            raise HarnessError(
                f"{row.where}: no clip given",
                hint="fill in `video` or `filename`, or set source.frames",
            )
        if self._last is None or self._last[0] != places:
            place = next((p for p in places if (self.root / p).is_dir()), places[0])
            frames = frames_of(place, root=self.root, name=place, where=row.where)
            self._last = (places, Medium("clip", frames, clip_numbers(frames)))
        return self._last[1]


def subject_of(cells: Mapping[str, Any]) -> str | None:
    """The row's subject; SAMM's, which the files write as a number, as its folders do: `6` is `006`."""
    if is_blank(cells.get("subject")):
        return None
    text = plain(cells["subject"])
    return text.zfill(3) if text.isascii() and text.isdigit() else text


def data_set(cells: Mapping[str, Any]) -> str | None:
    """`casme2`, `samm`, ...: the row's `dataset`, or what its `video_id` begins with."""
    if not is_blank(cells.get("dataset")):
        return plain(cells["dataset"]).lower()
    found = _TEST_ID.match(str(cells.get("video_id", "")))
    return found[1].lower() if found else None


def _cluster(cells: Mapping[str, Any]) -> str | None:
    """The subject; a bare number counts in its data set only, since two sets may both have a 003."""
    subject, name = cells["subject"], cells["dataset"]
    if subject is None or not subject.isdigit() or name in {None, "samm"}:
        return subject  # type: ignore[no-any-return]
    return f"{name}/{subject}"


def _question(row: TableRow) -> str:
    cell = row.cells.get("question")
    if is_blank(cell):
        raise HarnessError(f"{row.where}: no question", hint="fill in the column `question`")
    return plain(cell)


def _places(cells: Mapping[str, Any], pattern: str | None, where: str) -> Iterator[str]:
    """The row's folders of frames to try. Raises HarnessError for a cell that leads elsewhere."""
    for layout in (pattern,) if pattern else LAYOUTS:
        names = _FIT.findall(layout)
        values = [cells.get(name) for name in names]
        if any(is_blank(value) for value in values):
            continue
        for name, value in zip(names, values, strict=True):
            if fault_of(plain(value)):
                raise HarnessError(
                    f"{where}: {name} is {plain(value)[:80]!r}, which is not a folder of frames",
                    hint="correct the cell; a clip lies under source.root",
                )
        yield _FIT.sub(lambda match: plain(cells[match[1]]), layout)


def _check_columns(table: TableFile, options: MegcOptions) -> None:
    if "question" not in table.columns:
        raise HarnessError(
            f"{table.path.name} has no column 'question'",
            hint=f"give one of the challenge's question files; columns: {', '.join(table.columns)}",
        )
    columns = [*table.columns, "dataset", "subject"]
    if options.frames is not None and cell_for(options.frames, columns) is None:
        raise HarnessError(
            f"source.frames: {table.path.name} has no column {options.frames!r}",
            hint=f"columns: {', '.join(table.columns)}",
        )
