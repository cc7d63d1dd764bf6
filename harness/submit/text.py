"""Bytes of a file of answers as text: encodings, byte order marks and line ends that a challenge's scorer may not read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

BOM = "\ufeff"
WINDOWS = "Windows line endings"
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
"""How encodings of two and four bytes a letter begin."""
_DIGITS = re.compile(r"[0-9]{1,9}")
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
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded("", f"line 1: {encoding}; save the file as UTF-8")
    if b"\0" in data[:2]:
        return Decoded(
            "", "line 1: a NUL byte, as UTF-16 without its mark has; save the file as UTF-8"
        )
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


def whole_number(text: str) -> int | None:
    """The number that plain digits write; None for a sign, a point, digits of other scripts, and more than nine digits."""
    return int(text) if _DIGITS.fullmatch(text) else None


def table_of(text: str, columns: Sequence[str]) -> tuple[list[list[str]], str]:
    """The rows of a CSV table below its header, blank ones at the end let pass, and what is wrong with it as a whole;
    empty for nothing."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        return [], f"line {reader.line_num}: not a CSV table: {error}"
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows or tuple(rows[0]) != tuple(columns):
        told = ",".join(rows[0])[:120] if rows else ""
        return [], f"the first line must be {','.join(columns)}, not {told or 'blank'}"
    return rows[1:], ""
