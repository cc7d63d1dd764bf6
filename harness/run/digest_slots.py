"""Where digests stand in a file, at 6 to 8 bytes of memory a digest."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_FULLEST, _GROWTH = 0.85, 1.3
"""Share of slots that are taken when there shall be more, and how many times as many there then are."""
_FEWEST = 1024
_PIECE = 1 << 14


class Entries(Protocol):
    """What lies outside the memory: entries that begin with their digest, numbered from 0."""

    def entry(self, number: int) -> bytes:
        """The entry of a number."""

    def digests(self) -> Iterable[NDArray[np.uint8]]:
        """(n, KEY) the digests of all entries in order, in pieces."""


class DigestSlots:
    """Digest -> its entry. Digests must be as good as random, and are read where they lie.

    Open addressing with linear probing. A slot is a byte of the digest, zero where it is free, and a number of 32 bits:
    where a digest is not held, 1 look-up of 10 or fewer reads one. Not safe for threads.
    """

    __slots__ = ("_held", "_numbers", "_slots", "_tags")

    def __init__(self) -> None:
        self._held = 0
        self._make(_FEWEST)

    def __len__(self) -> int:
        """How many digests are held."""
        return self._held

    def find(self, key: bytes, there: Entries) -> bytes | None:
        """The entry of a digest; None where it is not held."""
        return self._find(key, there)[1] if self._held else None

    def put(self, key: bytes, number: int, there: Entries) -> bool:
        """Give a digest the entry of a number, higher than all before; True where it had none."""
        slot, before = self._find(key, there)
        self._numbers[slot] = number
        if before is not None:
            return False
        self._tags[slot] = key[8] or 1
        self._held += 1
        if self._held > _FULLEST * self._slots:
            self._grow(number, there)
        return True

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the table takes."""
        return len(self._tags) + self._numbers.nbytes

    def _make(self, slots: int) -> None:
        # Pages of its own, which go back at once: in the heap each larger table leaves a hole behind.
        self._slots = slots
        self._tags = mmap(-1, slots, flags=MAP_PRIVATE | MAP_ANONYMOUS)
        numbers = mmap(-1, 4 * slots, flags=MAP_PRIVATE | MAP_ANONYMOUS)
        self._numbers = memoryview(numbers).cast("I")

    def _find(self, key: bytes, there: Entries) -> tuple[int, bytes | None]:
        """(its slot, its entry) of a digest; (the free slot where it belongs, None)."""
        tags, tag = self._tags, key[8:9] if key[8] else b"\1"
        start = int.from_bytes(key[:4], "little") * self._slots >> 32
        while True:
            end = tags.find(b"\0", start)
            stop = end if end >= 0 else self._slots
            slot = tags.find(tag, start, stop)
            while slot >= 0:
                entry = there.entry(self._numbers[slot])
                if entry.startswith(key):
                    return slot, entry
                slot = tags.find(tag, slot + 1, stop)
            if end >= 0:
                return end, None
            start = 0  # the taken slots go on at the beginning

    def _grow(self, last: int, there: Entries) -> None:
        """Make the table larger, by reading the digests once; `last` is the highest number."""
        tags, numbers = np.frombuffer(self._tags, dtype=np.uint8), np.asarray(self._numbers)
        held = np.zeros(last + 1, dtype=bool)
        for start in range(0, self._slots, _PIECE):  # in pieces, lest both tables lie in memory
            piece = slice(start, start + _PIECE)
            held[numbers[piece][tags[piece] != 0]] = True
        del tags, numbers
        slots = int(self._slots * _GROWTH)
        del self._tags, self._numbers
        self._make(slots)
        first = 0
        for digests in there.digests():
            kept = np.flatnonzero(held[first : first + len(digests)])
            self._fill(digests[kept], kept + first)
            first += len(digests)

    def _fill(self, digests: NDArray[np.uint8], numbers: NDArray[np.int64]) -> None:
        """Put distinct digests that are not held yet into free slots."""
        tags, places = np.frombuffer(self._tags, dtype=np.uint8), np.asarray(self._numbers)
        first = np.ascontiguousarray(digests[:, :4]).view("<u4").ravel().astype(np.uint64)
        slots = (first * np.uint64(self._slots) >> np.uint64(32)).astype(np.int64)
        own = np.maximum(digests[:, 8], 1)
        while len(slots):
            free = np.flatnonzero(tags[slots] == 0)
            placed = free[np.unique(slots[free], return_index=True)[1]]  # one for each free slot
            tags[slots[placed]], places[slots[placed]] = own[placed], numbers[placed]
            left = np.ones(len(slots), dtype=bool)
            left[placed] = False
            slots, own, numbers = (slots[left] + 1) % self._slots, own[left], numbers[left]
