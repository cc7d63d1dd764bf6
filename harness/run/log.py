"""Append-only logs of JSON lines."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from harness.core.errors import HarnessError
from harness.core.json_text import LONGEST, parse_line
from harness.run.folder import write_error
from harness.run.log_lines import LINES

_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

AHEAD = 1 << 16
"""Bytes of a log that are read at once."""
SYNC_SECONDS = 2.0
"""A log that is written is forced to the disk at least this often."""


class AppendLog:
    """A JSON-lines file that only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self.size = _cut_torn_line(self._fd)
        except OSError as error:
            raise write_error(path, error) from None
        self._synced = time.monotonic()

    def append(self, record: Any) -> int:
        """Write one line; returns the offset at which it starts. Raises HarnessError when it cannot."""
        line = _LINE.encode(record).encode("utf-8", "surrogatepass")
        start = self.size
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            now = time.monotonic()
            if now - self._synced > SYNC_SECONDS:
                os.fsync(self._fd)
                self._synced = now
        except OSError as error:
            os.ftruncate(self._fd, start)  # shrinking needs no space
            raise write_error(self.path, error) from None
        self.size = start + len(line) + 1
        return start

    def line_at(self, offset: int) -> Any:
        """The record whose line starts at `offset`."""
        return _line_at(self._fd, offset)

    def close(self) -> None:
        """Force what was written to the disk."""
        os.fsync(self._fd)
        os.close(self._fd)


class LineReader:
    """Single lines of a log by their offset; writes nothing. Where one follows soon behind the last, many are read at
    once."""

    def __init__(self, path: Path) -> None:
        self._file = _opened(path)
        self._start, self._block = 0, b""

    def line_at(self, offset: int) -> Any:
        """The record whose line starts at `offset`."""
        at = offset - self._start
        end = self._block.find(b"\n", at) if 0 <= at < len(self._block) else -1
        if end < 0:
            if not 0 <= at < len(self._block) + AHEAD:
                self._start, self._block = offset, b""
                return _line_at(self._file.fileno(), offset)
            self._start, self._block = offset, os.pread(self._file.fileno(), AHEAD, offset)
            at, end = 0, self._block.find(b"\n")
            if end < 0:
                return _line_at(self._file.fileno(), offset)
        return parse_line(self._block[at:end])

    def close(self) -> None:
        self._file.close()


def _line_at(fd: int, offset: int) -> Any:
    block = b""
    while b"\n" not in block:
        more = os.pread(fd, 16384 if block else 1024, offset + len(block))
        if not more:
            break
        block += more
    return parse_line(block.partition(b"\n")[0])


def _cut_torn_line(fd: int) -> int:
    """Drop a last line without its end, left by a kill or a power cut; returns the size."""
    size = os.fstat(fd).st_size
    end = size
    while end:
        start = max(0, end - 65536)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(fd, end)
    return end


def read_log(path: Path) -> Iterator[tuple[int, Any]]:
    """(offset, record) of each whole line; a torn last line is passed over.

    Raises HarnessError naming file and line of anything else that is no line of this log.
    """
    return ((start, record) for start, _, record in read_lines(path))


def read_lines(path: Path, *, start: int = 0) -> Iterator[tuple[int, int, Any]]:
    """(where it starts, where it ends, record) of each whole line from the byte `start` on, as `read_log`."""
    if not path.exists():
        return
    offset = start
    check = LINES.get(path.name)
    with _opened(path) as file:
        file.seek(start)
        while line := file.readline(LONGEST):
            if not line.endswith(b"\n"):
                if len(line) == LONGEST:
                    raise _broken(path, offset, f"over {LONGEST >> 20} MiB long")
                return
            try:
                record = parse_line(line)
            except ValueError:
                raise _broken(path, offset, "not a JSON line") from None
            try:
                if check is not None:
                    check(record)
            except (TypeError, ValueError, LookupError, AttributeError):
                raise _broken(path, offset, f"not a line of {path.name}") from None
            yield offset, offset + len(line), record
            offset += len(line)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be read: {error.strerror}", hint="check what it is", at_work=False
        ) from None


def _broken(path: Path, offset: int, fault: str) -> HarnessError:
    with _opened(path) as file:
        number = 1 + sum(
            file.read(min(AHEAD, offset - at)).count(b"\n") for at in range(0, offset, AHEAD)
        )
    return HarnessError(
        f"{path}:{number}: {fault}",
        hint="delete that line; its request is then sent again",
        at_work=False,
    )
