"""CelebA (Liu et al. 2015): forty attributes and the identity of each picture.

`list_attr_celeba.txt` holds the number of pictures, the forty names, then a line a picture with 1 and -1;
`identity_CelebA.txt` a picture and a number of its person; `list_eval_partition.txt` a picture and 0, 1 or 2 for train,
validation and test. Files lie in the root, in `Anno` or in `Eval`, pictures in `img_align_celeba` or `img_celeba`, perhaps
below `Img`. Layout after the data set's page and programs that read it.
"""

from __future__ import annotations

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
    names = _names(attributes)
    read = partial(
        _entries, root, attributes, names, persons=persons, parts=parts, split=asked.split
    )
    return DatasetSource(read, asked, fields, offers=names, files=files)


def _places(root: Path, name: str) -> list[Path]:
    return [root / folder / name for folder in ("", "Anno", "Eval")]


def _file(root: Path, name: str) -> Path:
    return first_existing(_places(root, name), hint=_HINT)


def _names(file: Path) -> tuple[str, ...]:
    """The attributes, from the second line."""
    lines = [
        line for _, line in zip(range(2), (text for _, text in text_lines(file)), strict=False)
    ]
    if len(lines) < 2 or not lines[0].isdigit():
        raise HarnessError(
            f"{file.name} does not begin with a number and a line of names",
            hint="get the file again",
        )
    return tuple(lines[1].split())


def _table(file: Path) -> dict[str, str]:
    """Picture -> the word behind it."""
    found = {}
    for number, line in text_lines(file):
        parts = line.split()
        if len(parts) != 2:
            raise HarnessError(
                f"{file.name}, line {number}: {line[:80]!r} is no picture and number",
                hint="get the file again",
            )
        found[parts[0]] = parts[1]
    return found


def _entries(
    root: Path, attributes: Path, names: tuple[str, ...], *, persons: Path | None, parts: Path | None, split: str
) -> Iterator[Found]:  # fmt: skip
    who = {} if persons is None else _table(persons)
    part = {} if parts is None else _table(parts)
    folder = next((root / name for name in _FOLDERS if (root / name).is_dir()), root / _FOLDERS[0])
    for number, line in text_lines(attributes):
        if number <= 2:
            continue
        picture, *values = line.split()
        if (
            len(values) != len(names)
            or not set(values) <= {"1", "-1"}
            or Path(picture).name != picture
        ):
            raise HarnessError(
                f"{attributes.name}, line {number}: not a picture with {len(names)} values of 1 and -1",
                hint="get the file again",
            )
        if part and SPLITS.get(part.get(picture, ""), "") != split:
            continue
        yield DatasetEntry(
            id=picture,
            medium=folder / picture,
            values={n: "yes" if v == "1" else "no" for n, v in zip(names, values, strict=True)},
            subject=who.get(picture),
        )
