"""SFEW 2.0: stills from films in one folder per class (Dhall et al., ICMI 2015)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.answers.vocabulary import canonicaliser, resolve_labels
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    first_existing,
)
from harness.sources.options import read_options
from harness.sources.pictures import natural

NO_CLASS = "folder name that is not an expression"


class SfewOptions(DatasetOptions):
    """Options of SFEW."""

    split: Literal["train", "val", "test"] = "val"
    """The part of the set that is read."""


def open_sfew(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over the class folders of one split. Raises HarnessError where it is not there."""
    asked = read_options(SfewOptions, options, family="sfew")
    root = base / asked.root
    folder = first_existing(
        [root / name for name in (asked.split.title(), asked.split, asked.split.upper())],
        hint="set source.root to the folder with Train/ and Val/",
    )
    published = [Published("val", "emotion", {"": 436}, "the set's page; re-packs hold 431 to 436")]
    return DatasetSource(
        lambda: _entries(folder), asked, fields, offers=("emotion",), files=[],
        published=published if asked.split == "val" else [],
    )  # fmt: skip


def _entries(folder: Path) -> Iterator[Found]:
    names = canonicaliser(resolve_labels("basic-7"))
    files = [p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES]
    for path in sorted(files, key=lambda file: natural(str(file))):
        place = path.relative_to(folder)
        label = names.label(place.parts[0]) if len(place.parts) > 1 else None
        yield (
            NO_CLASS if label is None else DatasetEntry(place.as_posix(), path, {"emotion": label})
        )
