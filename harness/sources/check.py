"""Check data: missing pictures, duplicates, and differences from published counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.answers.vocabulary import canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.picture import FilePicture
from harness.core.sample import Sample, Scalar
from harness.core.source import VOTES, Skipped, Source, source_notes
from harness.media.video_file import VideoFile
from harness.sources.contradiction import contradiction
from harness.sources.dataset import Published
from harness.sources.labels import LabelledSource
from harness.sources.picture_check import PictureFindings, check_pictures, subset_of
from harness.sources.pictures import NoFrames


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How well the set's own annotators agree with the label that their votes decided on."""

    samples: int
    """Samples with votes."""
    accuracy: float
    """Mean share of the votes that the label got: the expected accuracy of one annotator."""
    uar: float
    """The same, averaged within each class first."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is there and what is not."""

    samples: int
    clusters: int
    counts: Mapping[str, Mapping[str, int]]
    """Label field -> label -> samples; for other kinds the field's name -> {"": samples with a value}."""
    skipped: tuple[Skipped, ...]
    missing: int
    """Samples whose picture or frames are not on the disk."""
    first_missing: str
    published: tuple[Published, ...]
    ceiling: Ceiling | None
    codes: str = ""
    """Why the labels cannot be used as they are: codes without names, twins that are unclear; empty where they can."""
    labels: tuple[str, ...] = ()
    """How spellings were joined to classes."""
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Subject -> the subsets that it is in, where these are several."""
    foreign: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Label field -> values that are none of the labels which the task lists -> samples."""
    contrary: Mapping[str, str] = field(default_factory=dict)
    """Sample of a pair -> how its subjects contradict its label."""
    pictures: PictureFindings | None = None
    """None where no picture was opened."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found that must be looked into."""
        found = self.pictures
        bad = found is not None and (found.unreadable or found.same or found.near or found.itself)
        told = self.differences() or self.codes or self.foreign or self.contrary
        return not (self.missing or self.shared or told or bad)

    def differences(self) -> list[str]:
        """Where the copy's counts are not the published ones; empty where all agree."""
        found = []
        for known in self.published:
            own = self.counts.get(known.field, {})
            if set(known.counts) == {""}:
                total = sum(own.values()) + sum(s.count for s in self.skipped)
                if total != known.counts[""]:
                    found.append(f"{known.split}: {total:,} rows, published {known.counts['']:,}")
                continue
            for label, count in known.counts.items():
                if label in own and own[label] != count:
                    found.append(f"{known.split}, {label}: {own[label]:,}, published {count:,}")
        return found


def check_source(
    source: Source, fields: Mapping[str, FieldSpec], *, pictures: bool = False
) -> Checked:
    """Read a source through and look for every picture; open them all where `pictures` is true.

    Raises what the source raises, but for labels that are unclear: these are told in `codes`.
    """
    source, codes = _with_clear_labels(source)
    counts: dict[str, Counter[str]] = {name: Counter() for name in fields}
    clusters: set[str] = set()
    subsets: dict[str, set[str]] = {}
    samples = missing = 0
    first_missing = ""
    votes = _Votes()
    contrary: dict[str, str] = {}
    for sample in source:
        samples += 1
        clusters.add(sample.cluster or sample.id)
        if sample.cluster is not None and (subset := subset_of(sample)):
            subsets.setdefault(sample.cluster, set()).add(subset)
        lost = _lost(sample)
        if lost:
            missing += 1
            first_missing = first_missing or lost
        if why := contradiction(sample, fields):
            contrary[sample.id] = why
        for name, value in sample.targets.items():
            counts[name][str(value) if fields[name].one_label else ""] += 1
            if fields[name].one_label:
                votes.add(sample.annotations, str(value))
    labels = [name for name, spec in fields.items() if spec.one_label]
    return Checked(
        samples=samples,
        clusters=len(clusters),
        counts={name: dict(sorted(found.items())) for name, found in counts.items()},
        skipped=source.skipped(),
        missing=missing,
        first_missing=first_missing,
        published=getattr(source, "published", ()),
        ceiling=votes.ceiling(),
        codes=codes,
        labels=source_notes(source),
        shared={who: tuple(sorted(s)) for who, s in sorted(subsets.items()) if len(s) > 1},
        foreign=_foreign(counts, fields),
        contrary=contrary,
        pictures=check_pictures((s for s in source if not _lost(s)), labels) if pictures else None,
    )


def _foreign(
    counts: Mapping[str, Mapping[str, int]], fields: Mapping[str, FieldSpec]
) -> dict[str, dict[str, int]]:
    """What a run would refuse: values outside the list of their field, which may name synonyms."""
    found = {}
    for name, spec in fields.items():
        if not spec.one_label or isinstance(spec.labels, str):  # from the data, or not resolved
            continue
        spelling = canonicaliser(spec.classes, spec.synonyms)
        outside = {v: n for v, n in sorted(counts[name].items()) if spelling.label(v) is None}
        if outside:
            found[name] = outside
    return found


def _with_clear_labels(source: Source) -> tuple[Source, str]:
    """The source, and what keeps its labels from being classes; then it is read as it stands."""
    if not isinstance(source, LabelledSource):
        return source, ""
    try:
        source.notes()
    except HarnessError as error:
        return source.as_it_stands, f"{error.message}; {error.hint}"
    return source, ""


def _lost(sample: Sample) -> str:
    """The first of the sample's files that is not there; empty where all are."""
    for frame in (*sample.medium.frames, *(sample.second.frames if sample.second else ())):
        if isinstance(frame, NoFrames):
            return frame.name
        if isinstance(frame, FilePicture | VideoFile) and not frame.path.is_file():
            return str(frame.path)
    return ""


class _Votes:
    """Vote shares of the samples' own labels, class by class."""

    def __init__(self) -> None:
        self._shares: dict[str, list[float]] = {}

    def add(self, annotations: Mapping[str, Scalar], label: str) -> None:
        share = vote_share(annotations, label)
        if share is not None:
            self._shares.setdefault(label, []).append(share)

    def ceiling(self) -> Ceiling | None:
        every = [share for shares in self._shares.values() for share in shares]
        if not every:
            return None
        return Ceiling(len(every), _mean(every), _mean(map(_mean, self._shares.values())))


def vote_share(annotations: Mapping[str, Scalar], label: str) -> float | None:
    """The share of the votes that a label got; None where the sample has no votes."""
    votes = {k: v for k, v in annotations.items() if k.startswith(VOTES)}
    numbers = {k: float(v) for k, v in votes.items() if isinstance(v, int | float)}
    total = sum(numbers.values())
    return numbers.get(VOTES + label, 0.0) / total if total else None


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found)
