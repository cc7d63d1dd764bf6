"""Files and folders under construction: temporary names until complete, removed after a kill.

Every such name says `unfinished`, whose it will be, and which process writes it. What a process that no longer lives
has left is removed by the next that writes the same thing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_MARK = ".unfinished-"
_NAME = re.compile(rf"\..+{re.escape(_MARK)}(\d+)(-\w+)?")
_BEFORE_0_3 = (".planning-*", "private/.scoring-*", ".records.parquet.new", ".*.json.[0-9]*", ".*.html.[0-9]*",
               ".*.parquet.[0-9]*", ".*.md.[0-9]*")  # fmt: skip
"""What earlier versions called theirs, in a run folder."""


def unfinished(path: Path) -> Path:
    """The name under which this process writes what will be `path`, beside it; what dead processes left of it is gone."""
    clear_dead(path.parent, path.name)
    return path.with_name(f".{path.name}{_MARK}{os.getpid()}")


def unfinished_folder(parent: Path, name: str) -> Path:
    """A new folder in `parent` for what will be `name` there. Raises OSError."""
    clear_dead(parent, name)
    return Path(tempfile.mkdtemp(dir=parent, prefix=f".{name}{_MARK}{os.getpid()}-"))


def clear_dead(folder: Path, name: str = "*") -> None:
    """Remove what processes that no longer live have left unfinished in `folder`."""
    for left in folder.glob(f".{name}{_MARK}*"):
        found = _NAME.fullmatch(left.name)
        if found and not _lives(int(found[1])):
            _remove(left)


def clear_run(folder: Path) -> None:
    """Remove whatever is unfinished in a run folder; for the process that holds it, so that no other writes there."""
    for place in (folder, folder / "private", folder / "private" / "samples"):
        for left in place.glob(f".*{_MARK}*"):
            _remove(left)
    for pattern in _BEFORE_0_3:
        for left in folder.glob(pattern):
            _remove(left)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder in `parent` for the work on what will be `name` there, removed at the end. Raises OSError."""
    made = unfinished_folder(parent, name)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
