"""FER2013, and FERPlus: the same pictures with ten annotators' votes.

FER2013: Goodfellow et al., 2013. FERPlus: Barsoum et al., ICMI 2016; the rules for a majority are
those of its published reader, whose order changes how many pictures remain, so it is an option.
The two sets and AffectNet number their labels differently: only names are compared, never codes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.picture import Picture
from harness.core.sample import Scalar
from harness.core.source import VOTES, Source
from harness.sources.cells import is_blank
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    existing,
    label_of,
)
from harness.sources.options import read_options
from harness.sources.rows import open_columns

LABELS: Mapping[str, str] = {
    "0": "anger", "1": "disgust", "2": "fear", "3": "happiness", "4": "sadness", "5": "surprise",
    "6": "neutral",
}  # fmt: skip
PLUS_LABELS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    "unknown", "NF",
)  # fmt: skip
"""Columns of `fer2013new.csv`; the last two are no expressions."""
Rule = Literal["single-votes", "majority", "unknown"]
RULES: tuple[Rule, ...] = ("single-votes", "majority", "unknown")
NO_MAJORITY = "no label has more than half of the votes"
UNKNOWN = "annotators chose unknown or non-face"
NO_NAME = "row without a picture name"
_USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
_FOLDERS = {"train": "FER2013Train", "validation": "FER2013Valid", "test": "FER2013Test"}
_SIDE = 48
_SIZES = {"train": 28709, "validation": 3589, "test": 3589}


class FerOptions(DatasetOptions):
    """Options of FER2013."""

    split: Literal["train", "validation", "test"] = "test"
    """Training, PublicTest, PrivateTest."""


class FerPlusOptions(FerOptions):
    """Options of FERPlus."""

    rules: tuple[Rule, ...] = RULES
    """What is done to the votes, in this order: single votes become none; a label needs more than half
    of the votes that are left; unknown and non-face are dropped (as columns if before the majority,
    as winners if after it)."""

    @field_validator("rules")
    @classmethod
    def _has_majority(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if "majority" not in rules or len(set(rules)) != len(rules):
            raise ValueError("may name each rule once and must include `majority`")
        return rules


@dataclass(frozen=True, slots=True)
class PixelPicture:
    """A 48 x 48 grey picture written as 2,304 numbers in a cell; encoded as PNG when it is read."""

    name: str
    pixels: str = field(repr=False)

    def read(self) -> bytes:
        from PIL import Image

        try:
            grey = np.array(self.pixels.split(), dtype=np.uint8).reshape(_SIDE, _SIDE)
        except (ValueError, OverflowError):
            raise MediaError(
                f"{self.name}: the cell does not contain {_SIDE * _SIDE} grey values",
                kind="corrupt",
            ) from None
        out = io.BytesIO()
        Image.fromarray(grey).save(out, "PNG")
        return out.getvalue()


def open_fer2013(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over `fer2013.csv` (emotion, pixels, Usage). Raises HarnessError."""
    asked = read_options(FerOptions, options, family="fer2013")
    table = existing(
        base / asked.root / "fer2013.csv", hint="set source.root to the folder with fer2013.csv"
    )
    return DatasetSource(
        lambda: _entries(table, asked.split), asked, fields, offers=("emotion",), files=[table],
        published=[Published(asked.split, "emotion", {"": _SIZES[asked.split]}, "the set's page")],
    )  # fmt: skip


def _entries(table: Path, split: str) -> Iterator[Found]:
    for row in open_columns(table, "Usage", "emotion", "pixels"):
        if row.cells["Usage"] != _USAGE[split]:
            continue
        name = f"{split}/{row.number:05d}"
        label = label_of(row.cells["emotion"], LABELS, where=row.where)
        yield DatasetEntry(name, PixelPicture(name, str(row.cells["pixels"])), {"emotion": label})


def open_ferplus(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over `fer2013new.csv`, with picture folders or `fer2013.csv` beside it. Raises HarnessError."""
    asked = read_options(FerPlusOptions, options, family="ferplus")
    root = base / asked.root
    table = existing(
        root / "fer2013new.csv", hint="set source.root to the folder with fer2013new.csv"
    )
    pixels = root / "fer2013.csv"
    return DatasetSource(
        lambda: _plus_entries(root, table, pixels if pixels.is_file() else None, asked),
        asked, fields, offers=("emotion",), files=[table],
        published=[Published(asked.split, "emotion", {"": _SIZES[asked.split]},
                             "the set's page, before unknown and undecided pictures are dropped")],
    )  # fmt: skip


def _plus_entries(
    root: Path, table: Path, pixels: Path | None, asked: FerPlusOptions
) -> Iterator[Found]:
    # fer2013.csv has the same rows in the same order: the picture of a row is that row's pixels.
    grey = iter(open_columns(pixels, "pixels")) if pixels is not None else None
    for row in open_columns(table, "Usage", "Image name", *PLUS_LABELS):
        twin = next(grey, None) if grey is not None else None
        if row.cells["Usage"] != _USAGE[asked.split]:
            continue
        name = row.cells["Image name"]
        if is_blank(name):
            yield NO_NAME
            continue
        votes = {label: _count(row.cells[label], row.where) for label in PLUS_LABELS}
        label = majority(votes, asked.rules)
        if label in {NO_MAJORITY, UNKNOWN}:
            yield label
            continue
        file = root / _FOLDERS[asked.split] / str(name)
        picture: Path | Picture = file
        if twin is not None and not file.exists():
            picture = PixelPicture(str(name), str(twin.cells["pixels"]))
        notes: dict[str, Scalar] = {VOTES + k: v for k, v in votes.items()}
        yield DatasetEntry(str(name), picture, {"emotion": label}, notes)


def majority(votes: Mapping[str, int], rules: Sequence[Rule] = RULES) -> str:
    """The label that the votes decide on, or `NO_MAJORITY` or `UNKNOWN`."""
    left = dict(votes)
    winner = ""
    for rule in rules:
        if rule == "single-votes":
            left = {label: count if count > 1 else 0 for label, count in left.items()}
        elif rule == "unknown" and not winner:
            left = {label: left[label] for label in PLUS_LABELS[:-2]}
        elif rule == "unknown":
            return UNKNOWN if winner in PLUS_LABELS[-2:] else winner
        else:
            best = max(left, key=lambda label: left[label])
            if not left[best] > sum(left.values()) / 2:
                return NO_MAJORITY
            winner = best
    return UNKNOWN if winner in PLUS_LABELS[-2:] else winner


def _count(cell: Any, where: str) -> int:
    try:
        return int(cell)
    except (TypeError, ValueError):
        raise HarnessError(
            f"{where}: {cell!r} is not a number of votes", hint="correct the cell"
        ) from None
