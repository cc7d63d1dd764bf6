"""Which batches a run has submitted, in a file of its folder, so that a command that was killed submits none twice.

A batch is written down under its mark before it is submitted, with the names of its lines; then with the id that the
service gave it, before it is first asked about; then with how it ended, once its results lie in the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError


@dataclass(slots=True)
class Submission:
    """One batch."""

    mark: str
    """Ours, which the service is told as metadata."""
    place: str
    """Address and model that it goes to."""
    names: tuple[str, ...]
    """The `custom_id` of each of its lines."""
    id: str = ""
    """The service's; empty while none came back."""
    status: str = ""
    """How it ended; empty before."""
    at: float = 0.0
    """When it was prepared, in seconds since 1970; 0 where that is not known."""


@dataclass(slots=True)
class Ledger:
    """The submissions of one run folder, in the order in which they were made. Nothing is written before the first."""

    folder: Path
    """`private/batches` of a run folder."""
    submissions: dict[str, Submission] = field(default_factory=dict)
    _newest: dict[str, str] = field(default_factory=dict)
    """Name of a line -> mark of the last submission that holds it."""

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """What is there. A last line that was cut off does not count. Raises HarnessError for a broken one."""
        ledger = cls(folder)
        path = folder / "batches.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                ledger._take(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise HarnessError(
                    f"{path}: line {number} cannot be read",
                    hint="restore it from a copy. Without it, batches that are in progress would be submitted again",
                ) from error
        return ledger

    def requests(self, mark: str) -> Path:
        """The file with the requests of a batch, while it is not ended."""
        return self.folder / f"{mark}.requests.jsonl"

    def results(self, mark: str) -> Path:
        """The file with its results."""
        return self.folder / f"{mark}.results.jsonl"

    def prepared(self, submission: Submission) -> None:
        """A batch is about to be submitted; its file is written."""
        self._add(
            event="prepared", batch=submission.mark, place=submission.place, names=submission.names
        )

    def submitted(self, mark: str, id_: str) -> None:
        """The service has it under `id_`."""
        self._add(event="submitted", batch=mark, id=id_)

    def ended(self, mark: str, status: str, counts: dict[str, int]) -> None:
        """It is over, and its results are written."""
        self._add(event="ended", batch=mark, status=status, **counts)

    def holding(self, name: str) -> Submission | None:
        """The last submission that holds a line, unless the service refused the whole of it."""
        mark = self._newest.get(name)
        return None if mark is None else self.submissions[mark]

    def open(self, place: str) -> list[Submission]:
        """Those to a place that are not ended."""
        return [s for s in self.submissions.values() if s.place == place and not s.status]

    def clear(self, *, before: float) -> None:
        """Remove files of requests, written before a time, that no batch in progress needs: a killed command leaves
        them, and they hold pictures."""
        for path in self.folder.glob("*.requests.jsonl"):
            one = self.submissions.get(path.name.partition(".")[0])
            if (one is None or one.status) and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _add(self, **entry: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / "batches.jsonl"
        whole = path.exists() and path.stat().st_size > 0
        torn = whole and not _ends_line(path)
        entry["at"] = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps(entry)
        if torn:  # what a killed command left half-written
            kept = path.read_bytes()
            os.truncate(path, kept.rfind(b"\n") + 1)
        with path.open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        mark, event = entry["batch"], entry["event"]
        if event == "prepared":
            names: Sequence[str] = entry["names"]
            at = datetime.fromisoformat(entry["at"]).timestamp() if "at" in entry else 0.0
            self.submissions[mark] = Submission(mark, entry["place"], tuple(names), at=at)
            self._newest |= dict.fromkeys(names, mark)
            return
        one = self.submissions[mark]
        if event == "submitted":
            one.id = entry["id"]
        else:
            one.status = entry["status"]
            if one.status == "failed":  # refused as a whole: nothing of it was asked
                for name in one.names:
                    if self._newest.get(name) == mark:
                        del self._newest[name]


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
