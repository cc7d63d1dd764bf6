"""UTKFace: age, gender and race in the file's name, `[age]_[gender]_[race]_[time].jpg`.

It has no emotions: it serves questions about the sample and slices (Zhang, Song and Qi, CVPR 2017).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.dataset import DatasetEntry, DatasetOptions, DatasetSource, Found, existing
from harness.sources.options import read_options
from harness.sources.pictures import natural

GENDER: Mapping[str, str] = {"0": "male", "1": "female"}
RACE: Mapping[str, str] = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
MALFORMED = "file name without age, gender and race"
_NAME = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_")


def open_utkface(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the pictures below the root. Raises HarnessError where there is no such folder."""
    asked = read_options(DatasetOptions, options, family="utkface")
    root = existing(base / asked.root, hint="set source.root to the folder with the pictures")
    offers = ("age", "gender", "race")
    return DatasetSource(lambda: _entries(root), asked, fields, offers=offers, files=[])


def _entries(root: Path) -> Iterator[Found]:
    files = [path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES]
    for path in sorted(files, key=lambda file: natural(str(file))):
        found = _NAME.match(path.name)
        if found is None:
            yield MALFORMED
            continue
        yield DatasetEntry(
            id=path.relative_to(root).as_posix(),
            medium=path,
            values={
                "age": int(found["age"]),
                "gender": GENDER[found["gender"]],
                "race": RACE[found["race"]],
            },
        )
