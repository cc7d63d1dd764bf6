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
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

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
        self._log, self._path, self._width = log, index_of(log), width
        self.entries, self.notes = bytearray(), list[str]()
        """Of the lines up to `end`; whoever has read them may empty the entries."""
        self.end = 0
        """Bytes of the log that the index tells of."""
        self._kept = 0
        """Bytes of the index that hold."""
        self._hash = hashlib.blake2b(digest_size=KEY)
        self._coming, self._ends = bytearray(), array("Q")
        self._new_notes: list[tuple[int, str]] = []
        self._file: IO[bytes] | None = None
        self._read()

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

    def open(self) -> None:
        """Write from now on, beginning with what has come. Raises HarnessError where that cannot be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")
            self._file.truncate(self._kept)
        except OSError as error:
            raise write_error(self._path, error) from None
        self.write()

    def write(self) -> None:
        """Write what has come, in blocks. Raises HarnessError where that cannot be."""
        file, self._file = self._file, None  # what fails once is not tried again
        if file is None:
            return
        try:
            with self._log.open("rb") as log:
                log.seek(self.end)
                for start in range(0, len(self._ends), BLOCK):
                    file.write(self._block(log, start, min(start + BLOCK, len(self._ends))))
            file.flush()
        except OSError as error:
            with contextlib.suppress(OSError):
                file.close()
            raise write_error(self._path, error) from None
        self._file = file
        self._coming, self._ends, self._new_notes = bytearray(), array("Q"), []

    def close(self) -> None:
        """Write what is held back. What cannot be written any more is done without."""
        with contextlib.suppress(HarnessError, OSError):
            self.write()
            if self._file is not None:
                self._file.close()
        self._file = None

    def _block(self, log: IO[bytes], start: int, stop: int) -> bytes:
        end = self._ends[stop - 1]
        self._hash.update(log.read(end - self.end))
        self.end = end
        told = [note for number, note in self._new_notes if start < number <= stop]
        notes = json.dumps(told).encode() if told else b""
        head = _HEAD.pack(_MARK, self._width, stop - start, len(notes), end, self._hash.digest())
        body = head + self._coming[start * self._width : stop * self._width] + notes
        return body + _check(body)

    def _read(self) -> None:
        """Take the blocks that tell of the log as it is."""
        try:
            data, size = self._path.read_bytes(), self._log.stat().st_size
        except OSError:
            return
        blocks = [one for one in _blocks(data, self._width) if one[1] <= size]
        if not blocks:
            return
        found, left = hashlib.blake2b(digest_size=KEY), blocks[-1][1]
        with self._log.open("rb") as log:
            while left and (part := log.read(min(left, _READ))):
                found.update(part)
                left -= len(part)
        if found.digest() != blocks[-1][2]:
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
