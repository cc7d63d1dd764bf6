"""The reader of one family of data sets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.core.sample import Sample

VOTES = "votes."
"""Annotations of this prefix hold how many annotators chose a label: `votes.anger`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows left out on purpose, and why."""

    reason: str
    count: int


@runtime_checkable
class Source(Protocol):
    """Yields Samples lazily; may be iterated more than once, each time in the same order."""

    def __iter__(self) -> Iterator[Sample]: ...

    def digest(self) -> str:
        """Hex digest of the annotations as read (table bytes, options), not of the media."""
        ...

    def skipped(self) -> tuple[Skipped, ...]:
        """What the last complete iteration left out."""
        ...


@runtime_checkable
class StatesLabels(Protocol):
    """A source that knows which labels its data set allows, whether or not its rows hold them all."""

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Field -> labels; they count, with those that occur, where a task takes them from the data."""
        ...


def stated_labels(source: object) -> Mapping[str, tuple[str, ...]]:
    """The labels that a source states; none where it knows of none."""
    return source.labels() if isinstance(source, StatesLabels) else {}


@runtime_checkable
class StatesNotes(Protocol):
    """A source that has something to say of how it read its data, such as labels that it joined."""

    def notes(self) -> tuple[str, ...]:
        """One sentence a note; known once the source was read."""
        ...


def source_notes(source: object) -> tuple[str, ...]:
    """What a source has to say; nothing where it says nothing."""
    return source.notes() if isinstance(source, StatesNotes) else ()


@runtime_checkable
class OfFiles(Protocol):
    """A source whose samples follow from its digest and options alone, but for where their pictures lie."""

    def folder(self) -> Path | None:
        """The folder that paths of pictures start at; None where samples follow from more than that."""
        ...


def picture_folder(source: object) -> Path | None:
    """The folder of a source of which samples follow from its digest and options alone; None for any other."""
    return source.folder() if isinstance(source, OfFiles) else None


@runtime_checkable
class Choosing(Protocol):
    """A source that yields samples by their ids without making the others."""

    def some(self, ids: Collection[str]) -> Iterator[Sample]:
        """Those of these ids, in their order."""
        ...


def some_of(source: Source, ids: Collection[str]) -> Iterator[Sample]:
    """The samples of a source that have these ids, in their order."""
    if isinstance(source, Choosing):
        return source.some(ids)
    return (sample for sample in source if sample.id in ids)
