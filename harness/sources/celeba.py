"""CelebA (Liu et al. 2015): forty attributes and the identity of each picture.

`list_attr_celeba.txt` holds the number of pictures, the forty names, then a line a picture with 1 and -1;
`identity_CelebA.txt` a picture and a number of its person; `list_eval_partition.txt` a picture and 0, 1 or 2 for train,
validation and test. Files lie in the root, in `Anno` or in `Eval`, pictures in `img_align_celeba` or `img_celeba`, perhaps
below `Img`. Copies with tables of commas (`list_attr_celeba.csv`, a header and no number) are read too. Layout after the
data set's page and programs that read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    existing,
    first_existing,
    text_lines,
)
from harness.sources.options import read_options

SPLITS: Mapping[str, str] = {"0": "train", "1": "validation", "2": "test"}
_FOLDERS = (
    "img_align_celeba", "Img/img_align_celeba", "img_align_celeba/img_align_celeba", "img_celeba", "Img/img_celeba",
)  # fmt: skip
_HINT = "set source.root to the folder of CelebA with its annotation files"


class CelebaOptions(DatasetOptions):
    """Options of CelebA."""

    split: Literal["train", "validation", "test", "all"] = "test"
    """The part by the set's own partition."""


def open_celeba(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the pictures; a value for each attribute, `yes` or `no`, named as in the file (`Smiling`).

    The subject is the identity, where the file of identities is there. Raises HarnessError where a file is missing.
    """
    asked = read_options(CelebaOptions, options, family="celeba")
    root = existing(base / asked.root, hint=_HINT)
    attributes = _file(root, "list_attr_celeba.txt")
    files = [attributes]
    persons = next((p for p in _places(root, "identity_CelebA.txt") if p.exists()), None)
    files += [] if persons is None else [persons]
    parts = None
    if asked.split != "all":
        parts = _file(root, "list_eval_partition.txt")
        files.append(parts)
    _, names = _header(attributes)
    read = partial(
        _entries, root, attributes, names, persons=persons, parts=parts, split=asked.split
    )
    return DatasetSource(read, asked, fields, offers=names, files=files)


def _places(root: Path, name: str) -> list[Path]:
    return [root / folder / name for folder in ("", "Anno", "Eval")]


def _file(root: Path, name: str) -> Path:
    """A file of the set; where it is not there, the table of commas that copies of the set have in its place."""
    places = _places(root, name)
    table = [place.with_suffix(".csv") for place in places]
    if not any(place.exists() for place in places) and any(place.exists() for place in table):
        places = table
    return first_existing(places, hint=_HINT)


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, its words); a table of commas has no line with the number of pictures."""
    for number, line in text_lines(file):
        yield (
            number,
            [w.strip() for w in line.split(",")] if file.suffix == ".csv" else line.split(),
        )


def _header(file: Path) -> tuple[int | None, tuple[str, ...]]:
    """The number of pictures that the file promises, and the attributes."""
    lines = [row for _, (_, row) in zip(range(2), _rows(file), strict=False)]
    if file.suffix == ".csv":
        counted, names = None, lines[0][1:] if lines else []
    else:
        first = lines[0] if lines else []
        if len(lines) < 2 or len(first) != 1 or not re.fullmatch("[0-9]{1,9}", first[0]):
            raise HarnessError(
                f"{file.name} does not begin with a number and a line of names",
                hint="get the file again",
            )
        counted, names = int(first[0]), lines[1]
    if not names or len(set(names)) != len(names):
        raise HarnessError(
            f"{file.name} names no attributes, or one of them twice", hint="get the file again"
        )
    return counted, tuple(names)


def _table(file: Path) -> dict[str, str]:
    """Picture -> the word behind it."""
    found = {}
    for number, parts in _rows(file):
        if number == 1 and file.suffix == ".csv":
            continue
        if len(parts) != 2:
            raise HarnessError(
                f"{file.name}, line {number}: {' '.join(parts)[:80]!r} is no picture and number",
                hint="get the file again",
            )
        found[parts[0]] = parts[1]
    return found


def _entries(
    root: Path, attributes: Path, names: tuple[str, ...], *, persons: Path | None, parts: Path | None, split: str
) -> Iterator[Found]:  # fmt: skip
    who = {} if persons is None else _table(persons)
    part = None if parts is None else _partition(parts)
    folder = next((root / name for name in _FOLDERS if (root / name).is_dir()), root / _FOLDERS[0])
    promised, seen = _header(attributes)[0], 0
    for number, row in _rows(attributes):
        if number <= (1 if attributes.suffix == ".csv" else 2):
            continue
        picture, *values = row
        if (
            len(values) != len(names)
            or not set(values) <= {"1", "-1"}
            or Path(picture).name != picture
        ):
            raise HarnessError(
                f"{attributes.name}, line {number}: not a picture with {len(names)} values of 1 and -1",
                hint="get the file again",
            )
        seen += 1
        if part is not None and picture not in part:
            raise HarnessError(
                f"{picture} is in {attributes.name} and in no part of list_eval_partition",
                hint="get the files again, or set source.split to all",
            )
        if part is not None and part[picture] != split:
            continue
        yield DatasetEntry(
            id=picture,
            medium=folder / picture,
            values={n: "yes" if v == "1" else "no" for n, v in zip(names, values, strict=True)},
            subject=who.get(picture),
        )
    if promised is not None and seen != promised:
        raise HarnessError(
            f"{attributes.name} holds {seen} pictures, and its first line promises {promised}",
            hint="get the file again; of a part that you cut out yourself, write the number of pictures into the first line",
        )


def _partition(file: Path) -> dict[str, str]:
    """Picture -> train, validation or test."""
    found = _table(file)
    strange = next((word for word in found.values() if word not in SPLITS), None)
    if strange is not None:
        raise HarnessError(f"{file.name}: {strange!r} is no part", hint="parts are 0, 1 and 2")
    return {picture: SPLITS[word] for picture, word in found.items()}
