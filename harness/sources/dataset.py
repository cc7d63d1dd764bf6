"""Shared code of the published data sets: turn entries of their files into Samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from harness.answers.vocabulary import canonicaliser, resolve_labels
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA, FieldSpec
from harness.core.medium import Medium, image
from harness.core.picture import FilePicture, Picture
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Skipped
from harness.core.text import digest_file, digest_json
from harness.media.marks import with_notes
from harness.media.video_file import VIDEO_SUFFIXES, is_video_name, video_clip
from harness.sources.cells import target
from harness.sources.ids import IdCheck, fault_of
from harness.sources.options import Options
from harness.sources.pictures import Numbering, frame_numbers, frames_of

UNFIT_NAME = "file name unfit for an id"
NO_VALUE = "no value for any field of the task"


class DatasetOptions(Options):
    """Options that every published data set shares."""

    root: str
    """The set's own folder as it was unpacked, relative to the current folder."""
    targets: Mapping[str, str] = {}
    """Field of the task -> the set's name of the value; a field left out is read by its own name."""


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One picture or clip with what the set says of it, in the canonical vocabulary."""

    id: str
    medium: Path | Picture | Medium
    """A picture's file, a picture, the folder of a clip's frames, or all of a clip that is known."""
    values: Mapping[str, Any]
    """Name -> value: `emotion`, `valence`, `action_units`..."""
    notes: Mapping[str, Scalar] = field(default_factory=dict)
    subject: str | None = None
    clip: bool = False
    second: Path | None = None
    """The other picture of a pair."""
    question: str | None = None
    """The question put with the medium, where each entry has its own."""
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of a value -> annotator -> what that annotator gave, where the set keeps annotators apart."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What one annotator gave to one field of one sample."""

    rater: str
    sample: str
    field: str
    value: Value


@runtime_checkable
class KeepsRatings(Protocol):
    """A source whose set keeps its annotators' values apart."""

    def ratings(self) -> Iterator[Rated]:
        """One for each annotator, sample and field."""
        ...


Found: TypeAlias = DatasetEntry | str
"""An entry, or the reason why a row was left out."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a set's own paper or page says of its size, to hold a copy against."""

    split: str
    field: str
    """Name of the value that is counted."""
    counts: Mapping[str, int]
    """Label -> samples; the key `` (empty) is the total where single counts were not published."""
    source: str
    """Where the figures stand."""


class DatasetSource:
    """A Source over the entries of a published data set."""

    __slots__ = (
        "_fields", "_files", "_ids", "_layout", "_options", "_read", "_skipped", "_targets", "_unlabelled", "published",
    )  # fmt: skip

    def __init__(
        self,
        read: Callable[[], Iterable[Found]],
        options: DatasetOptions,
        fields: Mapping[str, FieldSpec],
        *,
        offers: Sequence[str],
        files: Sequence[Path],
        published: Sequence[Published] = (),
        unlabelled: bool = False,
        layout: str = "",
    ) -> None:
        """`layout` says what the set's folder has, for the hint where nothing is found in it."""
        self._layout = layout
        self._read = read
        self._unlabelled = unlabelled
        self._options = options
        self._fields = fields
        self._targets = match_targets(options, fields, offers)
        self._files = tuple(files)
        self._skipped: tuple[Skipped, ...] = ()
        self._ids = IdCheck()
        self.published = tuple(published)
        """Published sizes of the part that is read."""

    def __iter__(self) -> Iterator[Sample]:
        seen, left_out, any_row = self._ids.begin(), Counter[str](), False
        judges = {name: _judge(spec) for name, spec in self._fields.items()}
        for found in self._read():
            any_row = True
            made = found if isinstance(found, str) else self._sample(found, judges)
            if isinstance(made, str):
                left_out[made] += 1
            elif seen is not None and seen.add(made.id):
                raise HarnessError(
                    f"{made.id} appears twice in the annotations under {self._options.root}",
                    hint="remove one of the two, or get the annotation file again",
                )
            else:
                yield made
        if not any_row:
            raise HarnessError(
                f"no samples found under {self._options.root}",
                hint=self._where(),
            )
        self._ids.end(seen)
        self._skipped = tuple(Skipped(why, n) for why, n in sorted(left_out.items()))

    def _where(self) -> str:
        """Which options decide what is read: the folder and, where a set has parts, the part."""
        split = getattr(self._options, "split", None)
        part = f", or source.split to another part than {split}" if split else ""
        layout = f", which has {self._layout}" if self._layout else ""
        return f"set source.root to the data set's own folder{layout}{part}"

    def ratings(self) -> Iterator[Rated]:
        """What each annotator gave to each sample, for the fields of the task; nothing where a set keeps none apart.

        Raises HarnessError for a value that a field cannot hold.
        """
        judges = {name: _judge(spec) for name, spec in self._fields.items()}
        for found in self._read():
            if isinstance(found, str) or isinstance(self._sample(found, judges), str):
                continue
            for name, value_name in self._targets.items():
                for rater, told in found.ratings.get(value_name, {}).items():
                    value = target(told, self._fields[name], column=value_name, where=found.id)
                    yield Rated(rater, found.id, name, value)

    def digest(self) -> str:
        """Over the options, the annotation files' bytes, and where there are none the ids and values."""
        options = self._options.model_dump(mode="json", exclude={"root"})
        if self._files:
            content: Any = [digest_file(path) for path in self._files]
        else:
            content = [
                [e.id, {k: str(v) for k, v in e.values.items()}]
                if isinstance(e, DatasetEntry)
                else e
                for e in self._read()
            ]
        return digest_json({"options": options, "content": content})

    def skipped(self) -> tuple[Skipped, ...]:
        """What the last complete iteration left out, and why."""
        return self._skipped

    def _sample(
        self, entry: DatasetEntry, judges: Mapping[str, Callable[[str], bool]]
    ) -> Sample | str:
        if fault_of(entry.id):
            return UNFIT_NAME
        targets: dict[str, Value] = {}
        for name, value_name in self._targets.items():
            value = entry.values.get(value_name)
            if value is None:
                continue
            spec = self._fields[name]
            if spec.one_label and not judges[name](str(value)):
                return f"{name} outside the task's classes: {value}"
            targets[name] = target(value, spec, column=value_name, where=entry.id)
        if not targets and not self._unlabelled:
            return NO_VALUE
        values = {k: v for k, v in entry.values.items() if k not in self._targets.values()}
        notes = {**{k: _note(v) for k, v in values.items()}, **entry.notes}
        return Sample(
            id=entry.id,
            medium=with_notes(_medium(entry), notes),
            targets=targets,
            annotations=notes,
            second=None if entry.second is None else image(FilePicture(entry.second)),
            question=entry.question,
            cluster=entry.subject,
        )


def match_targets(
    options: DatasetOptions, fields: Mapping[str, FieldSpec], offers: Sequence[str]
) -> dict[str, str]:
    """Field of the task -> value of the set. Raises HarnessError where neither name is known."""
    unknown = [name for name in options.targets if name not in fields]
    wrong = [value for value in options.targets.values() if value not in offers]
    if unknown or wrong:
        raise HarnessError(
            f"source.targets: unknown name {(unknown or wrong)[0]!r}",
            hint=f"fields of the task: {', '.join(fields)}; values of the set: {', '.join(offers)}",
        )
    matched = {name: options.targets.get(name, name) for name in fields}
    found = {name: value for name, value in matched.items() if value in offers}
    if not found:
        raise HarnessError(
            f"the set has no value named {', '.join(fields)}",
            hint=f"rename the field to one of {', '.join(offers)}, or map it in source.targets",
        )
    return found


def existing(path: Path, *, hint: str) -> Path:
    """The path, which must exist. Raises HarnessError."""
    if not path.exists():
        raise HarnessError(f"not found: {path}", hint=hint)
    return path


def first_existing(paths: Sequence[Path], *, hint: str) -> Path:
    """The first path that exists: re-packs move files about. Raises HarnessError naming them all."""
    for path in paths:
        if path.exists():
            return path
    raise HarnessError(f"none of these exists: {', '.join(map(str, paths))}", hint=hint)


def clip_at(frames: Path, *videos: Path) -> Path:
    """The folder of a clip's frames; where it is not there, a video file beside it or at one of the other places.

    `videos` are paths without their suffix. Where nothing is there, the folder, which is then told as missing.
    """
    if frames.is_dir():
        return frames
    for place in (frames, *videos):
        for suffix in sorted(VIDEO_SUFFIXES):
            video = place.with_name(place.name + suffix)
            if video.exists():
                return video
    return frames


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of each line that is not blank. Raises HarnessError where it is not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.strip()
    except UnicodeDecodeError as error:
        raise HarnessError(
            f"{path} is not UTF-8 text ({error})", hint="get the file again"
        ) from None


def label_of(code: Any, names: Mapping[str, str], *, where: str) -> str:
    """The canonical label of a set's own code. Raises HarnessError listing the codes there are."""
    text = str(code).strip()
    text = text.removesuffix(".0")
    if text not in names:
        raise HarnessError(
            f"{where}: {text!r} is not a class of this set",
            hint=f"codes: {', '.join((f'{k} ({v})' for k, v in names.items()))}",
        )
    return names[text]


def _judge(spec: FieldSpec) -> Callable[[str], bool]:
    """Whether a label is one of the field's classes; all are, where the data decide."""
    if not spec.one_label or spec.labels == FROM_DATA:
        return lambda label: True
    table = canonicaliser(resolve_labels(spec.labels), spec.synonyms)
    return lambda label: table.label(label) is not None


def _medium(entry: DatasetEntry) -> Medium:
    if isinstance(entry.medium, Medium):
        return entry.medium
    if isinstance(entry.medium, Path):
        if not entry.clip:
            return Medium(kind="image", frames=(FilePicture(entry.medium),))
        if is_video_name(entry.medium):
            return video_clip(entry.medium)
        frames = frames_of(str(entry.medium), root=Path(), name=entry.id, where=entry.id)
        numbered = all(Path(frame.name).stem[-1:].isdigit() for frame in frames)
        how: Numbering = "file-names" if numbered else "from-one"
        return Medium("clip", frames, frame_numbers(frames, how, where=entry.id))
    return Medium(kind="image", frames=(entry.medium,))


def _note(value: Any) -> Scalar:
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return ", ".join(map(str, value))
