"""A table over the lines of a log, read by its index (`harness.run.log_index`)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.run.digest_column import DigestColumn
from harness.run.digest_slots import DigestSlots
from harness.run.digests import KEY
from harness.run.log import read_lines
from harness.run.log_index import LogIndex

Told: TypeAlias = tuple[bytes, bytes, str]
"""What a line comes to: its digest, the value, a note for the index (mostly empty)."""


class IndexedLog:
    """Digest of a line -> a value of `size` bytes; of equal digests the last line counts.

    The lines that were there at the start lie in memory, sorted: many are looked up at once at a tenth of the time. What
    is put then stays in the index and takes 6 to 8 bytes of memory. Any thread may look up.
    """

    def __init__(self, index: LogIndex, told: Callable[[Any, int], Told]) -> None:
        """Read the index, and the lines of its log behind it: `told` says what a record comes to that starts at a byte.
        Raises HarnessError for a broken line."""
        self._index = index
        width = index.width
        for start, end, record in read_lines(index.log, start=index.end):
            key, value, note = told(record, start)
            index.entries += key + value
            index.add(key + value, end, note=note)
        entries = np.frombuffer(bytes(index.entries), dtype=np.uint8).reshape(-1, width)
        index.entries = bytearray()
        self._loaded = DigestColumn(entries[:, :KEY].tobytes())
        self._values = np.ascontiguousarray(entries[:, KEY:])
        self._more, self._lock = DigestSlots(), Lock()
        self._new = 0
        """Digests that were put and had not been loaded."""

    def __len__(self) -> int:
        """How many digests are held."""
        return len(self._loaded.last_ones()) + self._new

    def get(self, key: bytes) -> bytes | None:
        """The value of a digest. Raises HarnessError where the index cannot be read back."""
        if len(self._more):
            with self._lock:
                entry = self._more.find(key, self._index)
            if entry is not None:
                return entry[KEY:]
        number = self._loaded.place(key)
        return None if number < 0 else self._values[number].tobytes()

    def find(self, keys: bytes) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Of n digests, one behind the other, (n, size) the values and (n,) whether there is one."""
        numbers = self._loaded.find(keys)
        known = numbers >= 0
        values = np.zeros((len(numbers), self._values.shape[1]), dtype=np.uint8)
        values[known] = self._values[numbers[known]]
        for place in range(len(numbers)) if len(self._more) else ():
            value = self.get(keys[place * KEY : (place + 1) * KEY])
            if value is not None:
                values[place] = np.frombuffer(value, dtype=np.uint8)
                known[place] = True
        return values, known

    def put(self, key: bytes, value: bytes, *, end: int, note: str = "") -> bool:
        """Note a line that was written and ends before the byte `end` of the log; True where its digest is new. Raises
        HarnessError."""
        with self._lock:
            number = self._index.added
            self._index.add(key + value, end, note=note)
            new = self._more.put(key, number, self._index)
        new = new and self._loaded.place(key) < 0
        self._new += new
        return new

    def last_values(self) -> NDArray[np.uint8]:
        """(n, size) the values of the digests that were loaded."""
        values: NDArray[np.uint8] = self._values[self._loaded.last_ones()]
        return values

    def keep(self) -> None:
        """Write the index from now on; this process alone writes it and the log. Raises HarnessError."""
        self._index.open()

    def close(self) -> None:
        """Write what of the index is held back."""
        with self._lock:
            self._index.close()
