"""A table over the lines of a log, read by its index (`harness.run.log_index`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness.run.digests import KEY
from harness.run.loaded_digests import LoadedDigests
from harness.run.log import read_lines
from harness.run.log_index import LogIndex


class IndexedLog:
    """Digest of a line -> a value of `size` bytes, which follows from where the line starts. This process alone writes the
    log and its index."""

    def __init__(
        self,
        log: Path,
        size: int,
        digest: Callable[[Any], bytes],
        *,
        value: Callable[[int], bytes] = lambda start: b"",
    ) -> None:
        """Raises HarnessError for a broken line."""
        self._index = index = LogIndex(log, KEY + size)
        for start, end, record in read_lines(log, start=index.end):
            entry = digest(record) + value(start)
            index.entries += entry
            index.add(entry, end)
        entries = np.frombuffer(bytes(index.entries), dtype=np.uint8).reshape(-1, KEY + size)
        index.entries = bytearray()
        self._held = LoadedDigests(size, entries[:, :KEY], entries[:, KEY:])
        index.open()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: bytes) -> bytes | None:
        """The value of a digest."""
        return self._held.get(key)

    def put(self, key: bytes, value: bytes, *, end: int) -> None:
        """Note a line that was written and ends before the byte `end` of the log. Raises HarnessError."""
        self._held.put(key, value)
        self._index.add(key + value, end)

    def close(self) -> None:
        """Write what of the index is held back."""
        self._index.close()
