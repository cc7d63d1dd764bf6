"""Digests in the order in which they came, looked up many at a time by their sorted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.run.digests import KEY


class DigestColumn:
    """Digests of KEY bytes, numbered from 0; one that comes again has a number of its own.

    An entry takes KEY bytes, and twice as many once something is looked up. Unlike `Digests` it is filled first and
    read afterwards, at a tenth of the time.
    """

    __slots__ = ("_block", "_order", "_sorted")

    def __init__(self) -> None:
        self._block = bytearray()
        self._order: NDArray[np.int64] | None = None
        self._sorted: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self._block) // KEY

    def append(self, key: bytes) -> None:
        """Add a digest at the end. Nothing may have been looked up yet."""
        self._block += key

    def find(self, keys: bytes | bytearray) -> NDArray[np.int64]:
        """(n,) the number of the last entry that equals each of n digests, which stand one behind the other; -1 where
        there is none."""
        order, held = self._sort()
        wanted = _halves(keys)
        places = np.searchsorted(held[:, 0], wanted[:, 0], side="right") - 1
        found = np.full(len(wanted), -1, dtype=np.int64)
        left = np.flatnonzero(places >= 0)
        while len(left):  # more than once only where digests share their first half
            at = places[left]
            same = held[at, 0] == wanted[left, 0]
            equal = same & (held[at, 1] == wanted[left, 1])
            found[left[equal]] = order[at[equal]]
            left = left[same & ~equal]
            places[left] -= 1
            left = left[places[left] >= 0]
        return found

    def last_ones(self) -> NDArray[np.int64]:
        """The number of the last entry of each distinct digest, in rising order."""
        order, held = self._sort()
        if not len(order):
            return order
        changes = np.any(held[1:] != held[:-1], axis=1)
        return np.sort(order[np.append(changes, True)])

    def _sort(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The numbers by rising digest, equal ones in their order, and the digests so."""
        if self._order is None or self._sorted is None:
            halves = _halves(self._block)
            self._order = np.lexsort((halves[:, 1], halves[:, 0]))
            self._sorted = halves[self._order]
        return self._order, self._sorted


def _halves(digests: bytes | bytearray) -> NDArray[np.uint64]:
    """(n, 2) the digests as two numbers each."""
    return np.frombuffer(bytes(digests), dtype=np.uint64).reshape(-1, KEY // 8)
