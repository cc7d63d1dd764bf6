"""`source.marks`: a side table of landmarks and boxes for any source.

A CSV, TSV, JSON-lines or Parquet table with a column `sample` (or `image`, or the one named by `on`) that holds the
sample's id; or a JSON object, id -> what is known of it. All other columns are named as `harness.media.marks` says.

    marks: landmarks.csv
    marks: {file: landmarks.csv, on: picture}
    marks: auto

`auto`: where neither the data set nor a drawing says where a face lies, a detector looks (`harness.detector`) when a
condition or a tool asks.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.marks import FaceFinder, Marked
from harness.core.picture import Remembered
from harness.core.sample import Sample, Scalar
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.text import counted, digest_file, digest_json
from harness.media.marks import is_mark, knows_face, says_face, with_notes
from harness.sources.cells import annotation, is_blank, plain
from harness.sources.options import Options, read_options
from harness.sources.rows import open_table

KEYS = ("sample", "image")
AUTO = "auto"
_LARGEST = 1 << 30


class MarksOptions(Options):
    """Where the side table lies."""

    file: str
    """Relative to the current folder."""
    on: str | None = None
    """Column of sample ids; default `sample`, else `image`."""


class MarkedSource:
    """A source whose samples learn where their faces lie."""

    def __init__(self, source: Source, options: MarksOptions, base: Path) -> None:
        self._source = source
        self._path = base / options.file
        self._known = read_side(self._path, on=options.on)
        self._read = self._without = 0
        self.published = getattr(source, "published", ())
        """As the source itself has it."""

    def __iter__(self) -> Iterator[Sample]:
        first = ""
        matched = False
        self._read = self._without = 0
        for sample in self._source:
            first = first or sample.id
            found = self._known.get(sample.id)
            self._read += 1
            self._without += not (found and says_face(found)) and not _known_otherwise(sample)
            if found is None:
                yield sample
                continue
            matched = True
            notes = {**sample.annotations, **found}
            yield replace(sample, medium=with_notes(sample.medium, notes), annotations=notes)
        if first and not matched:
            raise HarnessError(
                f"source.marks: {self._path.name} contains none of the samples (it contains "
                f"{', '.join(map(repr, list(self._known)[:3]))}{', ...' * (len(self._known) > 3)}; the samples are "
                f"called {first!r}, ...)",
                hint="use the ids printed by `harness show TASK`, or name their column in "
                "source.marks.on",
            )

    def digest(self) -> str:
        """Over the source's own digest and the side table's bytes."""
        return digest_json({"source": self._source.digest(), "marks": digest_file(self._path)})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._source.skipped()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """Those of the source, and of how many samples that were read the side table does not say where the face lies."""
        if not self._without:
            return source_notes(self._source)
        told = (
            f"{self._path.name} does not say where the face lies in {self._without:,} of {counted(self._read, 'sample')}: "
            "what needs to know it fails there"
        )
        return (*source_notes(self._source), told)


def _known_otherwise(sample: Sample) -> bool:
    """Whether the source itself, or a drawing, says where the face lies."""
    frames = sample.medium.frames[:1]
    origins = (one.origin if isinstance(one, Remembered) else one for one in frames)
    return knows_face(sample.medium) or any(isinstance(one, Marked) for one in origins)


class DetectedSource:
    """A source whose samples' faces are looked for where nothing says where they lie."""

    def __init__(self, source: Source, finder: FaceFinder) -> None:
        self._source = source
        self._finder = finder
        self.published = getattr(source, "published", ())
        """As the source itself has it."""

    def __iter__(self) -> Iterator[Sample]:
        for sample in self._source:
            second = sample.second and replace(sample.second, finder=self._finder)
            medium = replace(sample.medium, finder=self._finder)
            yield replace(sample, medium=medium, second=second)

    def digest(self) -> str:
        """Over the source's own digest and the detector's version."""
        return digest_json({"source": self._source.digest(), "marks": self._finder.name})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._source.skipped()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """Those of the source, and who looks for faces."""
        looked = f"faces that no annotation locates are looked for by {self._finder.name}"
        return (*source_notes(self._source), looked)


def with_marks(source: Source, written: Any, *, base: Path) -> Source:
    """The source with the side table that `source.marks` names, a file or options, or with the detector for `auto`;
    itself where there is none.

    Raises HarnessError for a file that is missing or broken, and where the detector's extra is not installed.
    """
    if written is None:
        return source
    if written == AUTO:
        from harness.detector import FaceDetector

        detector = FaceDetector()
        detector.load()
        return DetectedSource(source, detector)
    if isinstance(written, str) and not Path(written).suffix:
        near = difflib.get_close_matches(written.lower(), [AUTO], n=1)
        raise HarnessError(
            f"source.marks: {written!r} is neither {AUTO} nor a table of marks",
            hint=("did you mean auto? " if near else "")
            + "write auto, or a file that ends in .csv, .tsv, .jsonl, .parquet or .json",
        )
    options = written if isinstance(written, Mapping) else {"file": written}
    return MarkedSource(source, read_options(MarksOptions, options, family="marks"), base)


def read_side(path: Path, *, on: str | None) -> dict[str, dict[str, Scalar]]:
    """Sample id -> marks. Raises HarnessError: missing or broken file, no key column, no mark, a repeated id."""
    if path.suffix.lower() == ".json":
        return _read_json(path)
    table = open_table(path)
    key = on or next((name for name in KEYS if name in table.columns), "")
    columns = [name for name in table.columns if is_mark(name)]
    if key not in table.columns or not columns:
        what = f"column {key or KEYS[0]!r} of sample ids" if key not in table.columns else "mark"
        raise HarnessError(
            f"source.marks: {path.name} has no {what}",
            hint=f"columns: {', '.join(table.columns)}; marks are face_box, landmarks, region_NAME",
        )
    found: dict[str, dict[str, Scalar]] = {}
    for row in table:
        cell = row.cells.get(key)
        if is_blank(cell):
            continue
        name = plain(cell)
        if name in found:
            raise HarnessError(
                f"source.marks: {row.where}: {name!r} appears twice", hint="keep one row per sample"
            )
        found[name] = {c: annotation(row.cells.get(c)) for c in columns}
    return found


def _read_json(path: Path) -> dict[str, dict[str, Scalar]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise HarnessError(
                f"source.marks: {path} is larger than {_LARGEST >> 30} GiB", hint="use JSON lines"
            )
        body = json.loads(path.read_text(encoding="utf-8-sig"))
        return {
            str(name): {str(k): annotation(cell) for k, cell in row.items() if is_mark(str(k))}
            for name, row in body.items()
        }
    except FileNotFoundError:
        raise HarnessError(f"source.marks: not found: {path}", hint="check the path") from None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise HarnessError(
            f"source.marks: {path} is not a JSON object of samples: {error}",
            hint='write {"picture.png": {"landmarks": [[x, y], ...]}, ...}',
        ) from None
