"""What each line of a log comes to, kept beside the log, so that a start need not parse it again.

An index is written in blocks behind what it tells of. Each block says up to which byte of the log it reaches and the digest of
all bytes up to there; a start takes the blocks whose log is still the same to the byte, and reads the lines behind
them. So a log that was edited, cut or put back from a copy is read itself, as is one whose index is missing or
damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.run.digests import KEY
from harness.run.folder import write_error

BLOCK = 4096
"""Lines of a block."""
_HEAD = struct.Struct("<4sIIIQ16s")
"""Mark, bytes of an entry, entries, bytes of notes, bytes of the log, their digest."""
_MARK = b"LOG1"
_READ = 1 << 20


def index_of(log: Path) -> Path:
    """Where the index of a log of a run lies."""
    return log.parent / "private" / "index" / f"{log.stem}.bin"


class LogIndex:
    """The index of one log: entries of `width` bytes, one a line, and notes that come seldom."""

    def __init__(self, log: Path, width: int) -> None:
        """Read what of the index still tells of the log; nothing is written before `open`."""
        self.log, self.width, self._path = log, width, index_of(log)
        self.entries, self.notes = bytearray(), list[str]()
        """Of the lines up to `end`; whoever has read them may empty the entries."""
        self.end = 0
        """Bytes of the log that the index tells of."""
        self.known_whole = not log.exists() or not log.stat().st_size
        """Whether the log is known to hold all that the index ever told of it. False where the index tells nothing."""
        self._kept = 0
        """Bytes of the index that hold."""
        self._hash = hashlib.blake2b(digest_size=KEY)
        self._coming, self._ends = bytearray(), array("Q")
        self._new_notes: list[tuple[int, str]] = []
        self._file: IO[bytes] | None = None
        self._failed = False
        """What fails once is not tried again."""
        self._firsts, self._places = array("Q"), array("Q")
        """Of each block written here the number of its first entry, and where in the index its entries begin."""
        self._written = 0
        """Entries in these blocks."""
        self._read()

    @property
    def added(self) -> int:
        """How many entries were added here: their numbers are less."""
        return self._written + len(self._ends)

    def add(self, entry: bytes, end: int, *, note: str = "") -> None:
        """Put the entry of the next line, which ends before the byte `end` of the log. Raises HarnessError where the
        index is open and cannot be written."""
        self._coming += entry
        self._ends.append(end)
        if note:
            self._new_notes.append((len(self._ends), note))
            self.notes.append(note)
        if self._file is not None and len(self._ends) >= BLOCK:
            self.write()

    def entry(self, number: int) -> bytes:
        """The entry that was added as `number`, from 0. Raises HarnessError where it cannot be read back."""
        if number >= self._written:
            start = (number - self._written) * self.width
            return bytes(self._coming[start : start + self.width])
        block = bisect_right(self._firsts, number) - 1
        place = self._places[block] + (number - self._firsts[block]) * self.width
        return self._pread(self.width, place)

    def digests(self) -> Iterator[NDArray[np.uint8]]:
        """(n, KEY) the digests of all entries that were added, in pieces."""
        stops = [*self._firsts, self._written][1:]
        for first, stop, place in zip(self._firsts, stops, self._places, strict=True):
            yield self._keys(self._pread((stop - first) * self.width, place))
        yield self._keys(bytes(self._coming))

    def _keys(self, entries: bytes) -> NDArray[np.uint8]:
        return np.frombuffer(entries, dtype=np.uint8).reshape(-1, self.width)[:, :KEY]

    def _pread(self, size: int, place: int) -> bytes:
        assert self._file is not None, "an index that is written is open"
        try:
            found = os.pread(self._file.fileno(), size, place)
        except OSError as error:
            raise HarnessError(f"{self._path} cannot be read: {error.strerror}") from None
        if len(found) < size:
            raise HarnessError(
                f"{self._path} was cut while the run wrote it", hint="start again: replies are kept"
            )
        return found

    def open(self) -> None:
        """Write from now on, beginning with what has come. Raises HarnessError where that cannot be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
            self._file.truncate(self._kept)
        except OSError as error:
            raise write_error(self._path, error) from None
        self.write()

    def write(self) -> None:
        """Write what has come, in blocks. Raises HarnessError where that cannot be."""
        file = self._file
        if file is None or self._failed:
            return
        firsts, places = array("Q"), array("Q")
        try:
            with self.log.open("rb") as log:
                log.seek(self.end)
                for start in range(0, len(self._ends), BLOCK):
                    block = self._block(log, start, min(start + BLOCK, len(self._ends)))
                    firsts.append(self._written + start)
                    places.append(self._kept + _HEAD.size)
                    self._kept += file.write(block)
            file.flush()
        except OSError as error:
            self._failed = True
            raise write_error(self._path, error) from None
        self._firsts += firsts
        self._places += places
        self._written += len(self._ends)
        self._coming, self._ends, self._new_notes = bytearray(), array("Q"), []

    def close(self) -> None:
        """Write what is held back. What cannot be written any more is done without."""
        file = self._file
        with contextlib.suppress(HarnessError):
            self.write()
        self._file = None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def _block(self, log: IO[bytes], start: int, stop: int) -> bytes:
        end = self._ends[stop - 1]
        while self.end < end and (part := log.read(min(end - self.end, _READ))):
            self._hash.update(part)
            self.end += len(part)
        told = [note for number, note in self._new_notes if start < number <= stop]
        notes = json.dumps(told).encode() if told else b""
        head = _HEAD.pack(_MARK, self.width, stop - start, len(notes), end, self._hash.digest())
        body = head + self._coming[start * self.width : stop * self.width] + notes
        return body + _check(body)

    def _read(self) -> None:
        """Take the blocks that tell of the log as it is."""
        try:
            data, size = self._path.read_bytes(), self.log.stat().st_size
        except OSError:
            return
        told = list(_blocks(data, self.width))
        blocks = [one for one in told if one[1] <= size]
        if told:
            self.known_whole = len(blocks) == len(told)
        if not blocks:
            return
        found, left = hashlib.blake2b(digest_size=KEY), blocks[-1][1]
        with self.log.open("rb") as log:
            while left and (part := log.read(min(left, _READ))):
                found.update(part)
                left -= len(part)
        if found.digest() != blocks[-1][2]:
            self.known_whole = False
            return
        self._hash, self.end, self._kept = found, blocks[-1][1], blocks[-1][0]
        for _, _, _, entries, notes in blocks:
            self.entries += entries
            self.notes += notes


def _blocks(data: bytes, width: int) -> Iterator[tuple[int, int, bytes, memoryview, list[str]]]:
    """(where it ends in the index, where in the log, digest of the log up to there, entries, notes) of each whole block."""
    view, at, before = memoryview(data), 0, 0
    while at + _HEAD.size + KEY <= len(data):
        mark, size, count, told, end, digest = _HEAD.unpack_from(data, at)
        stop = at + _HEAD.size + count * width + told
        if mark != _MARK or size != width or end <= before or stop + KEY > len(data):
            return
        if _check(view[at:stop]) != data[stop : stop + KEY]:
            return
        entries = view[at + _HEAD.size : stop - told]
        notes = json.loads(bytes(view[stop - told : stop])) if told else []
        yield stop + KEY, end, digest, entries, notes
        at, before = stop + KEY, end


def _check(body: Any) -> bytes:
    return hashlib.blake2b(body, digest_size=KEY).digest()
