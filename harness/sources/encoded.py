"""Pictures encoded as text in cells: data URIs, and base64 as in VLMEvalKit's tables."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from harness.core.errors import MediaError
from harness.media.headers import is_picture

_URI = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_HEAD = 64
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture in a cell; decoded when it is read."""

    name: str
    text: str = field(repr=False)

    def read(self) -> bytes:
        data = decoded(self.text)
        if not data:
            raise MediaError(
                f"the cell of {self.name} is not valid base64",
                kind="corrupt",
                hint="write the table again",
            )
        return data


def is_encoded(text: str) -> bool:
    """Whether a cell is a data URI, or base64 whose first bytes are those of a picture."""
    if len(text) < _HEAD:  # as nearly all cells are
        return text[:5].lower() == "data:" and _URI.match(text) is not None
    if text[:5].lower() == "data:" and _URI.match(text):
        return True
    if not _BASE64.fullmatch(text[:_HEAD]):
        return False
    return is_picture(decoded(text[: _HEAD // 4 * 4]))


def decoded(text: str) -> bytes:
    """The bytes of a data URI or of base64 text; empty where it is neither."""
    uri = _URI.match(text)
    body = text[uri.end() :] if uri else text
    if uri and ";base64" not in uri.group().lower():
        return unquote_to_bytes(body)
    body = "".join(body.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def content_id(data: bytes) -> str:
    """An id for a picture that has no name: the beginning of its SHA-256."""
    return f"sha256-{hashlib.sha256(data).hexdigest()[:16]}"
