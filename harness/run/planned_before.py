"""What the last start planned, taken over by the next where nothing that it follows from has changed.

To read a table, check its rows and write samples and plan takes longer than all the rest of a start at which little is left
to ask. `private/planned.json` says what each samples file and the plan were made of: digests of the table's bytes, of
the task, of the files written. Where one of them is otherwise, or the record is missing or damaged, everything is read
and written as in a first start.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, picture_folder, source_notes
from harness.core.task import Task
from harness.core.text import canonical_json, digest_json
from harness.run.columns import read_coded
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.samples import SampleSummary
from harness.version import __version__

_LARGEST = 64 << 20
"""Bytes of the record above which it is not read."""
_REMEMBERED = 1 << 16
"""Pictures that are not looked for twice."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlannedFile(_Record):
    """A samples file, or the plan, and what it was made of."""

    made_of: str
    """Digest of all that its content follows from."""
    file: str
    """Digest of its bytes."""


class PlannedSamples(PlannedFile):
    """The samples of one task."""

    count: int
    clusters: int
    own_clusters: bool
    classes: dict[str, list[str]]
    forms: list[tuple[list[str], str | None]]
    altered: tuple[int, str]
    source: str
    """Digest of the annotations as the source read them."""
    skipped: list[tuple[str, int]]
    notes: list[str]
    bare: bool
    """Whether each sample shows one picture without marks, and asks every field."""

    @property
    def summary(self) -> SampleSummary:
        """What the pass over the source showed."""
        return SampleSummary(
            count=self.count,
            clusters=self.clusters,
            own_clusters=self.own_clusters,
            classes={name: tuple(labels) for name, labels in self.classes.items()},
            chosen=None,
            forms=tuple((tuple(asks), question) for asks, question in self.forms),
            altered=self.altered,
        )

    @property
    def left_out(self) -> tuple[Skipped, ...]:
        """What the source left out."""
        return tuple(Skipped(reason, count) for reason, count in self.skipped)


class PlannedTrials(PlannedFile):
    """The plan."""

    counts: dict[str, int]
    """Cell id -> number of trials."""


class PlannedBefore(_Record):
    """All that one start planned and another may take over."""

    samples: dict[str, PlannedSamples] = {}
    """By task."""
    trials: PlannedTrials | None = None


class _Sealed(_Record):
    digest: str
    planned: PlannedBefore


def read_planned(folder: RunFolder) -> PlannedBefore:
    """What the last start of a run planned; nothing where there is no such record, or one that is damaged."""
    try:
        if folder.planned.stat().st_size > _LARGEST:
            return PlannedBefore()
        sealed = _Sealed.model_validate_json(folder.planned.read_bytes())
    except (OSError, ValidationError, RecursionError):
        return PlannedBefore()
    return sealed.planned if sealed.digest == _seal(sealed.planned) else PlannedBefore()


def write_planned(folder: RunFolder, planned: PlannedBefore) -> None:
    """Write the record beside the samples. Raises HarnessError where that fails."""
    body = {"digest": _seal(planned), "planned": planned.model_dump(mode="json")}
    write_atomically(folder.planned, canonical_json(body).encode("utf-8", "surrogatepass"))


def _seal(planned: PlannedBefore) -> str:
    return digest_json(planned.model_dump(mode="json"))


def made_of(task: Task, source: Source, here: Path) -> str | None:
    """A digest of all that the samples of a task follow from, but for where its pictures lie; None for a source that
    does not say what they follow from. The table is read for its bytes alone."""
    folder = picture_folder(source)
    if folder is None:
        return None
    places = [str(here.absolute()), os.path.realpath(folder)]
    return digest_json([__version__, task.model_dump(mode="json"), source.digest(), *places])


HELD = 4096
"""Samples that are held from planning until they are put, at about a kilobyte each. Of more the source is read again, which
takes .02 to .04 ms of CPU a sample."""


class OnlyPictures:
    """Passes samples on and finds out whether each is of one picture in a file, and whether it says no more than that."""

    def __init__(self) -> None:
        self.holds = self.bare = True
        self._few: list[Sample] = []
        self._count = 0

    @property
    def few(self) -> tuple[Sample, ...]:
        """The samples, where they are at most HELD and each is of one picture in a file; else none."""
        return tuple(self._few) if self.holds and self._count <= HELD else ()

    def __call__(self, sample: Sample) -> Sample:
        medium = sample.medium
        plain = (
            medium.kind == "image"
            and sample.second is None
            and medium.finder is None
            and type(medium.frames[0]) is FilePicture
        )
        self.holds = self.holds and plain
        more = sample.asks or medium.notes or medium.changes or medium.sound is not None
        self.bare = self.bare and plain and not more
        self._count += 1
        if self.holds and self._count <= HELD:
            self._few.append(sample)
        else:
            self._few.clear()
        return sample


def note_samples(
    made: str, path: Path, summary: SampleSummary, source: Source, *, bare: bool
) -> PlannedSamples:
    """The record of a samples file that was just written."""
    return PlannedSamples(
        made_of=made,
        file=digest_of(path),
        count=summary.count,
        clusters=summary.clusters,
        own_clusters=summary.own_clusters,
        classes={name: list(labels) for name, labels in summary.classes.items()},
        forms=[(list(asks), question) for asks, question in summary.forms],
        altered=summary.altered,
        source=source.digest(),
        skipped=[(one.reason, one.count) for one in source.skipped()],
        notes=list(source_notes(source)),
        bare=bare,
    )


def lie_as_before(path: Path, folder: Path) -> bool:
    """Whether the pictures that a samples file names lie where it says, and would be found there again: `images` beside a
    table is looked into only for what does not lie beside the table itself."""
    seen: set[str] = set()
    images = f"{folder / 'images'}{os.sep}"
    for batch in read_coded(path, "sample", ["media"]):
        for text in batch.coded["media"][0]:
            if text in seen:
                continue
            if len(seen) < _REMEMBERED:
                seen.add(text)
            (name,) = orjson.loads(text)
            if not os.path.exists(name):  # noqa: PTH110 - once a picture
                return False
            if name.startswith(images) and (folder / name.removeprefix(images)).exists():
                return False
    return True


def may_take_over(before: PlannedSamples, made: str | None, path: Path, source: Source) -> bool:
    """Whether the samples file of the last start is what would be written now."""
    folder = picture_folder(source)
    return folder is not None and stands(before, made, path) and lie_as_before(path, folder)


def digest_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def stands(before: PlannedFile | None, made: str | None, path: Path) -> bool:
    """Whether a file is still the one that was written, of what it would be made of now."""
    if before is None or made is None or before.made_of != made:
        return False
    try:
        return digest_of(path) == before.file
    except OSError:
        return False


def take_over(path: Path, to: Path) -> None:
    """Have the file `path` at `to` as well. Raises HarnessError where that fails."""
    if path == to:
        return
    try:
        to.unlink(missing_ok=True)
        try:
            os.link(path, to)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, to)
    except OSError as error:
        raise write_error(to, error) from None
