"""Pairs of pictures for verification: LFW, CFP, and lists such as those of AgeDB-30.

- LFW (Huang et al. 2007): `pairs.txt`, whose first line holds the number of folds and of pairs of each kind in a fold;
  then for each fold the lines `name n1 n2` and `name1 n1 name2 n2`. A list without folds (`pairsDevTest.txt`) begins
  with the number of pairs alone. Pictures are `Name/Name_0001.jpg`. Layout after the set's own README.
- CFP (Sengupta et al. 2016): `Protocol/Split/{FF,FP}/NN/{same,diff}.txt` with lines `i,j`, places in
  `Protocol/Pair_list_F.txt` and `Pair_list_P.txt`, whose lines are `i path`. Layout after the set's own Readme; that paths
  begin with `../Data/` in `Protocol` is what programs that read it expect, and paths from the root are read too.
- Lists (AgeDB-30, CALFW, CPLFW as packed by others): lines `label path1 path2`, label 1 for the same person, in ten equal
  blocks, the folds. That there are three columns is documented by programs that read them; the names of the pictures
  could not be verified, so a subject is read only from names such as `12_SomeName_35_f.jpg`, as AgeDB itself has them.
  The `.bin` files of insightface are pickles, which run code when they are read, and are not opened.
"""

from __future__ import annotations

import re
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

OFFERS = ("same",)
BLOCKS = 10
"""Folds of a list that names none."""
_LFW_PLACES = ("", "lfw", "lfw-deepfunneled", "lfw_funneled", "images")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SUBJECT = re.compile(r"\d+_(?P<name>[A-Za-z]+)_\d+_[fm]$")


class LfwOptions(DatasetOptions):
    """Options of LFW."""

    pairs: str = "pairs.txt"
    """The list of pairs below the root: `pairs.txt`, `pairsDevTest.txt`."""


class CfpOptions(DatasetOptions):
    """Options of CFP."""

    protocol: Literal["FP", "FF"] = "FP"
    """Frontal against profile, or frontal against frontal."""


class ListOptions(DatasetOptions):
    """Options of a list of pairs."""

    list: str
    """The list below the root: `agedb_30_ann.txt`."""


def open_lfw(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over LFW's pairs. Raises HarnessError where a file is missing or a line is no pair."""
    asked = read_options(LfwOptions, options, family="lfw")
    root = existing(base / asked.root, hint="set source.root to the folder with pairs.txt")
    file = existing(root / asked.pairs, hint="download the list from the page of LFW")
    return _source(partial(_lfw, file, root), asked, fields, [file])


def open_cfp(options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path) -> Source:
    """A source over CFP's pairs. Raises HarnessError where a file is missing or a line is no pair."""
    asked = read_options(CfpOptions, options, family="cfp")
    root = existing(base / asked.root, hint="set source.root to the folder with Data and Protocol")
    protocol = existing(root / "Protocol", hint="unpack the whole archive of CFP")
    lists = [
        first_existing(
            [protocol / name, protocol / "Split" / name], hint="unpack the whole archive of CFP"
        )
        for name in ("Pair_list_F.txt", f"Pair_list_{asked.protocol[1]}.txt")
    ]
    splits = sorted(
        folder for folder in existing(protocol / "Split" / asked.protocol, hint="unpack the whole archive of CFP").iterdir()
        if folder.is_dir()
    )  # fmt: skip
    files = [
        existing(s / name, hint="unpack it again") for s in splits for name in ("same.txt", "diff.txt")
    ]  # fmt: skip
    return _source(partial(_cfp, root, lists, files), asked, fields, [*lists, *files])


def open_pair_list(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over a list of pairs. Raises HarnessError where a file is missing or a line is no pair."""
    asked = read_options(ListOptions, options, family="pair-list")
    root = existing(base / asked.root, hint="set source.root to the folder with the list")
    file = existing(root / asked.list, hint="set source.list to the name of the list of pairs")
    if file.suffix == ".bin":
        raise HarnessError(
            f"{file.name} is a pickle, which runs code when it is read",
            hint="use the set as pictures with a list of lines `label path1 path2`",
        )
    return _source(partial(_listed, file, root), asked, fields, [file])


def _source(
    read: Any, asked: DatasetOptions, fields: Mapping[str, FieldSpec], files: Any
) -> Source:
    return DatasetSource(read, asked, fields, offers=OFFERS, files=files)


def _entry(
    first: Path,
    second: Path,
    same: bool,
    *,
    number: int,
    fold: int | None,
    subjects: tuple[str, str],
) -> DatasetEntry:
    notes = {"pair": "genuine" if same else "other person", "other_subject": subjects[1] or None}
    return DatasetEntry(
        id=f"{number:05}",
        medium=first,
        second=second,
        values={"same": "yes" if same else "no"},
        notes=notes | ({} if fold is None else {"fold": str(fold)}),
        subject=subjects[0] or None,
    )


def _lfw(file: Path, root: Path) -> Iterator[Found]:
    lines = list(text_lines(file))
    head = [part for _, line in lines[:1] for part in line.split()]
    if not head or len(head) > 2 or not all(_NUMBER.fullmatch(part) for part in head):
        raise HarnessError(
            f"{file.name} does not begin with the number of folds and of pairs",
            hint="the first line of LFW's own list is `10 300`; a list without folds begins with its number of pairs "
            "of each kind. Add the line, or get the file again from the page of LFW",
        )
    folds, each = (int(head[0]), int(head[1])) if len(head) == 2 else (1, int(head[0]))
    if len(lines) != 1 + 2 * folds * each:
        raise HarnessError(
            f"{file.name} holds {len(lines) - 1} pairs, and its first line promises {2 * folds * each}",
            hint="get the file again from the page of LFW",
        )
    places = [root / name for name in _LFW_PLACES if (root / name).is_dir()]
    for place, (number, line) in enumerate(lines[1:]):
        parts = re.split(r"\t+" if "\t" in line else r"\s+", line)
        same = place % (2 * each) < each
        named = _lfw_pair(parts) if len(parts) == (3 if same else 4) else None
        if named is None:
            raise HarnessError(
                f"{file.name}, line {number}: {line[:80]!r} is no pair of {'one person' if same else 'two'}",
                hint="write NAME N1 N2, or NAME1 N1 NAME2 N2",
            )
        (one, n1), (other, n2) = named
        yield _entry(
            _lfw_picture(places, one, n1), _lfw_picture(places, other, n2), same, number=place + 1,
            fold=place // (2 * each) + 1 if folds > 1 else None, subjects=(one, other),
        )  # fmt: skip


def _lfw_pair(parts: list[str]) -> tuple[tuple[str, int], tuple[str, int]] | None:
    given = [(parts[0], parts[1]), (parts[-2] if len(parts) == 4 else parts[0], parts[-1])]
    if not all(_NUMBER.fullmatch(number) and name and "/" not in name and "\\" not in name and name != ".." for name, number in given):  # fmt: skip
        return None
    return (given[0][0], int(given[0][1])), (given[1][0], int(given[1][1]))


def _lfw_picture(places: list[Path], name: str, number: int) -> Path:
    """Where the picture is; where it is nowhere, where it should be, which is then told as missing."""
    found = [place / name / f"{name}_{number:04}.jpg" for place in places]
    return next((path for path in found if path.is_file()), found[0])


def _cfp(root: Path, lists: list[Path], files: list[Path]) -> Iterator[Found]:
    frontal, other = (_places(path, root) for path in lists)
    number = 0
    folders = list(dict.fromkeys(file.parent for file in files))
    numbered = all(_NUMBER.fullmatch(folder.name) for folder in folders)
    folds = {folder: int(folder.name) if numbered else n for n, folder in enumerate(folders, 1)}
    for file in files:
        fold = folds[file.parent]
        for line_number, line in text_lines(file):
            pair = [part.strip() for part in line.split(",")]
            if len(pair) != 2 or pair[0] not in frontal or pair[1] not in other:
                raise HarnessError(
                    f"{file.parent.name}/{file.name}, line {line_number}: {line[:80]!r} names no two listed pictures",
                    hint="unpack the archive of CFP again",
                )
            number += 1
            first, second = frontal[pair[0]], other[pair[1]]
            yield _entry(
                first, second, file.name == "same.txt", number=number, fold=fold,
                subjects=(first.parent.parent.name, second.parent.parent.name),
            )  # fmt: skip


def _places(file: Path, root: Path) -> dict[str, Path]:
    """Number -> picture."""
    found = {}
    for number, line in text_lines(file):
        parts = line.split(maxsplit=1)
        tail = parts[1].replace("\\", "/") if len(parts) == 2 else ""
        tail = tail.removeprefix("../")
        if not tail or tail.startswith("/") or ".." in Path(tail).parts:
            raise HarnessError(
                f"{file.name}, line {number}: {line[:80]!r} is no number and path below the set",
                hint="unpack the archive of CFP again",
            )
        found[parts[0]] = root / tail
    return found


def _listed(file: Path, root: Path) -> Iterator[Found]:
    lines = list(text_lines(file))
    blocks = _blocks([line[0] for _, line in lines])
    for place, (number, line) in enumerate(lines):
        parts = line.split("\t") if line.count("\t") == 2 else line.split()
        paths = [part.replace("\\", "/") for part in parts[1:]]
        inside = all(not path.startswith("/") and ".." not in Path(path).parts for path in paths)
        if len(parts) != 3 or parts[0] not in {"0", "1"} or not inside:
            raise HarnessError(
                f"{file.name}, line {number}: {line[:80]!r} is no line `label path1 path2` with label 0 or 1",
                hint="paths are below the root of the set",
            )
        fold = place * BLOCKS // len(lines) + 1 if blocks else None
        yield _entry(
            root / paths[0], root / paths[1], parts[0] == "1", number=place + 1, fold=fold,
            subjects=(_subject(paths[0]), _subject(paths[1])),
        )  # fmt: skip


def _blocks(labels: list[str]) -> bool:
    """Whether ten equal blocks can be folds: each holds both labels, which a list sorted by label does not."""
    size, rest = divmod(len(labels), BLOCKS)
    return not rest and all(
        {"0", "1"} <= set(labels[start : start + size])
        for start in range(0, len(labels), size or 1)
    )


def _subject(path: str) -> str:
    found = _SUBJECT.match(Path(path).stem)
    return found["name"] if found else ""
