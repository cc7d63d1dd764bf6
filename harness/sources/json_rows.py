"""JSON tables, row by row: one object a line, or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from harness.core.errors import HarnessError
from harness.sources.encoding import Encoding, encoding_of
from harness.sources.row import TableFile, TableRow

_PEEK_ROWS = 200
"""Rows read to learn the columns: an object may leave a column out."""
_CHUNK = 1 << 16
_LARGEST_ROW = 1 << 28
"""Characters of one object of an array; more is taken for a file that is broken."""
_BLANK = " \t\r\n"


def open_json(path: Path) -> TableFile:
    """A table of JSON objects. An array is told from lines by its first character.

    Raises HarnessError: an unknown encoding, no row; and, while reading, whatever is no JSON object.
    """
    encoding = encoding_of(path)
    with _open(path, encoding) as file:
        is_array = first_character(file) == "["
    objects = _array if is_array else _lines

    def read() -> Iterator[TableRow]:
        return objects(path, encoding)

    notes = (f"{path.name} {encoding.note}",) if encoding.note else ()
    return TableFile(path, _columns(path, read), read, notes)


def first_character(file: TextIO) -> str:
    """The first character of a file that is no white space; empty where there is none."""
    while chunk := file.read(_CHUNK):
        if text := chunk.lstrip(_BLANK):
            return text[0]
    return ""


def _columns(path: Path, read: Callable[[], Iterator[TableRow]]) -> tuple[str, ...]:
    columns: dict[str, None] = {}
    for row in read():
        columns.update(dict.fromkeys(row.cells))
        if row.number >= _PEEK_ROWS:
            break
    if not columns:
        raise HarnessError(f"table is empty: {path}", hint="give one JSON object a line")
    return tuple(columns)


def _open(path: Path, encoding: Encoding) -> TextIO:
    return path.open(encoding="utf-8-sig" if encoding.codec == "utf-8" else encoding.codec)


def _lines(path: Path, encoding: Encoding) -> Iterator[TableRow]:
    number = 0
    with _open(path, encoding) as file:
        for line_number, line in enumerate(file, start=1):
            if line.strip():
                number += 1
                where = f"{path.name}, row {number} (line {line_number})"
                yield TableRow(number, where, _object(_parsed(line, where), where))


def _array(path: Path, encoding: Encoding) -> Iterator[TableRow]:
    """The members of an array, one in memory at a time."""
    decoder = json.JSONDecoder()
    with _open(path, encoding) as file:
        text = _more(file, "").lstrip(_BLANK).removeprefix("[")
        number = 0
        while True:
            text = _more(file, text) if not text.strip(_BLANK) else text
            text = text.lstrip(_BLANK)
            where = f"{path.name}, row {number + 1}"
            if not text:
                raise HarnessError(f"{where}: the array is not closed", hint="fetch it again")
            if text[0] == "]":
                return
            if text[0] == "," and number:
                text = text[1:]
                continue
            value, text = _member(decoder, file, text, where)
            number += 1
            yield TableRow(number, where, _object(value, where))


def _member(decoder: json.JSONDecoder, file: TextIO, text: str, where: str) -> tuple[Any, str]:
    """The value at the beginning of the text, and what follows it; more is read as long as it is cut off."""
    while True:
        try:
            value, end = decoder.raw_decode(text)
            if end < len(text) or isinstance(value, dict | list):
                return value, text[end:]
            fault = "a JSON number that may go on"
        except (ValueError, RecursionError) as error:
            fault = str(error)
        longer = _more(file, text) if len(text) < _LARGEST_ROW else text
        if longer == text:
            raise HarnessError(f"{where}: not JSON: {fault}", hint="one object a row")
        text = longer


def _more(file: TextIO, text: str) -> str:
    """The text with as much again read behind it."""
    return text + file.read(max(_CHUNK, len(text)))


def _parsed(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{where}: not JSON: {error}", hint="one object a line") from None


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise HarnessError(
            f"{where}: a JSON {type(value).__name__}, not an object",
            hint='write each row as {"column": value, ...}',
        )
    return value
