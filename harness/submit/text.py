"""Bytes of a file of answers as text: encodings, byte order marks and line ends that a challenge's scorer may not read."""

from __future__ import annotations

import re
from dataclasses import dataclass

BOM = "\ufeff"
WINDOWS = "Windows line endings"
_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins."""
_CR = re.compile(r"\r(?!\n)")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u2060\ufeff]")
"""Control characters, other ends of lines, and spaces without width."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file of answers as text."""

    text: str
    """Without a byte order mark, lines ended by LF."""
    unreadable: str = ""
    """Why there is no text; empty where there is."""
    faults: tuple[str, ...] = ()
    """What a scorer may stumble over; the text can be read nevertheless."""
    warnings: tuple[str, ...] = ()


def decoded(data: bytes) -> Decoded:
    """The text of a file, with faults that name the line, counted from 1."""
    if not data.strip():
        return Decoded("", "the file is empty")
    if data[:2] in _MARKS:
        return Decoded("", "line 1: UTF-16; save the file as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        return Decoded("", f"line {line}: not UTF-8 (byte {data[error.start]:#04x}); save the file as UTF-8")  # fmt: skip
    faults = []
    if text.startswith(BOM):
        faults.append("line 1: a byte order mark; save the file as UTF-8 without one")
        text = text[1:]
    warnings: tuple[str, ...] = (WINDOWS,) if "\r\n" in text else ()
    if hidden := _INVISIBLE.search(text):
        line, code = text.count("\n", 0, hidden.start()) + 1, ord(hidden[0])
        warnings += (f"line {line}: an invisible character (U+{code:04X}), which other programs may read otherwise",)  # fmt: skip
    text = text.replace("\r\n", "\n")
    alone = _CR.search(text)
    if alone:
        line = text.count("\n", 0, alone.start()) + 1
        faults.append(f"line {line}: ends in CR alone; save the file with LF line ends")
        text = text.replace("\r", "\n")
    return Decoded(text, "", tuple(faults), warnings)
