"""How the replicas of a run stand, as lines that `harness view` reads: replicas.jsonl in the run folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from harness.models.replicas import Worker

LOG_NAME = "replicas.jsonl"
BEGUN = "manifest.json"
"""The file of a run folder that is there once the run has begun (`RunFolder.manifest`)."""
SECONDS = 2.0
"""Between two lines of one replica that only say how many replies it has given."""


class ReplicaLog:
    """Appends a line where a replica changes, and now and then while it answers. Lines wait until the run has begun,
    since one that cannot begin leaves no folder. A log that cannot be written is no reason to stop a run."""

    def __init__(self, path: Path, model: str, *, clock: Callable[[], float] = time.monotonic):
        self._path, self._model, self._clock = path, model, clock
        self._said: dict[int, tuple[str, float]] = {}
        self._waiting: list[bytes] = []

    def __call__(self, worker: Worker) -> None:
        now = self._clock()
        state, at = self._said.get(worker.number, ("", 0.0))
        if worker.state == state and now - at < SECONDS:
            self._write()
            return
        self._said[worker.number] = (worker.state, now)
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": self._model,
            "replica": worker.number + 1,
            "state": worker.state,
            "replies": worker.replies,
            "place": worker.place,
        }
        self._waiting.append(json.dumps(line).encode() + b"\n")
        self._write()

    def _write(self) -> None:
        if not self._waiting or not self._path.with_name(BEGUN).is_file():
            return
        with suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, b"".join(self._waiting))
                self._waiting.clear()
            finally:
                os.close(file)
