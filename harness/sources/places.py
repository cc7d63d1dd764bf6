"""Locate a table's pictures: paths in any spelling, only inside allowed folders."""

from __future__ import annotations

import os
import posixpath
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError, MediaError

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_UNTIDY = re.compile(r"^[/\s.]|[\s/.]$|//|\./|\\|^[A-Za-z]:")
"""Whatever `normpath` and the rest might change; most paths have none of it."""
_LONGEST = 4096
"""Longer texts are no paths on any system."""
RESPONDS_WITHIN = 10.0
"""Seconds that a folder may take to answer: a network drive that is gone answers never."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands for a picture whose cell is no path; the row fails, the run goes on."""

    name: str
    why: str

    def read(self) -> bytes:
        raise MediaError(f"{self.name}: {self.why}", kind="missing", hint="correct the cell")


def place_of(text: str, root: Path, inside: Sequence[str], where: str) -> str | Unusable:
    """The file or folder that a cell names, under `root` where it is relative, as pathlib spells it.

    Where nothing lies there, backslashes are read as slashes, and then the folder `images` beside it is looked
    into. Raises HarnessError for a path that leads out of all the folders `inside` (none given: anywhere).
    """
    if "\0" in text or len(text) > _LONGEST:
        why = (
            "the cell contains a zero byte" if "\0" in text else "the cell is longer than any path"
        )
        return Unusable(repr(text[:60]), why)
    found = _joined(root, text)
    there = os.path.exists(found)
    if not there and "\\" in text:
        text = text.replace("\\", "/")
        found = _joined(root, text)
        there = os.path.exists(found)
    if inside and (text.startswith("/") or ".." in text or _DRIVE.match(text)):
        _refuse_outside(found, text, inside, where)
    if not there and os.path.exists(beside := _joined(root / "images", text)):
        return beside
    return found


def _joined(root: Path, text: str) -> str:
    """`root / text` as pathlib spells it, which takes 5 µs; joined as texts it takes 1."""
    folder = str(root)
    return str(root / text) if folder == "." or _UNTIDY.search(text) else os.path.join(folder, text)


def tidy(text: str, inside: Sequence[str] = ()) -> str | None:
    """One spelling for a path: `./img//a.png` and `img\\a.png` are `img/a.png`.

    An absolute path is made relative to the first of the folders `inside` that holds it; None where none does, and
    for a path that leads out of its folder.
    """
    if not _UNTIDY.search(text):
        return text
    path = posixpath.normpath(text.strip().replace("\\", "/"))
    if path.startswith("/"):
        for folder in inside:
            if path.startswith(folder.rstrip("/") + "/"):
                return path[len(folder.rstrip("/")) + 1 :]
        return None
    return None if path.startswith("../") or path in {"..", "."} or _DRIVE.match(path) else path


def folders(*roots: Path) -> tuple[str, ...]:
    """Absolute folders in one spelling, those of links both as named and as meant."""
    named = [os.path.abspath(root) for root in roots]
    meant = [os.path.realpath(root) for root in roots]
    return tuple(dict.fromkeys([*named, *meant]))


def check_responds(folder: Path, *, seconds: float = RESPONDS_WITHIN) -> None:
    """Raise HarnessError where a folder does not answer in time, rather than wait for ever for its files."""
    answered = threading.Event()

    def look() -> None:
        os.path.exists(folder)
        answered.set()

    threading.Thread(target=look, daemon=True).start()
    if not answered.wait(seconds):
        raise HarnessError(
            f"{folder} has not answered for {seconds:g} seconds",
            hint="if it is on a network drive, check that the drive is mounted, or copy the "
            "pictures",
        )


def _refuse_outside(found: str, text: str, inside: Sequence[str], where: str) -> None:
    whole = os.path.abspath(found)
    if any(whole == folder or whole.startswith(folder.rstrip("/") + "/") for folder in inside):
        return
    raise HarnessError(
        f"{where}: {text[:200]!r} is outside the table's folder",
        hint="set the folder of the pictures with --set media.root=FOLDER, or allow all paths "
        "with --allow-outside",
    )
