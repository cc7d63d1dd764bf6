"""StylisticBias: generated faces, and the same faces with one attribute edited (arXiv 2606.20527).

One folder a base face, `NAME/NAME.png` with `NAME_metadata.json` (`characteristics`: age, gender, ethnicity, body_type),
and beside it an edited picture each as `NAME_face_N_...png` or `NAME_body_N_...png` with a `..._metadata.json` whose
`characteristics.variation` holds the one attribute: read in the code that writes and judges them
(github.com/timo-cavelius/StylisticBias), not in the pictures on Hugging Face, whose packing and licence were not seen.
A picture of the whole body (`fashion_style`) differs from its base face in more than its clothes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from harness.core.edits import BASE_FACE, EDIT, EDIT_VALUE
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    existing,
)
from harness.sources.options import read_options

TRAITS = ("age", "gender", "ethnicity", "body_type")
"""What a base face was generated as."""
NO_PICTURE = "metadata without a picture"
NO_BASE = "face without its unedited picture"
_TAIL = "_metadata.json"
_LARGEST = 1 << 20
"""Bytes of one metadata file."""


class StylisticOptions(DatasetOptions):
    """Options of StylisticBias."""

    edits: tuple[str, ...] = ()
    """Attributes whose edits are read (`hair_color`, `eyewear`...); empty: all. Base faces are always read."""
    pictures: Literal["all", "face"] = "all"
    """`face`: without pictures of the whole body."""


def open_stylistic_bias(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over base faces and their edits; no picture has a true value. Raises HarnessError."""
    asked = read_options(StylisticOptions, options, family="stylistic-bias")
    root = existing(
        base / asked.root,
        hint="download shaghayegh/stylistic-bias-dataset from Hugging Face and set source.root to the folder with one "
        "folder for each face",
    )
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return DatasetSource(
        lambda: _entries(folders, asked), asked, fields, offers=tuple(fields), files=(), unlabelled=True,
        layout="one folder for each face",
    )  # fmt: skip


def _entries(folders: list[Path], asked: StylisticOptions) -> Iterator[Found]:
    known: set[str] = set()
    for folder in folders:
        files = sorted(folder.glob(f"*{_TAIL}"))
        base = _base_of(folder, files)
        if base is None:
            if files:
                yield NO_BASE
            continue
        traits = {
            name: str(value) for name, value in _characteristics(base).items() if name in TRAITS
        }
        for file in (base, *(one for one in files if one != base)):
            edit, value = ("", "") if file == base else _edit(file)
            known.add(edit)
            if edit and asked.edits and edit not in asked.edits:
                continue
            if asked.pictures == "face" and "_body_" in file.name:
                continue
            yield _entry(folder.name, file, traits, edit, value)
    unknown = [name for name in asked.edits if name not in known]
    if unknown:
        raise HarnessError(
            f"source.edits: no picture has {unknown[0]!r} edited",
            hint=f"attributes: {', '.join(sorted(known - {''}))}",
        )


def _entry(face: str, file: Path, traits: Mapping[str, str], edit: str, value: str) -> Found:
    stem = file.name.removesuffix(_TAIL)
    picture = next(
        (p for s in sorted(IMAGE_SUFFIXES) if (p := file.with_name(stem + s)).is_file()), None
    )
    if picture is None:
        return NO_PICTURE
    notes: dict[str, Scalar] = {**traits, BASE_FACE: face, EDIT: edit, EDIT_VALUE: value}
    return DatasetEntry(stem, picture, {}, notes, subject=face)


def _base_of(folder: Path, files: list[Path]) -> Path | None:
    """The metadata of the unedited face: named as the folder, else the first that is no edit."""
    own = folder / f"{folder.name}{_TAIL}"
    if own in files:
        return own
    return next((f for f in files if "_face_" not in f.name and "_body_" not in f.name), None)


def _characteristics(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("larger than 1 MB")
        found = json.loads(file.read_text(encoding="utf-8-sig")).get("characteristics", {})
        if isinstance(found, dict):
            return MappingProxyType(found)
        problem = "characteristics is no mapping"
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        problem = str(error)
    raise HarnessError(f"{file}: {problem}", hint="download the file again")


def _edit(file: Path) -> tuple[str, str]:
    """The one attribute that was edited, and its value. Raises HarnessError where it is not one."""
    variation = _characteristics(file).get("variation")
    if not isinstance(variation, Mapping) or len(variation) != 1:
        raise HarnessError(
            f"{file}: characteristics.variation does not name one attribute",
            hint="each edited picture differs from its base face in one attribute",
        )
    ((name, value),) = variation.items()
    return str(name), str(value)
