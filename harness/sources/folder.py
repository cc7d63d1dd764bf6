"""The family `folder`: one folder per class, with pictures or videos inside."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import image
from harness.core.picture import FilePicture, refuse_exhausted
from harness.core.sample import Sample
from harness.core.source import Skipped, Source
from harness.core.text import digest_json
from harness.media.decode import IMAGE_SUFFIXES
from harness.media.video_file import VIDEO_SUFFIXES, is_video_name, video_clip
from harness.sources.cells import target
from harness.sources.ids import fault_of
from harness.sources.options import Options, read_options
from harness.sources.pictures import is_picture_file, natural
from harness.sources.places import check_responds

HIDDEN = "hidden file or folder"
NOT_A_PICTURE = "not a picture"
NO_CLASS = "picture outside a class folder"
UNFIT_NAME = "file name unfit for an id"
SPLITS = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
)
"""Names of folders, in small letters, that are parts of a set and no classes."""


class FolderOptions(Options):
    """Options of a folder of class folders."""

    root: str
    """Relative to the current folder."""
    field: str | None = None
    """The field that the class folder gives; needed where the task has several."""
    classes: Mapping[str, str] = {}
    """Folder name -> label, where they differ: {"1": surprise}."""
    nested: bool = False
    """Whether class folders that hold nothing but folders are meant: one a subject, say."""
    ask: str | None = None
    """One question for every picture."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, or the reason why a file was left out."""

    id: str
    """Path relative to the root, with forward slashes."""
    reason: str | None


class FolderSource:
    """A Source over a folder; its order is the natural order of paths."""

    __slots__ = ("_field", "_options", "_root", "_skipped", "_spec")

    def __init__(self, options: FolderOptions, root: Path, field: str, spec: FieldSpec) -> None:
        self._options = options
        self._root = root
        self._field = field
        self._spec = spec
        self._skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        if not self._options.nested:
            _refuse_splits(self._root)
        left_out, any_picture = Counter[str](), False
        classes: set[str] = set()
        for found in walk(self._root):
            if found.reason:
                left_out[found.reason] += 1
                continue
            any_picture = True
            classes.add(found.id.split("/", 1)[0])
            yield self._sample(found.id)
        if not any_picture:
            raise HarnessError(
                f"no pictures in class folders under {self._root}",
                hint="arrange them as <root>/<class>/<picture>.jpg, and check source.root",
            )
        self._skipped = (
            *(Skipped(why, n) for why, n in sorted(left_out.items())),
            *(
                Skipped(f"class folder without a picture: {name}", 1)
                for name in sorted(_class_folders(self._root) - classes)
            ),
        )

    def digest(self) -> str:
        """Over the options and the pictures' relative paths."""
        ids = [found.id for found in walk(self._root) if not found.reason]
        options = self._options.model_dump(mode="json", exclude={"root", "nested"})
        return digest_json({"options": options, "ids": ids})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._skipped

    def _sample(self, sample_id: str) -> Sample:
        folder = sample_id.split("/", 1)[0]
        label = self._options.classes.get(folder, folder)
        value = target(label, self._spec, column="class folder", where=sample_id)
        path = self._root / sample_id
        return Sample(
            id=sample_id,
            medium=video_clip(path) if is_video_name(path) else image(FilePicture(path)),
            targets={self._field: value},
            question=self._options.ask,
        )


def open_folder_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over a folder of class folders. Raises HarnessError."""
    asked = read_options(FolderOptions, options, family="folder")
    root = base / asked.root
    if not root.is_dir():
        raise HarnessError(
            f"source.root: folder not found: {root}",
            hint="relative paths start at the current folder",
        )
    field = asked.field or next(iter(fields))
    if field not in fields or (asked.field is None and len(fields) > 1):
        raise HarnessError(
            "source.field: must name the field that the class folders stand for, not "
            f"{asked.field}",
            hint=f"choose one of: {', '.join(fields)}",
        )
    return FolderSource(asked, root, field, fields[field])


def _class_folders(root: Path) -> set[str]:
    """The names of the folders right below the root, hidden ones left out."""
    return {
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    }


def walk(root: Path) -> Iterator[Found]:
    """Every file below the root, folder by folder in natural order; a linked folder once."""
    pending: list[tuple[str, ...]] = [()]
    entered: set[Path] = set()
    check_responds(root)
    while pending:
        parts = pending.pop()
        folder = root.joinpath(*parts)
        if folder.resolve() in entered:  # links may lead round in a circle
            continue
        entered.add(folder.resolve())
        listed = _entries(folder)
        inner = [e.name for e in listed if e.is_dir() and not e.name.startswith(".")]
        pending += [(*parts, name) for name in reversed(inner)]
        for entry in listed:
            if entry.name not in inner:
                yield _judge((*parts, entry.name), entry)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, in natural order. Raises HarnessError where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: natural(entry.name))
    except OSError as error:
        refuse_exhausted(error, f"listing {folder}")
        raise HarnessError(
            f"folder cannot be read: {folder}: {error.strerror}", hint="check its permissions"
        ) from None


def _refuse_splits(root: Path) -> None:
    """Refuse class folders that hold nothing but folders, all of them or those named like a split.

    Raises HarnessError: the classes of `train/anger` are one level down.
    """
    holding: list[str] = []
    bare: list[str] = []
    for entry in _entries(root):
        if entry.name.startswith(".") or not entry.is_dir():
            continue
        kinds = _content(Path(entry.path))
        (bare if kinds == (True, False) else holding if kinds[1] else []).append(entry.name)
    splits = [name for name in bare if name.lower() in SPLITS]
    if bare and (splits or not holding):
        named = splits or bare
        raise HarnessError(
            f"class folders that hold only folders: {', '.join(map(repr, named[:5]))} under {root}",
            hint="set source.root to the folder that contains the class folders: --set "
            f"source.root={root / named[0]}; or, if these are the classes, --set "
            "source.nested=true",
        )


def _content(folder: Path) -> tuple[bool, bool]:
    """Whether a folder holds folders, and whether it holds pictures."""
    folders = pictures = False
    for entry in _entries(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            folders = True
        elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
            return folders, True
    return folders, pictures


def _judge(parts: tuple[str, ...], entry: os.DirEntry[str]) -> Found:
    sample_id = "/".join(parts)
    if parts[-1].startswith("."):
        return Found(sample_id, HIDDEN)
    named = Path(parts[-1]).suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES
    if not named and not (entry.is_file() and is_picture_file(Path(entry.path))):
        return Found(sample_id, NOT_A_PICTURE)
    if len(parts) == 1:
        return Found(sample_id, NO_CLASS)
    return Found(sample_id, UNFIT_NAME if fault_of(sample_id) else None)
