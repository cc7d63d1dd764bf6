"""Progress of a run, read from its logs while it runs."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from harness.run.basis import accepted_bases
from harness.run.digests import Digests, digest
from harness.run.folder import RunFolder

WINDOW = 60.0
"""Seconds over which a rate is taken."""
SHORTEST = 2.0
"""Seconds that must have passed before a rate is told."""
BLOCK = 1 << 22
"""Bytes of the log that are read at a time."""
_OPEN, _DONE, _FAILED = b"\x00", b"\x01", b"\x02"


class Follower:
    """Reads the log of trials of one run as it grows: each line once, 24 to 30 bytes of memory a trial.

    A log that was put in place of another, and a manifest that names other cells, are read from the start.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._file: tuple[int, int] | None = None
        self._bases: Mapping[str, tuple[str, ...]] = {}
        self._reset()

    def _reset(self) -> None:
        self._offset, self._rest = 0, b""
        self._states = Digests(1)
        self._seen: deque[tuple[float, int]] = deque()
        self.done: Counter[str] = Counter()
        """Cell id -> trials that are finished."""
        self.failed: Counter[str] = Counter()
        """Cell id -> trials whose last line is a failure."""

    def update(self, manifest: Mapping[str, Any], *, now: float | None = None) -> None:
        """Read what was appended since the last time. `now` is a clock that only goes forward, in seconds."""
        bases = accepted_bases(manifest)
        with suppress(OSError), self._folder.trials.open("rb") as file:
            status = os.fstat(file.fileno())
            name = (status.st_dev, status.st_ino)
            if name != self._file or status.st_size < self._offset or bases != self._bases:
                self._file, self._bases = name, bases
                self._reset()
            file.seek(self._offset)
            while block := file.read(BLOCK):
                self._offset += len(block)
                *lines, self._rest = (self._rest + block).split(b"\n")
                for line in lines:
                    self._take(line)
        at = time.monotonic() if now is None else now
        self._seen.append((at, sum(self.done.values())))
        while len(self._seen) > 2 and at - self._seen[1][0] >= WINDOW:
            self._seen.popleft()

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            trial, basis, failed = str(record["trial"]), record["basis"], "failure" in record
        except (ValueError, TypeError, KeyError, RecursionError):
            return  # a line that no run wrote; the commands that read the run name it
        cell = trial.partition("/")[0]
        if basis not in self._bases.get(cell, ()):
            return
        name = digest(trial)
        before = self._states.get(name) or _OPEN
        after = _FAILED if failed else _DONE
        self._states.put(name, after)
        if before != after:
            self.done[cell] += (after == _DONE) - (before == _DONE)
            self.failed[cell] += (after == _FAILED) - (before == _FAILED)

    @property
    def rate(self) -> float:
        """Trials a second in the last minute; 0 where it is not known."""
        if len(self._seen) < 2:
            return 0.0
        (first, had), (last, has) = self._seen[0], self._seen[-1]
        return max(0.0, (has - had) / (last - first)) if last - first >= SHORTEST else 0.0


def planned(folder: RunFolder) -> int | None:
    """The trials of the plan, by the foot of plan.parquet; None where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(folder.plan).num_rows)
    except (OSError, pa.ArrowException):
        return None


REPLICAS_TAIL = 1 << 16
"""Bytes at the end of the log of replicas that are read: each has a line there every few seconds."""


def replicas(folder: RunFolder) -> list[dict[str, Any]]:
    """How each replica of a run stood last (`harness.models.replica_log`); none where it had none."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    with suppress(OSError), folder.replicas.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - REPLICAS_TAIL))
        for line in file.read().split(b"\n"):
            try:
                told = json.loads(line)
                name = (str(told["model"]), int(told["replica"]))
                found[name] = {
                    "model": name[0], "replica": name[1], "state": str(told["state"]),
                    "replies": int(told["replies"]), "place": str(told["place"]),
                }  # fmt: skip
            except (ValueError, TypeError, KeyError, RecursionError):
                continue  # the first may be half a line, the last may be being written
    return [found[name] for name in sorted(found)]
