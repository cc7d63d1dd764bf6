"""Mask keys in everything a server sends, in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

_LEAST = 8
"""A key of fewer letters is a placeholder, and may be a word of a reply."""
_ESCAPES = ("\\", "%", "&")
STARS = "***"


class Mask:
    """Replaces secrets by stars: as they are, and with any of their characters escaped as JSON, URLs or HTML do."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._plain = tuple(sorted((s for s in secrets if len(s) >= _LEAST), key=len, reverse=True))
        self._bytes = tuple(secret.encode() for secret in self._plain)
        self._escaped: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """A decoded text without the secrets."""
        if not self._plain:
            return text
        for secret in self._plain:
            if secret in text:
                text = text.replace(secret, STARS)
        if any(sign in text for sign in _ESCAPES):
            if self._escaped is None:
                self._escaped = re.compile("|".join(map(_spellings, self._plain)), re.IGNORECASE)
            text = self._escaped.sub(STARS, text)
        return text

    def data(self, data: bytes) -> bytes:
        """Bytes without the secrets as they are; what is escaped in them is masked when it is decoded."""
        for secret in self._bytes:
            if secret in data:
                data = data.replace(secret, STARS.encode())
        return data


def _spellings(secret: str) -> str:
    """A pattern for a secret of which any character may be escaped."""
    return "".join(_spelling(character) for character in secret)


def _spelling(character: str) -> str:
    code = ord(character)
    hexadecimal = "".join(f"%{byte:02x}" for byte in character.encode())
    named = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}.get(character)
    forms = [
        rf"\\{{0,4}}(?-i:{re.escape(character)})",
        rf"\\{{1,4}}u00{code:02x}",
        rf"\\{{1,4}}x{code:02x}",
        re.escape(hexadecimal),
        re.escape(quote(hexadecimal, safe="")),
        rf"&#0{{0,6}}{code};",
        rf"&#x0{{0,6}}{code:x};",
        *([re.escape(named)] if named else []),
    ]
    return f"(?:{'|'.join(forms)})"
