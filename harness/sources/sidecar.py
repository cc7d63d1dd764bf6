"""Further columns for any source from a side table of your own: `source.sidecar`.

A CSV, TSV, JSON-lines, Parquet or workbook table that names samples in a column `sample` or `image` (or the one named
by `on`): by the id that `harness show TASK` prints, or the file name of the picture. A column called like a field of
the task holds truths, every other is an annotation, to slice by. It need not name every sample.

    sidecar: teeth.csv
    sidecar: {file: teeth.csv, on: picture, blank: [unsure]}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.text import counted, digest_file, digest_json
from harness.media.marks import with_notes
from harness.sources.cells import annotation, is_blank, plain, target
from harness.sources.options import Options, read_options
from harness.sources.rows import TableRow, open_table

KEYS = ("sample", "image")
NOT_NAMED = "not in the sidecar"


class SidecarOptions(Options):
    """Where the side table lies, and how it is read."""

    file: str
    """Relative to the current folder."""
    on: str | None = None
    """Column that names samples; default `sample`, else `image`."""
    columns: tuple[str, ...] = ()
    """Columns to bring; empty means all but the key."""
    blank: tuple[str, ...] = ()
    """Words of a truth's column that are no truth (`unsure`); they stay as annotations, to slice by."""
    only: bool = False
    """Whether samples that it does not name are left out."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a side table says of one sample."""

    targets: Mapping[str, Value]
    notes: Mapping[str, Scalar]


class SidecarSource:
    """A source whose samples have further truths and annotations."""

    def __init__(
        self, source: Source, options: SidecarOptions, fields: Mapping[str, FieldSpec], base: Path
    ) -> None:
        self._source, self._options = source, options
        self._path = base / options.file
        self._known = read_side(self._path, options, fields)
        self._left_out = 0
        self._replaced: Counter[str] = Counter()
        self.published = getattr(source, "published", ())
        """As the source itself has it."""

    def __iter__(self) -> Iterator[Sample]:
        any_sample, matched, left_out = False, False, 0
        replaced: Counter[str] = Counter()
        for sample in self._source:
            any_sample = True
            found = self._beside(sample)
            if found is not None:
                matched = True
                own = sample.targets
                replaced.update(n for n, v in found.targets.items() if n in own and own[n] != v)
                notes = {**sample.annotations, **found.notes}
                yield replace(
                    sample,
                    medium=with_notes(sample.medium, notes),
                    targets={**sample.targets, **found.targets}
                    if found.targets
                    else sample.targets,
                    annotations=notes,
                )
            elif self._options.only:
                left_out += 1
            else:
                yield sample
        if any_sample and not matched:
            raise HarnessError(
                f"source.sidecar: {self._path.name} contains none of the samples (it contains "
                f"{', '.join(map(repr, list(self._known)[:3]))}, ...)",
                hint="use the ids printed by `harness show TASK`, or the file names of the "
                "pictures; name their column in source.sidecar.on",
            )
        self._left_out, self._replaced = left_out, replaced

    def digest(self) -> str:
        """Over the source's own digest, the options and the side table's bytes."""
        options = self._options.model_dump(mode="json", exclude={"file"})
        return digest_json(
            {
                "source": self._source.digest(),
                "sidecar": digest_file(self._path),
                "options": options,
            }
        )

    def skipped(self) -> tuple[Skipped, ...]:
        own = (Skipped(NOT_NAMED, self._left_out),) if self._left_out else ()
        return (*self._source.skipped(), *own)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """Those of the source, and how many of its true values the side table replaces."""
        return (
            *source_notes(self._source),
            *(
                f"{name}: {self._path.name} replaces {counted(count, 'true value')} of the source by another"
                for name, count in sorted(self._replaced.items())
            ),
        )

    def _beside(self, sample: Sample) -> Beside | None:
        found = self._known.get(sample.id)
        if found is None and sample.medium.kind == "image" and sample.medium.frames:
            found = self._known.get(Path(sample.medium.frames[0].name).name)
        return found


def with_sidecar(
    source: Source, written: Any, *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """The source with the side table that `source.sidecar` names, a file or options; itself where there is none.

    Raises HarnessError for a table that is missing or broken.
    """
    if written is None:
        return source
    options = written if isinstance(written, Mapping) else {"file": written}
    asked = read_options(SidecarOptions, options, family="sidecar")
    return SidecarSource(source, asked, fields, base)


def read_side(
    path: Path,
    options: SidecarOptions,
    fields: Mapping[str, FieldSpec],
    *,
    named: str = "source.sidecar",
    keys: tuple[str, ...] = KEYS,
) -> dict[str, Beside]:
    """Name of a sample -> what the table says of it. Errors speak of it as `named`; `keys` may name the samples.

    Raises HarnessError: no such file, no key column, a column that is not there, a name twice, a bad truth.
    """
    table = open_table(path)
    key = options.on or next((name for name in keys if name in table.columns), keys[0])
    columns = options.columns or tuple(name for name in table.columns if name != key)
    for column in (key, *columns):
        if column not in table.columns:
            _refuse_ratings(path, table.columns, named)
            raise HarnessError(
                f"{named}: {path.name} has no column {column!r}",
                hint=f"columns: {', '.join(table.columns)}; samples are named in a column {' or '.join(keys)}"
                + ("" if keys != KEYS else ", or the one that source.sidecar.on names"),
            )
    found: dict[str, Beside] = {}
    for row in table:
        if is_blank(row.cells.get(key)):
            continue
        name = plain(row.cells[key])
        if name in found:
            raise HarnessError(
                f"{named}: {row.where}: {name!r} appears twice", hint="keep one row per sample"
            )
        found[name] = _beside(row, columns, options, fields)
    return found


def _refuse_ratings(path: Path, columns: Sequence[str], named: str) -> None:
    """Raise HarnessError for the table of all answers of `harness rate`, one row an answer."""
    if {"rater", "item", "field", "value"} <= set(columns):
        raise HarnessError(
            f"{named}: {path.name} has one row per answer, from several raters",
            hint=f"use the agreed answers in the file next to it: {path.stem}-agreed{path.suffix}",
        )


def _beside(
    row: TableRow,
    columns: tuple[str, ...],
    options: SidecarOptions,
    fields: Mapping[str, FieldSpec],
) -> Beside:
    targets: dict[str, Value] = {}
    notes: dict[str, Scalar] = {}
    for column in columns:
        cell = row.cells.get(column)
        if column not in fields:
            notes[column] = annotation(cell)
        elif is_blank(cell):
            continue
        elif plain(cell) in options.blank:
            notes[column] = annotation(cell)
        else:
            targets[column] = target(cell, fields[column], column=column, where=row.where)
    return Beside(targets, notes)
