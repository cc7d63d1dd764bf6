"""RAF-DB as distributed: basic and compound expressions, with the manual attributes.

Codes: Li, Deng and Du, CVPR 2017, and the set's own readme. No identities are released, so the
picture is the unit of resampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    first_existing,
    label_of,
    text_lines,
)
from harness.sources.options import read_options

BASIC: Mapping[str, str] = {
    "1": "surprise", "2": "fear", "3": "disgust", "4": "happiness", "5": "sadness", "6": "anger",
    "7": "neutral",
}  # fmt: skip
COMPOUND: Mapping[str, str] = {
    "1": "happily surprised", "2": "happily disgusted", "3": "sadly fearful", "4": "sadly angry",
    "5": "sadly surprised", "6": "sadly disgusted", "7": "fearfully angry",
    "8": "fearfully surprised", "9": "angrily surprised", "10": "angrily disgusted",
    "11": "disgustedly surprised",
}  # fmt: skip
GENDER: Mapping[str, str] = {"0": "male", "1": "female", "2": "unsure"}
RACE: Mapping[str, str] = {"0": "Caucasian", "1": "African-American", "2": "Asian"}
AGE: Mapping[str, str] = {"0": "0-3", "1": "4-19", "2": "20-39", "3": "40-69", "4": "70+"}
_TEST = Published(
    "test",
    "emotion",
    {"happiness": 1185, "neutral": 680, "sadness": 478, "surprise": 329, "anger": 162,
     "disgust": 160, "fear": 74},
    "the set's test list (3,068 pictures)",
)  # fmt: skip
_TRAIN = Published("train", "emotion", {"": 12271}, "the set's training list")


class RafOptions(DatasetOptions):
    """Options of RAF-DB."""

    split: Literal["train", "test"] = "test"
    """The part of the set that is read."""
    part: Literal["basic", "compound"] = "basic"
    """Seven basic or eleven compound expressions."""
    pictures: Literal["aligned", "original"] = "aligned"
    """Faces cut out and aligned, or the whole photographs."""


def open_raf_db(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over one part and split. Raises HarnessError where the list is not there."""
    asked = read_options(RafOptions, options, family="raf-db")
    root = base / asked.root
    lists = first_existing(
        [folder / "EmoLabel" / name
         for folder in (root / asked.part, root)
         for name in ("list_patition_label.txt", "list_partition_label.txt")],
        hint="set source.root to the folder with basic/ and compound/, or to one of these two",
    )  # fmt: skip
    here = lists.parent.parent
    published = [_TEST if asked.split == "test" else _TRAIN] if asked.part == "basic" else []
    return DatasetSource(
        lambda: _entries(here, lists, asked), asked, fields, offers=("emotion",), files=[lists],
        published=published,
    )  # fmt: skip


def _entries(root: Path, lists: Path, asked: RafOptions) -> Iterator[Found]:
    names = BASIC if asked.part == "basic" else COMPOUND
    for number, line in text_lines(lists):
        where = f"{lists.name}, line {number}"
        name, _, code = line.partition(" ")
        if not code:
            raise HarnessError(
                f"{where}: {line!r} is not `picture code`", hint="get the file again"
            )
        if not name.startswith(asked.split):
            continue
        stem = Path(name).stem
        picture = root / "Image" / asked.pictures / name
        if asked.pictures == "aligned":
            picture = picture.with_name(f"{stem}_aligned.jpg")
        yield DatasetEntry(
            id=name,
            medium=picture,
            values={"emotion": label_of(code, names, where=where)},
            notes=_attributes(
                root / "Annotation" / "manual" / f"{stem}_manu_attri.txt",
                landmarks=asked.pictures == "original",
            ),
        )


def _attributes(file: Path, *, landmarks: bool) -> dict[str, Scalar]:
    """Gender, race and age group from the last three lines, below five landmarks, which are those of the original
    picture."""
    if not file.is_file():
        return {}
    lines = [line for _, line in text_lines(file)]
    if len(lines) < 3:
        return {}
    tables = (("gender", GENDER), ("race", RACE), ("age_group", AGE))
    found: dict[str, Scalar] = {
        name: label_of(c, t, where=file.name)
        for (name, t), c in zip(tables, lines[-3:], strict=True)
    }
    return {**found, "landmarks": " ".join(lines[:5])} if landmarks and len(lines) == 8 else found
