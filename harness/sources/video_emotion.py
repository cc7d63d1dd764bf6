"""Dynamic expressions in the wild: DFEW, FERV39k and MAFW, as folders of frames.

DFEW: Jiang et al., ACM MM 2020 (five folds; WAR and UAR as fold mean and pooled). FERV39k: Wang et
al., CVPR 2022. MAFW: Liu et al., ACM MM 2022. No identities are released: the clip is the unit of
resampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.answers import canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.sources.dataset import (
    VOTES,
    DatasetOptions,
    DatasetSource,
    Entry,
    Found,
    Published,
    existing,
    first_existing,
    label_of,
    text_lines,
)
from harness.sources.options import read_options
from harness.sources.rows import open_table

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
_VOTE_COLUMNS = ("1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear")


class DfewOptions(DatasetOptions):
    """Options of DFEW."""

    split: Literal["train", "test"] = "test"
    fold: Literal["all", "1", "2", "3", "4", "5"] = "all"
    """One fold, or the five test sets together: each clip is in one, and `fold` is an annotation."""
    clips: str = "Clip/clip_224x224"
    """Folder of the frame folders, below the root."""
    votes: str | None = None
    """A table of the ten votes (CSV of Annotation/annotation.xlsx: order, 1happy, ..., 7fear)."""


def open_dfew(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over single-labelled clips. Raises HarnessError where a split list is missing."""
    asked = read_options(DfewOptions, options, family="dfew")
    if asked.fold == "all" and asked.split == "train":
        raise HarnessError(
            "source.fold: the five training sets overlap", mend="name one fold: --set source.fold=1"
        )
    root = base / asked.root
    folds = ("1", "2", "3", "4", "5") if asked.fold == "all" else (asked.fold,)
    folder = root / "EmoLabel_DataSplit" / f"{asked.split}(single-labeled)"
    lists = [
        existing(folder / f"set_{fold}.csv", mend="source.root holds EmoLabel_DataSplit/ and Clip/")
        for fold in folds
    ]
    votes = None if asked.votes is None else base / asked.votes
    return DatasetSource(
        lambda: _dfew_entries(root, lists, asked, votes), asked, fields, offers=("emotion",),
        files=lists if votes is None else [*lists, votes],
    )  # fmt: skip


def _dfew_entries(
    root: Path, lists: list[Path], asked: DfewOptions, votes: Path | None
) -> Iterator[Found]:
    cast = {} if votes is None else _dfew_votes(votes)
    for file in lists:
        for row in open_table(file):
            code = str(row.cells["label"]).strip().removesuffix(".0")
            name = str(row.cells["video_name"]).strip().removesuffix(".0").removesuffix(".mp4")
            if code == "0":
                yield NOT_SINGLE
                continue
            fold = file.stem.removeprefix("set_")
            notes: dict[str, Scalar] = {"fold": fold, **cast.get(name, {})}
            yield Entry(
                name, root / asked.clips / name.zfill(5),
                {"emotion": label_of(code, DFEW, where=row.where)}, notes, clip=True,
            )  # fmt: skip


def _dfew_votes(file: Path) -> dict[str, dict[str, Scalar]]:
    """Clip -> votes by label."""
    found: dict[str, dict[str, Scalar]] = {}
    for row in open_table(file):
        cells = row.cells
        missing = [name for name in ("order", *_VOTE_COLUMNS) if name not in cells]
        if missing:
            raise HarnessError(
                f"{file}: no column {missing[0]!r}", mend="save Annotation/annotation.xlsx as CSV"
            )
        name = str(cells["order"]).strip().removesuffix(".0")
        found[name] = {
            VOTES + DFEW[column[0]]: int(float(cells[column] or 0)) for column in _VOTE_COLUMNS
        }
    return found


class Ferv39kOptions(DatasetOptions):
    """Options of FERV39k."""

    split: Literal["train", "test"] = "test"
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
        mend="source.root holds 4_setups/ and 2_ClipsforFaceCrop/; source.scene names a scene",
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
                mend="fetch the list again",
            )
        folder = root / "2_ClipsforFaceCrop" / place
        yield Entry(
            place, folder, {"emotion": label}, {"scene": place.partition("/")[0]}, clip=True
        )


class MafwOptions(DatasetOptions):
    """Options of MAFW. The list is a table (CSV of Labels/single-set.xlsx)."""

    labels: str = "Labels/single-set.csv"
    """Table below the root."""
    name_column: str = "clip"
    label_column: str = "label"
    """Columns of the clip's name and of its label, by number 1 to 11 or by name."""
    clips: str = "data/frames"
    """Folder of the frame folders, below the root."""


def open_mafw(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over single-labelled clips. Raises HarnessError where the table or a column is missing."""
    asked = read_options(MafwOptions, options, family="mafw")
    root = base / asked.root
    table = existing(
        root / asked.labels,
        mend="save Labels/single-set.xlsx as CSV, and name it under source.labels",
    )
    return DatasetSource(
        lambda: _mafw_entries(root, table, asked), asked, fields, offers=("emotion",),
        files=[table],
        published=[Published("all", "emotion", {"": 9172}, "the set's page: single-labelled clips")],
    )  # fmt: skip


def _mafw_entries(root: Path, table: Path, asked: MafwOptions) -> Iterator[Found]:
    names = {**MAFW, **{label: label for label in MAFW_11}}
    for row in open_table(table):
        for column in (asked.name_column, asked.label_column):
            if column not in row.cells:
                raise HarnessError(
                    f"{table.name}: no column {column!r}",
                    mend="name its columns under source.name_column and source.label_column: "
                    + ", ".join(row.cells),
                )
        name = Path(str(row.cells[asked.name_column]).strip()).stem
        code = str(row.cells[asked.label_column]).strip().lower()
        label = label_of(code, names, where=row.where)
        yield Entry(name, root / asked.clips / name, {"emotion": label}, clip=True)
