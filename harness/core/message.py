"""A rendered conversation: turns of text and pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded picture in a turn, as it will be sent: the file's own bytes where nothing changed it."""

    name: str
    data: bytes = field(repr=False)
    digest: str = ""
    """Hex SHA-256 of `data`."""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.data).hexdigest())

    @property
    def mime(self) -> str:
        """The media type, read from the first bytes."""
        for magic, mime in _MAGIC:
            if self.data.startswith(magic):
                return mime
        if self.data[8:12] == b"WEBP":
            return "image/webp"
        return "application/octet-stream"


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)

Part: TypeAlias = Text | Image


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The turn's text with each picture written as [image: name]."""
        return "".join(p.text if isinstance(p, Text) else f"[image: {p.name}]" for p in self.parts)
