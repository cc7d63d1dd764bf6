"""The list of runs below a folder; unchanged runs are not read again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.run.catalog import CatalogEntry, entry_of, run_paths, state_of
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from harness.run.notes import read_notes
from harness.view.progress import Follower, planned, replicas

Stamp = tuple[int, ...]


@dataclass(slots=True)
class _Held:
    """What is known of one run, and by which state of its files."""

    folder: RunFolder
    stamp: Stamp = ()
    entry: CatalogEntry | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    follower: Follower | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while its files are read: a long log keeps no other run waiting."""


class Shelf:
    """The runs in and below `root`. May be asked from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._runs: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def listing(self) -> list[dict[str, Any]]:
        """All runs as the page lists them. Raises HarnessError where the folder is gone."""
        with self._lock:
            self._look()
            runs = list(self._runs.items())
        return [self._row(name, held) for name, held in runs]

    def folder(self, name: str) -> RunFolder | None:
        """The run of this name, which is a digest of its place: no path comes from a page."""
        with self._lock:
            if name not in self._runs:
                self._look()
            held = self._runs.get(name)
            return held.folder if held is not None and held.folder.manifest.is_file() else None

    def called(self, folder: RunFolder) -> str:
        """A run's place below the root."""
        relative = folder.path.relative_to(self.root).as_posix()
        return folder.path.resolve().name if relative == "." else relative

    def row(self, name: str) -> dict[str, Any]:
        """One run as the page lists it. Raises KeyError for a name that `folder` does not know."""
        return self._row(name, self._runs[name])

    def progress(self, name: str) -> dict[str, Any]:
        """The same, with how far each cell is under `cell_progress`, for scored runs too."""
        held = self._runs[name]
        row = self._row(name, held, follow=True)
        follower = held.follower
        row["cell_progress"] = {
            entry["id"]: {
                "done": 0 if follower is None else follower.done[entry["id"]],
                "failed": 0 if follower is None else follower.failed[entry["id"]],
                "trials": int(entry.get("trials", 0)),
            }
            for entry in held.manifest.get("cells", ())
        }
        row["replicas"] = replicas(held.folder)
        return row

    def _look(self) -> None:
        found = {}
        for path in run_paths(self.root):
            place = str(path.relative_to(self.root)).encode("utf-8", "surrogateescape")
            name = hashlib.sha256(place).hexdigest()[:16]
            found[name] = self._runs.get(name) or _Held(RunFolder(path))
        self._runs = found

    def _row(self, name: str, held: _Held, *, follow: bool = False) -> dict[str, Any]:
        with held.lock:
            return self._told(name, held, follow=follow)

    def _told(self, name: str, held: _Held, *, follow: bool) -> dict[str, Any]:
        entry = _refreshed(held)
        row: dict[str, Any] = {
            "id": name,
            "path": self.called(held.folder),
            "name": entry.name,
            "started": entry.started.isoformat() if entry.started else None,
            "tasks": list(entry.tasks),
            "models": list(entry.models),
            "cells": entry.cells,
            "trials": entry.trials,
            "state": entry.state,
            "size": entry.size,
            "fault": entry.fault,
            **_noted(held.folder),
        }
        if entry.state not in {"export", "broken"} and (follow or entry.state != "scored"):
            row |= _progress(held, entry.trials)
        return row


def _refreshed(held: _Held) -> CatalogEntry:
    """The entry of a run; its files are looked through only where one of those that change has changed."""
    stamp = _stamp(held.folder)
    if held.entry is None or stamp != held.stamp:
        held.entry, held.stamp, held.manifest = entry_of(held.folder.path), stamp, {}
        if held.entry.state != "broken":
            try:
                held.manifest = read_manifest(held.folder)
            except HarnessError:  # it was written anew in between
                held.stamp = ()
    elif held.entry.state != "broken":
        held.entry = replace(held.entry, state=state_of(held.folder, held.manifest))
    return held.entry


def _stamp(folder: RunFolder) -> Stamp:
    found: list[int] = []
    for path in (folder.manifest, folder.scores, folder.report, folder.generations, folder.notes):
        try:
            status = path.stat()
            found += [status.st_mtime_ns, status.st_size]
        except OSError:
            found += [0, 0]
    return tuple(found)


def _noted(folder: RunFolder) -> dict[str, Any]:
    try:
        notes = read_notes(folder)
    except HarnessError as error:
        return {"notes": "", "tags": [], "notes_fault": error.message}
    return {"notes": notes.text, "tags": list(notes.tags)}


def _progress(held: _Held, trials: int) -> dict[str, Any]:
    if held.follower is None:
        held.follower = Follower(held.folder)
    held.follower.update(held.manifest)
    total = planned(held.folder)
    total = trials if total is None else total
    done, failed = sum(held.follower.done.values()), sum(held.follower.failed.values())
    rate = held.follower.rate if held.entry is not None and held.entry.state == "running" else 0.0
    return {
        "done": done,
        "failed": failed,
        "total": total,
        "rate": round(rate, 2),
        "left": round(max(0, total - done) / rate) if rate else None,
    }
