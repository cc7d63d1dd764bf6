"""Locate prompt files: folders searched in order, and nothing outside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.folders import Folders
from harness.prompting.faults import PromptError

SUFFIX = ".j2"
MAX_FILE_BYTES = 256 * 1024
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*")


@dataclass(frozen=True, slots=True)
class File:
    """A template file, read once."""

    name: str
    """Relative to its folder, with `/`: `emotion/_base.j2`."""
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Folders of prompt files; the first that has a name wins."""

    folders: Folders

    @staticmethod
    def of(folders: Folders | Iterable[Path]) -> Shelf:
        """Raises HarnessError for a folder that is not there."""
        found = Folders.of(folders)
        return Shelf(
            Folders(
                tuple(folder.resolve() for folder in found.own),
                {folder.resolve(): package for folder, package in found.shared.items()},
                found.broken,
            )
        )

    def names(self) -> Iterator[str]:
        """Names of all files in all folders, parts included, in no order, some perhaps twice."""
        for folder in self.folders:
            for path in folder.rglob("*" + SUFFIX):
                name = path.relative_to(folder).as_posix()
                if _well_formed(name) and path.is_file() and _inside(path, folder):
                    yield name

    def find(self, name: str) -> Path | None:
        """The file of that name. Raises HarnessError for a name or link that leaves the folders, and
        where two packages bring one of that name."""
        if not _well_formed(name):
            raise HarnessError(
                f"{name!r} is not a valid name of a prompt file",
                hint="use a name relative to the prompt folder, such as emotion/_base.j2: "
                "letters, digits, `_`, `-` and `.`; no `..` and no absolute path",
            )
        found = self.folders.find(name, kind="prompt file")
        if found is None:
            return None
        folder, path = found
        if not _inside(path, folder):
            raise HarnessError(
                f"{name} is a link to a file outside the prompt folder {folder}",
                hint="copy the file into the folder",
            )
        return path

    def read(self, name: str) -> File | None:
        """The file of that name, or None. Raises HarnessError where it cannot be read as text."""
        path = self.find(name)
        if path is None:
            return None
        data = _bytes(path)
        if len(data) > MAX_FILE_BYTES:
            raise PromptError(
                str(path), 0, f"larger than {MAX_FILE_BYTES >> 10} KiB", hint="make it shorter"
            )
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise PromptError(str(path), line, "not UTF-8", hint="save it as UTF-8") from None
        return File(name, path, text.replace("\r\n", "\n"))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PromptError(
            str(path), 0, f"cannot be read: {error.strerror}", hint="check the file permissions"
        ) from None


def _well_formed(name: str) -> bool:
    """No backslash, NUL, drive, empty, hidden or `..` segment: only plain relative names."""
    return all(_SEGMENT.fullmatch(segment) for segment in name.split("/")) and len(name) < 256


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder)
