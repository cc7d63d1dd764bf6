"""Detect the encoding of a text file: UTF-8, UTF-16, or Windows cp1252."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError

_CHUNK = 1 << 20
_HEAD = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_CP1252 = re.compile(rb"[\x00-\x08\x0e-\x1f\x81\x8d\x8f\x90\x9d]")
"""Control characters, and bytes that cp1252 leaves undefined."""
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec of Python's, and what is to be said of it."""

    codec: str
    note: str = ""


def encoding_of(path: Path) -> Encoding:
    """The encoding of a text file; the file is read through once, a megabyte at a time.

    A byte order mark decides; else zeros at every second byte mean UTF-16; else UTF-8 where the bytes are that; else
    cp1252 where its letters stand apart, as they do in Western text. Raises HarnessError for anything else.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            wide = codec != "utf-8-sig"
            return _checked(path, codec, f"read as {codec.upper()}" if wide else "")
    wide_codec = _without_mark(head)
    if wide_codec:
        return _checked(path, wide_codec, f"read as {wide_codec.upper()}")
    try:
        return _checked(path, "utf-8", "")
    except HarnessError:
        if not _is_western(path):
            raise
    return Encoding("cp1252", "is not UTF-8; read as cp1252 (Western Windows)")


def _without_mark(head: bytes) -> str:
    """UTF-16 where every second byte of the beginning is mostly zero; else nothing."""
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return ""
    if odd.count(0) > len(odd) // 2 and even.count(0) * 20 < len(even):
        return "utf-16-le"
    if even.count(0) > len(even) // 2 and odd.count(0) * 20 < len(odd):
        return "utf-16-be"
    return ""


def _checked(path: Path, codec: str, note: str) -> Encoding:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        raise HarnessError(
            f"{path.name} is not {'UTF-8' if codec.startswith('utf-8') else codec.upper()} text (byte 0x{bad:02x})",
            hint=f"save it as UTF-8, for example: iconv -f gb18030 -t utf-8 {path.name} > "
            f"utf8-{path.name}",
        ) from None
    return Encoding(codec, note)


def _is_western(path: Path) -> bool:
    """Whether a file may be cp1252: no byte that it lacks, and letters beyond ASCII mostly one at a time."""
    alone = together = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if _NOT_CP1252.search(chunk):
                return False
            for run in _HIGH_RUN.findall(chunk):
                if len(run) == 1:
                    alone += 1
                else:
                    together += len(run)
    return alone > together
