"""A handle on one encoded picture. Nothing is read until it is asked for."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.core.errors import MediaError

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


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture in a file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        try:
            with self.path.open("rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                known = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES
                # Asked for the most there may be, a reader first finds room for all of that.
                data = file.readall() if known else BufferedReader(file).read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            raise MediaError(
                f"picture not found: {self.path}",
                kind="missing",
                hint="a relative path starts at the table that names it, or at --set source.root=FOLDER",
            ) from None
        except OSError as error:
            raise MediaError(
                f"picture cannot be read: {self.path}: {error.strerror}", kind="missing"
            ) from None
        if not data:
            raise MediaError(
                f"picture is an empty file: {self.path}", kind="empty", hint="fetch it again"
            )
        if len(data) > MAX_FILE_BYTES:
            raise MediaError(
                f"picture file is over {MAX_FILE_BYTES >> 20} MiB: {self.path}",
                kind="too-large",
                hint="shrink it before the run",
            )
        return data


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
