"""A handle on one encoded picture, which is read on demand."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from harness.core.errors import HarnessError, MediaError

MAX_FILE_BYTES = 64 * 1024 * 1024
"""An encoded picture above this size is refused unread."""


@runtime_checkable
class Picture(Protocol):
    """One encoded picture, wherever it lies."""

    @property
    def name(self) -> str:
        """What people call it: a path, an id, `faces/test-000012/3`."""
        ...

    def read(self) -> bytes:
        """The encoded bytes (PNG, JPEG, WebP...). Raises MediaError."""
        ...


@runtime_checkable
class Redrawable(Protocol):
    """A drawn picture that can be drawn again with one cue of its face changed and all else equal."""

    def with_cue(self, cue: str, value: str) -> Picture:
        """The changed picture. Its `read` raises MediaError where the cue cannot change alone."""
        ...


@dataclass(frozen=True, slots=True, init=False)
class FilePicture:
    """A picture in a file. Held as text: a table of a million makes a million of these, and a Path takes 5 µs."""

    name: str
    """The path as pathlib spells it."""

    def __init__(self, path: str | Path) -> None:
        object.__setattr__(self, "name", str(path))

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.name)

    def read(self) -> bytes:
        try:
            data = _read_file(self.name)
        except FileNotFoundError:
            raise MediaError(
                f"picture not found: {self.name}",
                kind="missing",
                hint="relative paths start at the folder of the table that names them, or at "
                "--set media.root=FOLDER",
            ) from None
        except OSError as error:
            refuse_exhausted(error, f"reading {self.name}")
            raise MediaError(
                f"picture cannot be read: {self.name}: {error.strerror}", kind="missing"
            ) from None
        if not data:
            raise MediaError(
                f"picture file is empty: {self.name}", kind="empty", hint="get the file again"
            )
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(self.name)
        return data


_NO_WAITING = (
    getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_BINARY = getattr(os, "O_BINARY", 0)


def _too_large(path: str) -> MediaError:
    return MediaError(
        f"picture file is larger than {MAX_FILE_BYTES >> 20} MiB: {path}",
        kind="too-large",
        hint="make it smaller before the run",
    )


def _read_file(path: str) -> bytes:
    """The bytes of a regular file, and no more than one over the limit.

    A pipe, a socket or a device is refused unopened: it might wait for ever, or act. Raises MediaError, OSError.
    """
    status = os.stat(path)  # noqa: PTH116 - once a sample
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for name, is_one in _KINDS if is_one(status.st_mode)), "something else")
        raise MediaError(
            f"picture is {kind}, not a file: {path}",
            kind="unsupported",
            hint="name a file; for a clip, name its folder in source.frames",
        )
    if status.st_size > MAX_FILE_BYTES:
        raise _too_large(path)
    descriptor = os.open(path, os.O_RDONLY | _NO_WAITING | _BINARY)
    try:
        data = os.read(descriptor, status.st_size + 1)
        while len(data) != status.st_size and len(data) <= MAX_FILE_BYTES:
            more = os.read(descriptor, 1 << 16)  # it has grown, or came in parts
            if not more:
                break
            data += more
    finally:
        os.close(descriptor)
    return data


_KINDS = (
    ("a folder", stat.S_ISDIR),
    ("a pipe", stat.S_ISFIFO),
    ("a socket", stat.S_ISSOCK),
    ("a device", stat.S_ISCHR),
    ("a device", stat.S_ISBLK),
)


def refuse_exhausted(error: OSError | MemoryError, doing: str) -> None:
    """Raise HarnessError where the machine has run out of something: no picture is at fault then."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else error.errno
    what = _EXHAUSTED.get(number or 0)
    if what:
        raise HarnessError(f"out of {what[0]} while {doing}", hint=what[1]) from error


_EXHAUSTED = MappingProxyType(
    {
        errno.EMFILE: (
            "file descriptors (limit of this process)",
            "raise the limit (ulimit -n 4096) or lower --concurrency, then run the same "
            "command again",
        ),
        errno.ENFILE: (
            "file descriptors (limit of the system)",
            "close programs with many open files, then run the same command again",
        ),
        errno.ENOMEM: (
            "memory",
            "free memory or lower --concurrency, then run the same command again",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A picture whose bytes came with its row (Parquet, Hugging Face data sets)."""

    name: str
    data: bytes = field(repr=False)

    def read(self) -> bytes:
        if not self.data:
            raise MediaError(f"picture is empty: {self.name}", kind="empty")
        return self.data


class Remembered:
    """A picture read at most once; lives as long as the sample it belongs to."""

    __slots__ = ("_data", "_picture")

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._data: bytes | None = None

    @property
    def name(self) -> str:
        return self._picture.name

    @property
    def origin(self) -> Picture:
        """The picture that is remembered."""
        return self._picture

    def read(self) -> bytes:
        if self._data is None:
            self._data = self._picture.read()
        return self._data
