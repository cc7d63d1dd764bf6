"""Digests in the order in which they came, looked up many at a time by their sorted values."""

from __future__ import annotations

import struct
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from harness.run.digests import KEY

_HALVES = struct.Struct("=QQ")


class DigestColumn:
    """Digests of KEY bytes, numbered from 0; one that comes again has a number of its own.

    An entry takes KEY bytes, and half as many more once something is looked up. Unlike `Digests` it is filled first and
    read afterwards, many at a time at a tenth of the time.
    """

    __slots__ = ("_block", "_count", "_firsts", "_order", "_sorted")

    def __init__(self, digests: bytes = b"") -> None:
        """`digests` stand one behind the other."""
        self._block: bytearray | None = bytearray(digests)
        self._count = len(digests) // KEY

    def __len__(self) -> int:
        return self._count

    def append(self, key: bytes) -> None:
        """Add a digest at the end. Nothing may have been looked up yet."""
        assert self._block is not None, "filled first, read afterwards"
        self._block += key
        self._count += 1

    def find(self, keys: bytes | bytearray) -> NDArray[np.int64]:
        """(n,) the number of the last entry that equals each of n digests, which stand one behind the other; -1 where
        there is none."""
        self._sort()
        wanted = _halves(keys)
        places = np.searchsorted(self._sorted[:, 0], wanted[:, 0], side="right") - 1
        found = np.full(len(wanted), -1, dtype=np.int64)
        left = np.flatnonzero(places >= 0)
        while len(left):  # more than once only where digests share their first half
            at = places[left]
            same = self._sorted[at, 0] == wanted[left, 0]
            equal = same & (self._sorted[at, 1] == wanted[left, 1])
            found[left[equal]] = self._order[at[equal]]
            left = left[same & ~equal]
            places[left] -= 1
            left = left[places[left] >= 0]
        return found

    def place(self, key: bytes) -> int:
        """The number of the last entry that equals one digest; -1 where there is none."""
        if not self._count:
            return -1
        self._sort()
        first, second = _HALVES.unpack(key)
        at = bisect_right(self._firsts, first) - 1
        while at >= 0 and self._firsts[at] == first:
            if self._sorted[at, 1] == second:
                return int(self._order[at])
            at -= 1
        return -1

    def last_ones(self) -> NDArray[np.int64]:
        """The number of the last entry of each distinct digest, in rising order."""
        self._sort()
        changes = np.ones(self._count, dtype=bool)
        changes[:-1] = np.any(self._sorted[1:] != self._sorted[:-1], axis=1)
        return np.sort(self._order[changes])

    def _sort(self) -> None:
        """Work out the numbers by rising digest, equal ones in their order, and the digests so."""
        block = self._block
        if block is None:
            return
        halves = _halves(block)
        order = np.argsort(halves[:, 0], kind="stable")
        held = halves[order]
        if np.any((held[1:, 0] == held[:-1, 0]) & (held[1:, 1] != held[:-1, 1])):
            order = np.lexsort((halves[:, 1], halves[:, 0]))
            held = halves[order]
        self._order, self._sorted = order, held
        self._firsts = held[:, 0].data  # to look one up: numpy takes five times as long
        self._block = None  # at last: another thread may be here


def _halves(digests: bytes | bytearray) -> NDArray[np.uint64]:
    """(n, 2) the digests as two numbers each."""
    return np.frombuffer(bytes(digests), dtype=np.uint64).reshape(-1, KEY // 8)
