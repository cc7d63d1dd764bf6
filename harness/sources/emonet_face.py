"""EmoNet-Face: synthetic photoreal faces, 40 emotions, and what each annotator said of them (arXiv 2505.20033, CC BY 4.0).

Two parts are read, each as it is distributed:

- `hq`: the Hugging Face data set laion/emonet-face-hq, downloaded: Parquet files with the columns `path` (the picture)
  and `label` (a text that lists, for each annotator, intensities from 0 to 7 by `Family|Emotion`; an emotion that is
  left out has intensity 0). The columns were read in public code that evaluates on the set, not in the files.
- `binary`: `data/binary.csv` of the repository LAION-AI/emonet-face (path, annotator, value, emotion; one row an
  annotator, read there and counted: 65,686 rows, 19,999 pictures), and a folder of the pictures under those names.
  How the pictures of laion/emonet-face-binary are packed was not seen.

The 40 names are those of data/guide.json; binary.csv writes Hopelessness for Helplessness.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from statistics import fmean
from types import MappingProxyType
from typing import Any, Literal

from harness.answers.vocabulary import VOCABULARIES
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.picture import Picture
from harness.core.sample import Scalar
from harness.core.source import VOTES, Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.cells import is_blank, plain
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    existing,
    first_existing,
)
from harness.sources.options import read_options
from harness.sources.rows import open_columns

EMOTIONS: tuple[str, ...] = VOCABULARIES["emonet-40"]
_OTHER_NAMES: Mapping[str, str] = MappingProxyType({"hopelessness": "helplessness"})
HIGHEST = 7
"""The strongest intensity."""
UNDECIDED = "annotators are equally divided"
NO_RATING = "no annotator's rating"
_LONGEST = 200_000
"""Characters of one cell of ratings."""


def field_name(emotion: str) -> str:
    """`jealousy_envy` for `jealousy & envy`: the name of an emotion as a field of a task."""
    return re.sub(r"[^a-z]+", "_", emotion).strip("_")


FIELDS: Mapping[str, str] = MappingProxyType({field_name(one): one for one in EMOTIONS})
"""Field -> emotion."""


class EmoNetOptions(DatasetOptions):
    """Options of EmoNet-Face."""

    part: Literal["hq", "binary"] = "hq"
    """`hq`: 2,500 pictures, intensities of 40 emotions by experts; `binary`: whether one emotion is present."""
    pictures: str = "images"
    """Of `binary`: the folder of the pictures, below the root, with files named as `path` in binary.csv."""


def open_emonet_face(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over one part. Raises HarnessError where its files are not there."""
    asked = read_options(EmoNetOptions, options, family="emonet-face")
    root = base / asked.root
    if asked.part == "binary":
        table = first_existing(
            [root / "binary.csv", root / "data" / "binary.csv"],
            hint="set source.root to the folder with binary.csv (github.com/LAION-AI/emonet-face, data/)",
        )
        return DatasetSource(
            lambda: _questions(root / asked.pictures, table), asked, fields, offers=("answer",), files=[table],
        )  # fmt: skip
    existing(root, hint="download laion/emonet-face-hq and set source.root to its folder")
    files = sorted(root.rglob("*.parquet"))
    if not files:
        raise HarnessError(
            f"no Parquet file below {root}",
            hint="download laion/emonet-face-hq and set source.root to its folder",
        )
    return DatasetSource(
        lambda: _faces(root), asked, fields, offers=("emotions", *FIELDS), files=files,
        published=[Published("hq", next(iter(fields), ""), {"": 2500}, "the set's page")],
    )  # fmt: skip


def _faces(root: Path) -> Iterator[Found]:
    """Pictures with what experts said of all emotions, in the order of the data set."""
    from harness.sources.hub import HubOptions, load, picture_columns, stored, undecoded

    data = undecoded(load(HubOptions(path=str(root.resolve()), split="train"), Path()))
    missing = [name for name in ("path", "label") if name not in data.features]
    if missing:
        raise HarnessError(
            f"the Parquet files below {root} have no column {missing[0]!r}",
            hint=f"columns: {', '.join(data.features)}; laion/emonet-face-hq has path and label",
        )
    media = picture_columns(data.features)
    for row in stored(data, media, root.name):
        experts = ratings_of(row.cells["label"], where=row.where)
        if not experts:
            yield NO_RATING
            continue
        means = {name: fmean(rated[name] for rated in experts.values()) for name in EMOTIONS}
        shown = {rater: [e for e in EMOTIONS if rated[e] > 0] for rater, rated in experts.items()}
        counts = {e: sum(e in names for names in shown.values()) for e in EMOTIONS}
        values: dict[str, Any] = {name: means[emotion] for name, emotion in FIELDS.items()}
        values["emotions"] = [e for e in EMOTIONS if counts[e] > len(experts) / 2]
        by_field = {
            name: {rater: rated[emotion] for rater, rated in experts.items()}
            for name, emotion in FIELDS.items()
        }
        yield DatasetEntry(
            f"hq/{row.number - 1:05d}", _picture(row.cells["path"], row.where), values,
            {"experts": len(experts)}, ratings={**by_field, "emotions": shown},
        )  # fmt: skip


def _picture(cell: Any, where: str) -> Picture:
    if not isinstance(cell, Picture):
        raise HarnessError(
            f"{where}: the column path holds no picture", hint="download the set again"
        )
    return cell


def ratings_of(cell: Any, *, where: str) -> dict[str, dict[str, float]]:
    """Annotator -> emotion -> intensity, 0 to 7, from a cell such as `[{'human-1': {'Family|Anger': 5}}]`.

    Names that begin with `Extra Dimensions|` are no emotions and left out, as the set's own code does. Raises
    HarnessError for another layout, an unknown emotion, and an intensity off the scale.
    """
    found: dict[str, dict[str, float]] = {}
    for entry in _parsed(cell, where):
        if not isinstance(entry, Mapping):
            raise HarnessError(f"{where}: label is not a list of annotators", hint=_AGAIN)
        for rater, told in entry.items():
            if told is None:  # a rater of other rows, where Parquet holds fields and no text
                continue
            if not isinstance(told, Mapping):
                raise HarnessError(f"{where}: the ratings of {rater} are no mapping", hint=_AGAIN)
            rated = found.setdefault(str(rater), dict.fromkeys(EMOTIONS, 0.0))
            for name, value in told.items():
                if value is not None and not str(name).startswith("Extra Dimensions|"):
                    rated[emotion_of(name, where=where)] = _intensity(value, where)
    return found


_AGAIN = "download the set again"


def _parsed(cell: Any, where: str) -> list[Any]:
    if isinstance(cell, str) and len(cell) <= _LONGEST:
        for read in (json.loads, ast.literal_eval):
            try:
                cell = read(cell)
                break
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    if not isinstance(cell, list):
        raise HarnessError(f"{where}: label is not a list of annotators", hint=_AGAIN)
    return cell


def emotion_of(name: Any, *, where: str) -> str:
    """`anger` for `Anger` and for `Negative High-Energy Emotions|Anger`. Raises HarnessError for another name."""
    short = plain(name).rpartition("|")[2].strip().lower()
    short = _OTHER_NAMES.get(short, short)
    if short not in EMOTIONS:
        raise HarnessError(
            f"{where}: {name!r} is not an emotion of this set",
            hint=f"emotions: {', '.join(EMOTIONS)}",
        )
    return short


def _intensity(value: Any, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= HIGHEST:
        raise HarnessError(f"{where}: {value!r} is no intensity from 0 to {HIGHEST}", hint=_AGAIN)
    return float(value)


def _questions(folder: Path, table: Path) -> Iterator[Found]:
    """Each picture with each emotion that annotators were asked about."""
    rows = open_columns(table, "path", "annotator", "value", "emotion")
    given: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        path, rater = plain(row.cells["path"]), plain(row.cells["annotator"])
        answer = _ANSWERS.get(plain(row.cells["value"]).lower())
        if not path or is_blank(row.cells["annotator"]) or answer is None:
            raise HarnessError(
                f"{row.where}: path, annotator or value (True or False) is missing", hint=_AGAIN
            )
        by_rater = given.setdefault((path, emotion_of(row.cells["emotion"], where=row.where)), {})
        if by_rater.setdefault(rater, answer) != answer:
            raise HarnessError(f"{row.where}: {rater} said both yes and no", hint=_AGAIN)
    files = _pictures_below(folder)
    for (path, emotion), by_rater in given.items():
        yes = sum(answer == "yes" for answer in by_rater.values())
        no = len(by_rater) - yes
        if yes == no:
            yield UNDECIDED
            continue
        notes: dict[str, Scalar] = {
            "emotion": emotion, "picture": path, VOTES + "yes": yes, VOTES + "no": no,
        }  # fmt: skip
        yield DatasetEntry(
            f"{path}/{field_name(emotion)}", _file_of(path, files, folder),
            {"answer": "yes" if yes > no else "no"}, notes, subject=path,
            question=f"Does this face show {emotion}?", ratings={"answer": by_rater},
        )  # fmt: skip


def _pictures_below(folder: Path) -> dict[str, list[Path]]:
    """Name without its ending -> the pictures of that name, by path."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in IMAGE_SUFFIXES:
            found.setdefault(file.stem, []).append(file)
    return found


def _file_of(path: str, files: Mapping[str, list[Path]], folder: Path) -> Path:
    """The picture that `path` names below the folder, else the only one of its name. Raises HarnessError for several."""
    if PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES:
        path = str(PurePosixPath(path).with_suffix(""))
    named = files.get(PurePosixPath(path).name, [])
    exact = [one for one in named if one.relative_to(folder).with_suffix("").as_posix() == path]
    found = exact or named
    if len(found) > 1:
        raise HarnessError(
            f"two pictures are named {path!r}: {found[0]} and {found[1]}",
            hint="set source.pictures to the folder of those that binary.csv names",
        )
    return found[0] if found else folder / f"{path}.png"


_ANSWERS: Mapping[str, str] = MappingProxyType(
    {"true": "yes", "1": "yes", "false": "no", "0": "no"}
)
