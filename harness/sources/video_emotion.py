"""Dynamic expressions in the wild: DFEW, FERV39k and MAFW, as folders of frames.

DFEW: Jiang et al., ACM MM 2020 (five folds; WAR and UAR as fold mean and pooled). FERV39k: Wang et
al., CVPR 2022. MAFW: Liu et al., ACM MM 2022 (five folds). Votes and labels are read from the workbooks that the
sets ship (openpyxl: the extra `workbooks`). No identities are released: the clip is the unit of resampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.answers.vocabulary import canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import VOTES, Source
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    clip_at,
    existing,
    first_existing,
    label_of,
    text_lines,
)
from harness.sources.options import read_options
from harness.sources.rows import open_columns
from harness.sources.workbook import lines

DFEW: Mapping[str, str] = {
    "1": "happiness", "2": "sadness", "3": "neutral", "4": "anger", "5": "surprise",
    "6": "disgust", "7": "fear",
}  # fmt: skip
NOT_SINGLE = "not single-labelled (code 0)"
MAFW_11 = (
    "anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "contempt",
    "anxiety", "helplessness", "disappointment",
)  # fmt: skip
MAFW: Mapping[str, str] = {str(number): label for number, label in enumerate(MAFW_11, 1)}
MAFW_COUNTS: Mapping[str, int] = dict(
    zip(MAFW_11, (1390, 639, 625, 1242, 1138, 1470, 1072, 236, 916, 262, 182), strict=True)
)
MAFW_LABELS = ("Labels/single-set.xlsx", "Labels/single-set.csv")
MAFW_COLUMNS = ("single_label", "label")
MAFW_VIDEOS = ("data/clips/unzip", "data/clips", "clips")
"""Folders of the clips as video files, below the root, looked into where there are no frames."""
FOLDS = ("1", "2", "3", "4", "5")
ANNOTATION = ("Annotation/annotation.xlsx", "Annotation/annotation.csv")
_VOTE_COLUMNS = ("1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear")


class DfewOptions(DatasetOptions):
    """Options of DFEW."""

    split: Literal["train", "test"] = "test"
    """The part of the set that is read."""
    fold: Literal["all", "1", "2", "3", "4", "5"] = "all"
    """One fold, or the five test sets together: each clip is in one, and `fold` is an annotation."""
    clips: str = "Clip/clip_224x224"
    """Folder of the frame folders, below the root."""
    votes: str | None = "auto"
    """The workbook of the ten votes (order, 1happy, ..., 7fear), or a CSV of it, below the root; `auto`:
    Annotation/annotation.xlsx where it is there; null: none."""


def open_dfew(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over single-labelled clips. Raises HarnessError where a split list is missing."""
    asked = read_options(DfewOptions, options, family="dfew")
    if asked.fold == "all" and asked.split == "train":
        raise HarnessError(
            "source.fold: the five training sets overlap",
            hint="choose one fold: --set source.fold=1",
        )
    root = base / asked.root
    folds = FOLDS if asked.fold == "all" else (asked.fold,)
    folder = root / "EmoLabel_DataSplit" / f"{asked.split}(single-labeled)"
    lists = [
        existing(
            folder / f"set_{fold}.csv",
            hint="set source.root to the folder with EmoLabel_DataSplit/ and Clip/",
        )
        for fold in folds
    ]
    votes = _votes_file(root, base, asked.votes)
    return DatasetSource(
        lambda: _dfew_entries(root, lists, asked, votes), asked, fields, offers=("emotion",),
        files=lists if votes is None else [*lists, votes],
    )  # fmt: skip


def _dfew_entries(
    root: Path, lists: list[Path], asked: DfewOptions, votes: Path | None
) -> Iterator[Found]:
    cast = {} if votes is None else _dfew_votes(votes)
    for file in lists:
        for row in open_columns(file, "label", "video_name"):
            code = str(row.cells["label"]).strip().removesuffix(".0")
            name = str(row.cells["video_name"]).strip().removesuffix(".0").removesuffix(".mp4")
            if code == "0":
                yield NOT_SINGLE
                continue
            fold = file.stem.removeprefix("set_")
            notes: dict[str, Scalar] = {"fold": fold, **cast.get(name, {})}
            yield DatasetEntry(
                name, _dfew_clip(root, asked.clips, name),
                {"emotion": label_of(code, DFEW, where=row.where)}, notes, clip=True,
            )  # fmt: skip


def _dfew_clip(root: Path, clips: str, name: str) -> Path:
    """The frames of a clip, `00001`, or its video, `1.mp4`, which the set hands out in several parts."""
    parts = [root / "original", root / "Clip" / "original", root / clips]
    parts += [part for folder in parts[:2] for part in sorted(folder.glob("part_*"))]
    return clip_at(root / clips / name.zfill(5), *(part / name for part in parts))


def _votes_file(root: Path, base: Path, asked: str | None) -> Path | None:
    if asked is None:
        return None
    if asked == "auto":
        return next((path for name in ANNOTATION if (path := root / name).is_file()), None)
    return first_existing(
        [root / asked, base / asked],
        hint="name the file, relative to source.root, or use --set source.votes=null",
    )


def _dfew_votes(file: Path) -> dict[str, dict[str, Scalar]]:
    """Clip -> votes by label."""
    return {
        line.text("order").removesuffix(".mp4"): {
            VOTES + DFEW[column[0]]: int(float(line.get(column) or 0)) for column in _VOTE_COLUMNS
        }
        for line in lines(file, ("order", *_VOTE_COLUMNS))
    }


class Ferv39kOptions(DatasetOptions):
    """Options of FERV39k."""

    split: Literal["train", "test"] = "test"
    """The part of the set that is read."""
    scene: str = "All"
    """`All`, or one of the 22 scenes (`Action`, `Crime`...)."""


def open_ferv39k(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over lines `Scene/Emotion/clip Emotion`. Raises HarnessError."""
    asked = read_options(Ferv39kOptions, options, family="ferv39k")
    root = base / asked.root
    name = f"{asked.split}_{asked.scene}.csv"
    lists = first_existing(
        [root / "4_setups" / "All_scenes" / name, root / "4_setups" / asked.scene / name,
         *sorted((root / "4_setups").rglob(name))],
        hint="set source.root to the folder with 4_setups/ and 2_ClipsforFaceCrop/; "
            "source.scene names a scene",
    )  # fmt: skip
    return DatasetSource(
        lambda: _ferv39k_entries(root, lists), asked, fields, offers=("emotion",), files=[lists]
    )


def _ferv39k_entries(root: Path, lists: Path) -> Iterator[Found]:
    names = canonicaliser(tuple(DFEW.values()))
    for number, line in text_lines(lists):
        place, _, spelt = line.rpartition(" ")
        label = names.label(spelt)
        if not place or label is None:
            raise HarnessError(
                f"{lists.name}, line {number}: {line!r} is not `Scene/Emotion/clip Emotion`",
                hint="get the list again",
            )
        folder = clip_at(root / "2_ClipsforFaceCrop" / place, root / "1_VideoClips" / place)
        yield DatasetEntry(
            place, folder, {"emotion": label}, {"scene": place.partition("/")[0]}, clip=True
        )


class MafwOptions(DatasetOptions):
    """Options of MAFW."""

    split: Literal["train", "test"] = "test"
    """The part of the set that is read."""
    fold: Literal["all", "1", "2", "3", "4", "5"] = "all"
    """One fold of the set's own lists, or all clips: each is in one test list, and `fold` is an annotation."""
    labels: str = "auto"
    """The workbook of the labels, or a CSV of it, below the root; `auto`: Labels/single-set.xlsx or .csv."""
    name_column: str = "clip"
    """Column of the clip's name, by its number 1 to 11 or by its name."""
    label_column: str = "auto"
    """Column of its label, in the same way; `auto`: single_label or label."""
    clips: str = "data/frames"
    """Folder of the frame folders, below the root."""
    lists: str = "Train & Test Set/single/no_caption"
    """Folder of set_1 to set_5 with train.txt and test.txt, below the root; without it clips have no fold."""


def open_mafw(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over single-labelled clips. Raises HarnessError where the workbook, a column or a list is missing."""
    asked = read_options(MafwOptions, options, family="mafw")
    if asked.fold == "all" and asked.split == "train":
        raise HarnessError(
            "source.fold: the five training sets overlap",
            hint="choose one fold: --set source.fold=1",
        )
    root = base / asked.root
    table = first_existing(
        [root / name for name in (MAFW_LABELS if asked.labels == "auto" else (asked.labels,))],
        hint="set source.root to the folder with Labels/single-set.xlsx, or name the file in "
        "source.labels",
    )
    folder, whole = root / asked.lists, asked.fold == "all"
    folds: dict[str, Path] = {}
    if folder.is_dir() or not whole:
        folds = {
            fold: existing(
                folder / f"set_{fold}" / f"{asked.split}.txt",
                hint="set source.lists to the folder with set_1 to set_5",
            )
            for fold in (FOLDS if whole else (asked.fold,))
        }
    published = [
        Published("all", "emotion", MAFW_COUNTS, "the set's Labels/single-set.xlsx: 9,172 clips")
    ]
    return DatasetSource(
        lambda: _mafw_entries(root, table, folds, asked), asked, fields, offers=("emotion",),
        files=[table, *folds.values()], published=published if whole else (),
    )  # fmt: skip


def _mafw_entries(
    root: Path, table: Path, folds: Mapping[str, Path], asked: MafwOptions
) -> Iterator[Found]:
    names = {**MAFW, **{label: label for label in MAFW_11}}
    columns = MAFW_COLUMNS if asked.label_column == "auto" else (asked.label_column,)
    needed = [asked.name_column, *(columns if len(columns) == 1 else ())]
    fold_of = _mafw_folds(folds)
    for line in lines(table, needed):
        name = Path(line.text(asked.name_column)).stem
        code = line.text(*columns).lower()
        if not code:
            raise HarnessError(
                f"{line.where}: no label in {' or '.join(columns)}",
                hint=f"name its column in source.label_column: {', '.join(line.cells)}",
            )
        if code == "0":
            yield NOT_SINGLE
            continue
        if asked.fold != "all" and name not in fold_of:
            continue
        notes: dict[str, Scalar] = {"fold": fold_of[name]} if name in fold_of else {}
        label = label_of(code, names, where=line.where)
        folder = clip_at(root / asked.clips / name, *(root / part / name for part in MAFW_VIDEOS))
        yield DatasetEntry(name, folder, {"emotion": label}, notes, clip=True)


def _mafw_folds(files: Mapping[str, Path]) -> dict[str, str]:
    """Clip -> its fold, from lines `00001.mp4 anger`. Raises HarnessError where a clip is in two lists."""
    found: dict[str, str] = {}
    for fold, file in files.items():
        for number, line in text_lines(file):
            name = Path(line.partition(" ")[0]).stem
            if found.setdefault(name, fold) != fold:
                raise HarnessError(
                    f"{file}, line {number}: {name} is also in set_{found[name]}",
                    hint="get the lists again; each clip belongs to one test set",
                )
    return found
