"""Files in a new run folder that do not belong to a run."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from harness.core.errors import HarnessError
from harness.run.files import RUN_FILES
from harness.run.folder import RunFolder


def refuse_strays(folder: RunFolder) -> None:
    """Raise HarnessError for a folder that holds other files and no manifest: a run there would mix with them.

    Hidden files are no obstacle.
    """
    if folder.manifest.exists():
        return
    stray = next(_strays(folder.path), None)
    if stray is not None:
        raise HarnessError(
            f"{folder.path} is not a run folder: it holds {stray.relative_to(folder.path)} and no manifest.json",
            hint="name a new or empty folder with --out DIR",
        )


def _strays(folder: Path) -> Iterator[Path]:
    """What no run writes, sorted; as few folders are listed as can be."""
    if not folder.is_dir():
        if folder.exists():
            raise HarnessError(f"{folder} is a file", hint="name a folder with --out DIR")
        return
    known = [one.name for one in RUN_FILES]
    for path in sorted(folder.iterdir()):
        if path.name == "private" and path.is_dir():
            known += ["/".join(name.split("/")[:2]) for name in known if name.count("/") > 1]
            yield from (p for p in sorted(path.iterdir()) if not _known(p, folder, known))
        elif not _known(path, folder, known):
            yield path


def _known(path: Path, folder: Path, names: list[str]) -> bool:
    name = path.relative_to(folder).as_posix()
    return path.name.startswith(".") or any(fnmatchcase(name, known) for known in names)
