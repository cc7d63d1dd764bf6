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
SECONDS = 2.0
"""Between two lines of one replica that only say how many replies it has given."""


class ReplicaLog:
    """Appends a line where a replica changes, and now and then while it answers. A log that cannot be written is no
    reason to stop a run."""

    def __init__(self, path: Path, model: str, *, clock: Callable[[], float] = time.monotonic):
        self._path, self._model, self._clock = path, model, clock
        self._said: dict[int, tuple[str, float]] = {}

    def __call__(self, worker: Worker) -> None:
        now = self._clock()
        state, at = self._said.get(worker.number, ("", 0.0))
        if worker.state == state and now - at < SECONDS:
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
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, json.dumps(line).encode() + b"\n")
            finally:
                os.close(file)
