"""List the run folders below a folder: content, progress and size."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest

_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One run folder, or an export."""

    path: Path
    name: str
    """Title of the experiment; empty where it has none."""
    started: datetime | None
    """When its last command began; None where the manifest does not say."""
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    cells: int
    trials: int
    """Of all its cells, those that earlier commands asked for among them."""
    state: str
    """`running`, `scored`, `not scored`, `export` or `broken`."""
    size: int
    """Bytes on disk."""
    fault: str = ""
    """What is wrong with a broken one."""

    def matches(self, words: str) -> bool:
        """Whether every word stands in its path, name, tasks or models."""
        text = " ".join([str(self.path), self.name, *self.tasks, *self.models]).lower()
        return all(word in text for word in words.lower().split())


def find_runs(root: Path) -> Iterator[CatalogEntry]:
    """The runs and exports in `root` and beneath it, in the order of their paths. Raises HarnessError where there is no
    such folder."""
    return map(entry_of, run_paths(root))


def run_paths(root: Path) -> Iterator[Path]:
    """The folders of runs and exports in `root` and beneath it, in order. Nothing inside a run is searched.

    Raises HarnessError where there is no such folder.
    """
    if not root.is_dir():
        raise HarnessError(f"no such folder: {root}", hint="name the folder that holds your runs")
    for folder, inside, files in os.walk(root):
        inside.sort()
        if "manifest.json" in files:
            inside.clear()
            yield Path(folder)


def entry_of(path: Path) -> CatalogEntry:
    """What a folder with a manifest holds. A broken manifest is told in `fault`."""
    folder = RunFolder(path)
    size = size_of(path)
    try:
        manifest = read_manifest(folder)
        return CatalogEntry(
            path=path,
            name=str(manifest.get("experiment", {}).get("name", "")),
            started=_time(manifest.get("started")),
            tasks=tuple(manifest["tasks"]),
            models=tuple(manifest["models"]),
            cells=len(manifest["cells"]),
            trials=sum(int(c.get("trials", 0)) for c in manifest["cells"]),
            state=state_of(folder, manifest),
            size=size,
        )
    except (HarnessError, KeyError, TypeError, ValueError, AttributeError) as error:
        fault = (
            error.message if isinstance(error, HarnessError) else f"{folder.manifest} is damaged"
        )
        return CatalogEntry(path, "", None, (), (), 0, 0, "broken", size, fault)


def _time(written: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def state_of(folder: RunFolder, manifest: Mapping[str, Any]) -> str:
    """`running`, `scored`, `not scored` or `export`."""
    if "export" in manifest:
        return "export"
    if folder.is_held():
        return "running"
    return "scored" if folder.scores.is_file() else "not scored"


def size_of(path: Path) -> int:
    """Bytes of all files in a folder; links are not followed."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(folder, name).lstat().st_size
    return total


def read_age(written: str) -> timedelta:
    """`30d`, `12h`, `2w`. Raises HarnessError for anything else."""
    found = _AGE.fullmatch(written.strip())
    if found is None:
        raise HarnessError(f"--older {written}: not an age", hint="write 12h, 30d or 2w")
    return int(found[1]) * _UNITS[found[2]]


def older_than(
    entries: Iterator[CatalogEntry], age: timedelta, now: datetime
) -> list[CatalogEntry]:
    """The entries whose last command began before `now` - `age`. Those without a time are not among them."""
    return [one for one in entries if one.started is not None and now - one.started > age]


def delete_run(entry: CatalogEntry) -> None:
    """Remove a run folder with everything in it. Raises HarnessError where another process writes it, and where it
    cannot be removed."""
    folder = RunFolder(entry.path)
    with folder.steady():
        try:
            # Without its manifest it is no run: what is left where this is killed is no half run that looks whole.
            folder.manifest.unlink()
            shutil.rmtree(entry.path)
        except OSError as error:
            raise HarnessError(f"cannot remove {entry.path}: {error.strerror}") from None
