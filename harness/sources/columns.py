"""The role of each column of a table: as set in options, and as found in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import model_validator

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.sources.options import Options
from harness.sources.pictures import MediaCell, Numbering, cell_for

_IMAGE_COLUMNS = ("image", "path")
_CLIP_COLUMNS = ("frames", "video")


class ColumnOptions(Options):
    """The options that every family of tables shares."""

    image: str | None = None
    """Column of picture paths or bytes, or a pattern of columns: `{subject}/{file}.jpg`."""
    second: str | None = None
    """Column of the other picture of a pair, or a pattern of columns; a row without one is left out."""
    frames: str | None = None
    """The same for clips: a video file, a list, a folder, a glob, or paths separated by `;`."""
    numbering: Numbering = "from-zero"
    """How onset, apex and offset count the frames."""
    id: str | None = None
    """Column of sample ids; without it the picture's path, or the row number."""
    ids: Literal["path", "as-written"] = "path"
    """How paths become ids: in one spelling, relative to the table's folder or the root, and of pictures elsewhere the
    digest of their content; or as the table spells them, as version 0.2 did."""
    allow_outside: bool = False
    """Whether the table may name pictures outside its own folder and the root (`--allow-outside`)."""
    label: str | None = None
    """Column of the task's only field."""
    targets: Mapping[str, str] = {}
    """Field -> its column. A field left out is read from the column of its own name, if any."""
    blank: tuple[str, ...] = ()
    """Cells that stand for "no value" in target columns: `-2`, `unsure`."""
    unlabelled: Literal["skip", "keep"] = "skip"
    """What becomes of rows without any target."""
    question: str | None = None
    """Column of questions."""
    ask: str | None = None
    """One question for every row."""
    asks: str | None = None
    """Column of the fields that a row asks for, separated by commas."""
    subject: str | None = None
    """Column of subjects, the unit of resampling."""
    other_subject: str | None = None
    """Column of the subject of the other picture of a pair; it becomes the annotation `other_subject`."""
    onset: str | None = None
    """Column of the number of each clip's first frame of the movement."""
    apex: str | None = None
    """Column of the number of the frame where it is strongest."""
    offset: str | None = None
    """Column of the number of its last frame."""
    fps: float | str | None = None
    """Column of frame rates, or one rate for all clips."""

    @model_validator(mode="after")
    def _check(self) -> ColumnOptions:
        for one, other in (("image", "frames"), ("question", "ask"), ("label", "targets")):
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"give {one} or {other}, not both")
        return self


NOT_IN_DIGEST = frozenset({"ids", "allow_outside"})
"""Options that change nothing of what the table says."""


@dataclass(frozen=True, slots=True)
class SourceColumns:
    """The parts as found in one table."""

    medium: MediaCell
    kind: Literal["image", "clip"]
    targets: Mapping[str, str]
    """Field -> column."""
    question: str | None
    used: frozenset[str]
    """Columns that are no annotations."""
    second: MediaCell | None = None


def find_columns(
    options: ColumnOptions, columns: Sequence[str], fields: Mapping[str, FieldSpec], *, table: str
) -> SourceColumns:
    """Match options to the columns there are. Raises HarnessError naming option and columns."""
    named = {part: getattr(options, part) for part in _SINGLE}
    for part, column in named.items():
        if isinstance(column, str):
            _require(column, columns, option=part, table=table)
    medium, kind = _medium(options, columns, table=table)
    question = options.question
    targets = _targets(options, columns, fields, table=table)
    apart = (options.id, question, options.asks, options.onset, options.apex)
    used = {options.offset, options.fps, *apart, *targets.values()}
    if not medium.is_pattern:
        used.add(medium.text)
    second = None
    if options.second is not None:
        second = cell_for(options.second, columns)
        if second is None or kind != "image":
            _require(options.second, columns, option="second", table=table)
            raise HarnessError(
                "source.second: pairs are of pictures, not of clips",
                hint="name both columns of pictures, as source.image and source.second",
            )
        if options.second == options.image:
            raise HarnessError(
                f"source.second names the same column as source.image ({options.second})",
                hint="name the column of the second picture of each pair",
            )
        if not second.is_pattern:
            used.add(second.text)
    if options.other_subject is not None:
        used.add(options.other_subject)
    return SourceColumns(medium, kind, targets, question, frozenset(map(str, used)), second)


_SINGLE = ("id", "question", "asks", "subject", "other_subject", "onset", "apex", "offset", "fps")


def _require(column: str, columns: Sequence[str], *, option: str, table: str) -> None:
    if column not in columns:
        raise HarnessError(
            f"source.{option}: {table} has no column {column!r}",
            hint=f"columns: {', '.join(columns)}",
        )


def _medium(
    options: ColumnOptions, columns: Sequence[str], *, table: str
) -> tuple[MediaCell, Literal["image", "clip"]]:
    for option, kind in (("image", "image"), ("frames", "clip")):
        text = getattr(options, option)
        if text is not None:
            cell = cell_for(text, columns)
            if cell is None:
                raise HarnessError(
                    f"source.{option}: {table} has no column {text!r}",
                    hint=f"columns: {', '.join(columns)} "
                    "(or a pattern of them, such as {subject}/{clip})",
                )
            return cell, "image" if kind == "image" else "clip"
    for column in _IMAGE_COLUMNS:
        if column in columns:
            return MediaCell(column, is_pattern=False), "image"
    for column in _CLIP_COLUMNS:
        if column in columns:
            return MediaCell(column, is_pattern=False), "clip"
    raise HarnessError(
        f"{table} has no column named image, path, frames or video",
        hint="name the column of pictures as source.image, or of clips as source.frames; "
        f"columns: {', '.join(columns)}",
    )


def _targets(
    options: ColumnOptions, columns: Sequence[str], fields: Mapping[str, FieldSpec], *, table: str
) -> Mapping[str, str]:
    if options.label is not None:
        if len(fields) != 1:
            raise HarnessError(
                f"source.label: the task has {len(fields)} fields ({', '.join(fields)})",
                hint="use source.targets, with one column per field",
            )
        _require(options.label, columns, option="label", table=table)
        return {next(iter(fields)): options.label}
    for field, column in options.targets.items():
        if field not in fields:
            raise HarnessError(
                f"source.targets.{field}: the task has no such field",
                hint=f"fields: {', '.join(fields)}",
            )
        _require(column, columns, option=f"targets.{field}", table=table)
    own = {field: field for field in fields if field in columns}
    found = {**own, **options.targets}
    if not found and options.unlabelled == "skip":
        raise HarnessError(
            f"{table} has no column for the field {', '.join(fields)}",
            hint="name it as source.label (or source.targets, or unlabelled: keep); "
            f"columns: {', '.join(columns)}",
        )
    return found
