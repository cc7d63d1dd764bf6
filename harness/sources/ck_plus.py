"""CK+: posed sequences from neutral to the peak (Lucey et al., CVPR Workshops 2010).

Only sequences with an emotion file are labelled. The last frame is the peak; with `first: true` the
first frame of each sequence is a neutral sample of the same subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    existing,
    label_of,
    text_lines,
)
from harness.sources.options import read_options
from harness.sources.pictures import natural

LABELS: Mapping[str, str] = {
    "0": "neutral", "1": "anger", "2": "contempt", "3": "disgust", "4": "fear", "5": "happiness",
    "6": "sadness", "7": "surprise",
}  # fmt: skip
NO_FRAMES = "labelled sequence without frames"
_COUNTS = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28,
           "surprise": 83}  # fmt: skip
_PUBLISHED = Published("all", "emotion", _COUNTS, "Lucey et al., 2010, table 3 (327 sequences)")


class CkOptions(DatasetOptions):
    """Options of CK+."""

    first: bool = False
    """Also the first frame of each labelled sequence, as neutral."""
    sequence: bool = False
    """The whole sequence as a clip instead of its last frame."""


def open_ck_plus(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the labelled sequences. Raises HarnessError where a folder is missing."""
    asked = read_options(CkOptions, options, family="ck-plus")
    root = base / asked.root
    hint = "set source.root to the folder with cohn-kanade-images/, Emotion/ and FACS/"
    existing(root / "cohn-kanade-images", hint=hint)
    files = sorted(existing(root / "Emotion", hint=hint).rglob("*_emotion.txt"))
    return DatasetSource(
        lambda: _entries(root, files, asked), asked, fields, offers=("emotion", "action_units"),
        files=files, published=[] if asked.first else [_PUBLISHED],
    )  # fmt: skip


def _entries(root: Path, files: list[Path], asked: CkOptions) -> Iterator[Found]:
    for file in files:
        subject, sequence = file.parent.parent.name, file.parent.name
        code = float(next(text_lines(file))[1])
        label = label_of(int(code), LABELS, where=str(file))
        folder = root / "cohn-kanade-images" / subject / sequence
        frames = [p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES]
        if not frames:
            yield NO_FRAMES
            continue
        frames.sort(key=lambda path: natural(path.name))
        units = _units(root / "FACS" / subject / sequence)
        values = {"emotion": label} | ({} if units is None else {"action_units": units})
        name = f"{subject}/{sequence}"
        yield DatasetEntry(
            name, folder if asked.sequence else frames[-1], values, subject=subject,
            clip=asked.sequence,
        )  # fmt: skip
        if asked.first:
            yield DatasetEntry(f"{name}/first", frames[0], {"emotion": "neutral"}, subject=subject)


def _units(folder: Path) -> list[str] | None:
    """Action units of the peak, `AU1` form; None where the sequence was not coded."""
    file = next(iter(sorted(folder.glob("*_facs.txt"))), None)
    if file is None:
        return None
    units = []
    for number, line in text_lines(file):
        try:
            units.append(f"AU{int(float(line.split()[0]))}")
        except (ValueError, IndexError):
            raise HarnessError(
                f"{file}, line {number}: {line!r} is not `unit intensity`",
                hint="get the file again",
            ) from None
    return units
