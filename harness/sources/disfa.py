"""DISFA: intensities of twelve action units in every frame of 27 subjects' videos.

Mavadati et al., IEEE TAC 2013. One text file a subject and unit, lines `frame,intensity` (0 to 5).
A unit counts as present from intensity 2, as most of the literature has it; `present` changes that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveInt

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    first_existing,
    text_lines,
)
from harness.sources.options import read_options

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
INCOMPLETE = "frame that is not in every unit's file"


class DisfaOptions(DatasetOptions):
    """Options of DISFA."""

    picture: str = "Images/{subject}/{frame}.jpg"
    """Where a frame's picture lies below the root, as it was taken from the video."""
    present: int = Field(default=2, ge=1, le=5)
    """Least intensity at which a unit counts as present."""
    every: PositiveInt = 20
    """Take every n-th frame: neighbouring frames are all but equal."""


def open_disfa(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the frames of all subjects. Raises HarnessError where no label file is found."""
    asked = read_options(DisfaOptions, options, family="disfa")
    root = base / asked.root
    folder = first_existing(
        [root / name for name in ("ActionUnit_Labels", "Labels", "ActionUnit")],
        hint="set source.root to the folder with ActionUnit_Labels/",
    )
    files = sorted(folder.glob("*/*_au*.txt"))
    return DatasetSource(
        lambda: _entries(root, files, asked), asked, fields, offers=("action_units",), files=files
    )


def _entries(root: Path, files: list[Path], asked: DisfaOptions) -> Iterator[Found]:
    subjects: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        subjects[file.parent.name].append(file)
    for subject, own in subjects.items():
        coded: dict[int, dict[int, int]] = defaultdict(dict)
        for file in own:
            unit = int(file.stem.rpartition("au")[2])
            for frame, intensity in _intensities(file):
                coded[frame][unit] = intensity
        for frame in sorted(coded)[:: asked.every]:
            units = coded[frame]
            if set(units) != set(UNITS):
                yield INCOMPLETE
                continue
            shown = [f"AU{unit}" for unit in UNITS if units[unit] >= asked.present]
            notes: dict[str, Scalar] = {f"intensity.AU{u}": units[u] for u in UNITS}
            picture = asked.picture.replace("{subject}", subject).replace("{frame}", str(frame))
            yield DatasetEntry(
                f"{subject}/{frame}",
                root / picture,
                {"action_units": shown},
                notes,
                subject=subject,
            )


def _intensities(file: Path) -> Iterator[tuple[int, int]]:
    for number, line in text_lines(file):
        frame, _, intensity = line.partition(",")
        try:
            yield int(frame), int(intensity)
        except ValueError:
            raise HarnessError(
                f"{file}, line {number}: {line!r} is not `frame,intensity`",
                hint="get the file again",
            ) from None
