"""Sample ids: safe as file names, unique, and checked in little memory."""

from __future__ import annotations

import hashlib
import re
from array import array

from harness.core.errors import HarnessError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 512


def fault_of(sample_id: str) -> str | None:
    """What is wrong with an id; None where nothing is."""
    if not sample_id.strip():
        return "is blank"
    if len(sample_id) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if _CONTROL.search(sample_id):
        return "contains a control character"
    if sample_id.startswith(("/", "\\", "~")) or _DRIVE.match(sample_id):
        return "is an absolute path"
    if ".." in sample_id and ".." in re.split(r"[/\\]", sample_id):
        return "points outside its folder ('..')"
    return None


def check_id(sample_id: str, *, where: str) -> None:
    """Refuse an id that is blank, or a path out of place. Raises HarnessError naming the row."""
    fault = fault_of(sample_id)
    if fault:
        raise HarnessError(
            f"{where}: the id {sample_id[:80]!r} {fault}",
            hint="give each row a simple id, such as a name or a path inside the data folder",
        )


class SeenIds:
    """A set of ids that can say "seen before", by 64-bit hashes in one flat array.

    16 to 32 bytes an id. Two ids share a hash with probability about n^2 / 2^65, 3e-8 for a million:
    callers that must be sure look again at the ids themselves.
    """

    __slots__ = ("_count", "_mask", "_slots", "repeated")

    def __init__(self) -> None:
        self._slots = array("Q", [0]) * 1024
        self._mask = 1023
        self._count = 0
        self.repeated = False
        """Whether an id (or its hash) came again."""

    def add(self, sample_id: str) -> bool:
        """Remember an id; True where it (or one with its hash) was there already."""
        value = _hash64(sample_id)
        place = self._find(value)
        if self._slots[place] == value:
            self.repeated = True
            return True
        self._slots[place] = value
        self._count += 1
        if self._count * 2 > self._mask:
            self._grow()
        return False

    def _find(self, value: int) -> int:
        """The slot that holds the value, or the free one where it belongs."""
        place = value & self._mask
        while self._slots[place] not in (0, value):
            place = (place + 1) & self._mask
        return place

    def _grow(self) -> None:
        old = self._slots
        self._mask = 2 * self._mask + 1
        self._slots = array("Q", [0]) * (self._mask + 1)
        for value in old:
            if value:
                self._slots[self._find(value)] = value


class IdCheck:
    """Whether the ids of a source that is read several times differ: they are held while it is read, until it was read to
    its end once and none came twice."""

    __slots__ = ("_differ",)

    def __init__(self) -> None:
        self._differ = False

    def begin(self) -> SeenIds | None:
        """Before the source is read: where its ids are kept; None where they are known to differ."""
        return None if self._differ else SeenIds()

    def end(self, seen: SeenIds | None) -> None:
        """After the source was read to its end."""
        self._differ = seen is None or not seen.repeated


def _hash64(text: str) -> int:
    """A hash that is never 0, which marks a free slot."""
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big") or 1
