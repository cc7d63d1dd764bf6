"""BLEMORE: actors who express one emotion or a blend of two, with the salience of each (Zenodo 17787362, arXiv 2601.13225).

Columns of train_metadata.csv (filename, emotion_1, emotion_2, their saliences, fold) and how a name tells emotions,
saliences and actor (`A411_mix_ang_hap_30_70_ver1`) were read in the code of github.com/BlEmoRe/blemore-common. The test
clips have no labels (`test_0001.mov` in the challenge's template). Where the archives put the videos was not seen:
they are looked for by name anywhere below the root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.media.video_file import VIDEO_SUFFIXES
from harness.sources.cells import is_blank, plain
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
from harness.sources.row import TableRow
from harness.sources.rows import open_columns

CODES: Mapping[str, str] = {
    "ang": "anger", "disg": "disgust", "fea": "fear", "hap": "happiness", "sad": "sadness", "neu": "neutral",
}  # fmt: skip
_SPLITS = {"train": "train_metadata.csv", "test": "test_metadata.csv"}
_ACTOR = re.compile(r"[A-Z]+\d+(?=_)")
_TEST = re.compile(r"test_\d+")
_PARTS = re.compile(r"_(?:int|sit)(\d)")


class BlemoreOptions(DatasetOptions):
    """Options of BLEMORE."""

    split: Literal["train", "test"] = "train"
    """`train`: labelled, in five folds by actor; `test`: the challenge's clips, without labels."""
    fold: Literal["all", "0", "1", "2", "3", "4"] = "all"
    """Of the training clips: one fold of the challenge, or all; `fold` is an annotation."""


def open_blemore(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over one split. Raises HarnessError where its table is not there, or no test clip is."""
    asked = read_options(BlemoreOptions, options, family="blemore")
    root = base / asked.root
    offers = ("emotion", "emotions")
    if asked.split == "test":
        existing(
            root, hint="download zenodo.org/records/17787362 and set source.root to its folder"
        )
        if asked.fold != "all":
            raise HarnessError("source.fold: test clips have no folds", hint="leave it out")
        return DatasetSource(
            lambda: _test_clips(root), asked, fields, offers=offers, files=(), unlabelled=True
        )
    table = existing(
        root / _SPLITS["train"],
        hint="download zenodo.org/records/17787362 and set source.root to the folder with train_metadata.csv",
    )
    whole = Published("train", "emotions", {"": 2456}, "the challenge's page: 47 actors")
    return DatasetSource(
        lambda: _train_clips(root, table, asked.fold), asked, fields, offers=offers, files=[table],
        published=[whole] if asked.fold == "all" else (),
    )  # fmt: skip


def videos_below(root: Path) -> dict[str, Path]:
    """Name without its extension -> the video, the first by path of each name."""
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            found.setdefault(path.stem, path)
    return found


def _test_clips(root: Path) -> Iterator[Found]:
    for name, path in videos_below(root).items():
        if _TEST.fullmatch(name):
            yield DatasetEntry(path.name, path, {}, {"filename": path.name}, clip=True)


def _train_clips(root: Path, table: Path, fold: str) -> Iterator[Found]:
    rows = open_columns(table, "filename", "emotion_1", "fold")
    videos = videos_below(root)
    for row in rows:
        name = re.sub(r"\.\w{2,4}$", "", plain(row.cells["filename"]))
        own = plain(row.cells["fold"]).removesuffix(".0")
        if fold not in {"all", own}:
            continue
        shares = salience(row)
        actor = _ACTOR.match(name)
        level = _PARTS.search(name)
        notes: dict[str, Scalar] = {
            "filename": name, "fold": own, "blend": "yes" if len(shares) == 2 else "no",
            "soft_label": json.dumps({emotion: share / 100 for emotion, share in shares.items()}),
        }  # fmt: skip
        if len(shares) == 2:
            notes["salience"] = "/".join(
                str(round(s)) for s in sorted(shares.values(), reverse=True)
            )
        if level:
            notes["level"] = level[0].strip("_")
        yield DatasetEntry(
            name, videos.get(name, root / f"{name}.mov"), {"emotion": _leading(shares), "emotions": sorted(shares)},
            notes, subject=actor[0] if actor else None, clip=True,
        )  # fmt: skip


def _leading(shares: Mapping[str, float]) -> str | None:
    """The emotion with the greatest salience; None where two have it."""
    first = max(shares.values())
    leading = [emotion for emotion, share in shares.items() if share == first]
    return leading[0] if len(leading) == 1 else None


def salience(row: TableRow) -> dict[str, float]:
    """Emotion -> per cent, one emotion or two. Raises HarnessError naming the row."""
    found: dict[str, float] = {}
    for number in (1, 2):
        emotion = row.cells.get(f"emotion_{number}")
        if emotion is None or is_blank(emotion):
            continue
        told = row.cells.get(f"emotion_{number}_salience")
        try:
            share = 100.0 if told is None or is_blank(told) else float(plain(told))
        except ValueError:
            share = -1.0
        label = label_of(emotion, CODES, where=row.where)
        if not 0 < share <= 100 or label in found:
            raise HarnessError(
                f"{row.where}: emotion {number} is {plain(emotion)!r} with salience {told!r}",
                hint="an emotion is named once, with a salience from 0 to 100",
            )
        found[label] = share
    if len(found) == 2 and abs(sum(found.values()) - 100) > 0.5:
        raise HarnessError(f"{row.where}: saliences do not add up to 100", hint="correct the row")
    if not found:
        raise HarnessError(f"{row.where}: no emotion", hint="correct the row")
    return found
