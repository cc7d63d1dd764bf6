"""AffectNet as distributed: the CSV release, and the eight-label release of pictures and .npy files.

Codes 0 to 7 are expressions, 8 to 10 are none, uncertain and non-face (Mollahosseini et al., 2017,
arXiv 1708.03985, table 2). Valence and arousal of -2 mean that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

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
    existing,
    label_of,
)
from harness.sources.options import read_options
from harness.sources.pictures import natural
from harness.sources.rows import open_columns

LABELS: Mapping[str, str] = {
    "0": "neutral", "1": "happiness", "2": "sadness", "3": "surprise", "4": "fear", "5": "disgust",
    "6": "anger", "7": "contempt", "8": "none", "9": "uncertain", "10": "non-face",
}  # fmt: skip
OFFERS = ("emotion", "valence", "arousal")
_BOX = ("face_x", "face_y", "face_width", "face_height")
_POINTS = "facial_landmarks"
_PUBLISHED = Published(
    "validation", "emotion", dict.fromkeys(list(LABELS.values())[:8], 500), "arXiv 1708.03985"
)


class AffectNetOptions(DatasetOptions):
    """Options of AffectNet."""

    split: Literal["training", "validation"] = "validation"
    """The part of the set that is read."""


def open_affectnet(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over either release, told apart by what lies under the root. Raises HarnessError."""
    asked = read_options(AffectNetOptions, options, family="affectnet")
    root = existing(
        base / asked.root, hint="set source.root to the folder where AffectNet was unpacked"
    )
    lists = root / "Manually_Annotated_file_lists" / f"{asked.split}.csv"
    published = [_PUBLISHED] if asked.split == "validation" else []
    if lists.is_file():
        return DatasetSource(
            lambda: _csv_entries(root, lists), asked, fields, offers=OFFERS, files=[lists],
            published=published,
        )  # fmt: skip
    folder = root / ("val_set" if asked.split == "validation" else "train_set")
    existing(
        folder / "annotations",
        hint=f"AffectNet needs {lists.relative_to(root)} (CSV release) or val_set/annotations "
        "and train_set/annotations (eight-label release) under source.root",
    )
    return DatasetSource(
        lambda: _npy_entries(folder), asked, fields, offers=OFFERS, files=[], published=published
    )


def _csv_entries(root: Path, lists: Path) -> Iterator[Found]:
    pictures = root / "Manually_Annotated_Images"
    needed = ("subDirectory_filePath", "expression", "valence", "arousal")
    for row in open_columns(lists, *needed):
        cells = row.cells
        name = str(cells["subDirectory_filePath"])
        yield DatasetEntry(
            id=name,
            medium=pictures / name,
            values=_values(cells["expression"], cells["valence"], cells["arousal"], row.where),
            notes=_marks(cells),
        )


def _marks(cells: Mapping[str, Any]) -> dict[str, Scalar]:
    """The face's box and its 68 landmarks, where the row has them."""
    notes: dict[str, Scalar] = {
        key: _number(cells[key]) for key in _BOX if cells.get(key) not in (None, "")
    }
    points = cells.get(_POINTS)
    return {**notes, _POINTS: str(points)} if points not in (None, "") else notes


def _npy_entries(folder: Path) -> Iterator[Found]:
    files = sorted((folder / "annotations").glob("*_exp.npy"), key=lambda path: natural(path.name))
    for file in files:
        stem = file.name.removesuffix("_exp.npy")
        code, valence, arousal = (
            _scalar(file.with_name(f"{stem}_{part}.npy")) for part in ("exp", "val", "aro")
        )
        picture = folder / "images" / f"{stem}.jpg"
        points = _npy_points(file.with_name(f"{stem}_lnd.npy"))
        yield DatasetEntry(
            picture.name, picture, _values(code, valence, arousal, str(file)), points
        )


def _values(code: Any, valence: Any, arousal: Any, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {"emotion": label_of(code, LABELS, where=where)}
    for name, cell in (("valence", valence), ("arousal", arousal)):
        number = _number(cell)
        values[name] = None if number == -2 else number
    return values


def _npy_points(file: Path) -> dict[str, Scalar]:
    """The 68 landmarks of an .npy file, where there is one."""
    if not file.is_file():
        return {}
    try:
        points = np.load(file, allow_pickle=False).astype(np.float64).reshape(-1)
    except (OSError, ValueError) as error:
        raise HarnessError(f"{file} has no landmarks: {error}", hint="get the file again") from None
    return {_POINTS: " ".join(f"{number:g}" for number in points)}


def _scalar(file: Path) -> str:
    """The one value of an .npy file, which may be stored as text. Raises HarnessError."""
    try:
        return str(np.load(file, allow_pickle=False).reshape(-1)[0])
    except (OSError, ValueError, IndexError) as error:
        raise HarnessError(
            f"{file} does not hold a single value: {error}", hint="get the file again"
        ) from None


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        raise HarnessError(
            f"AffectNet: {cell!r} is not a number", hint="correct the cell"
        ) from None
