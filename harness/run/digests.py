"""A compact table from digests to values of one size: a fifth of the memory of a dict of objects."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator

KEY = 16
"""Bytes of a digest: of a million names two share theirs with probability 2e-27."""


def digest(text: str) -> bytes:
    """The digest of a name (BLAKE2b)."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY).digest()


def short_key(key: str) -> bytes:
    """The key of a request as tables of digests hold it."""
    return bytes.fromhex(key)[:KEY]


class Digests:
    """Digests of KEY bytes, which must be as good as random, each with a value of `size` bytes.

    Open addressing with linear probing over places in a block that grows at its end; nothing is ever taken out.
    An entry takes KEY + `size` bytes and 6 to 12 bytes of table.
    """

    __slots__ = ("_entries", "_size", "_slots", "_width")

    def __init__(self, size: int) -> None:
        self._size = size
        self._width = KEY + size
        self._entries = bytearray()
        self._slots = array("I", bytes(4 * 1024))

    def __len__(self) -> int:
        return len(self._entries) // self._width

    def get(self, key: bytes) -> bytes | None:
        """The value of a digest."""
        number = self._slots[self._slot(key)]
        if not number:
            return None
        start = (number - 1) * self._width + KEY
        return bytes(self._entries[start : start + self._size])

    def put(self, key: bytes, value: bytes) -> bool:
        """Set the value of a digest; True where it had none before."""
        slot = self._slot(key)
        number = self._slots[slot]
        if number:
            start = (number - 1) * self._width + KEY
            self._entries[start : start + self._size] = value
            return False
        self._entries += key
        self._entries += value
        self._slots[slot] = count = len(self)
        if count * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def digests(self) -> Iterator[bytes]:
        """The digests, in the order in which they came."""
        for start in range(0, len(self._entries), self._width):
            yield bytes(self._entries[start : start + KEY])

    def values(self) -> Iterator[bytes]:
        """The values, in the order in which their digests came."""
        for start in range(KEY, len(self._entries), self._width):
            yield bytes(self._entries[start : start + self._size])

    def number(self, key: bytes) -> int:
        """The place of a digest in the order in which digests came, from 0; a new one is put in."""
        slot = self._slot(key)
        number = self._slots[slot]
        if not number:
            self.put(key, bytes(self._size))
            number = len(self)
        return number - 1

    def _slot(self, key: bytes) -> int:
        """Where a digest stands in the table, or the free place where it belongs."""
        slots, entries, width = self._slots, self._entries, self._width
        mask = len(slots) - 1  # not the one of a table that another thread has just made larger
        slot = int.from_bytes(key[:4], "little") & mask
        while number := slots[slot]:
            start = (number - 1) * width
            if entries[start : start + KEY] == key:
                break
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        slots = array("I", bytes(8 * len(self._slots)))
        mask = len(slots) - 1
        for number in range(len(self)):
            start = number * self._width
            slot = int.from_bytes(self._entries[start : start + 4], "little") & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = number + 1
        self._slots = slots
