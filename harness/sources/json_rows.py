"""JSON tables, row by row: one object per line, or one array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from harness.core.errors import HarnessError
from harness.core.json_text import LONGEST, check_values, parse_json, unique_keys
from harness.sources.encoding import Encoding, encoding_of
from harness.sources.lines import bounded_lines
from harness.sources.row import TableFile, TableRow

_PEEK_ROWS = 200
"""Rows read to learn the columns: an object may leave a column out."""
_CHUNK = 1 << 16
_BLANK = " \t\r\n"
_MARK = re.compile(r"[^ \t\r\n]")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How a surrogate is escaped, of a pair or alone."""
_DECODER = json.JSONDecoder(object_pairs_hook=unique_keys)


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
        raise HarnessError(f"table is empty: {path}", hint="write one JSON object per line")
    return tuple(columns)


def _open(path: Path, encoding: Encoding) -> TextIO:
    return path.open(encoding="utf-8-sig" if encoding.codec == "utf-8" else encoding.codec)


def _lines(path: Path, encoding: Encoding) -> Iterator[TableRow]:
    number = 0
    with _open(path, encoding) as file:
        for line_number, line in enumerate(bounded_lines(file, path), start=1):
            if line.strip():
                number += 1
                where = f"{path.name}, row {number} (line {line_number})"
                yield TableRow(number, where, _object(_parsed(line, where), where, line))


def _array(path: Path, encoding: Encoding) -> Iterator[TableRow]:
    """The members of an array, one in memory at a time."""
    with _open(path, encoding) as file:
        window = _Window(file)
        window.next_mark()  # the bracket
        window.at += 1
        number = 0
        while True:
            where = f"{path.name}, row {number + 1}"
            mark = window.next_mark()
            if not mark:
                raise HarnessError(f"{where}: the array is not closed", hint="get the file again")
            if mark == "]":
                return
            if mark == "," and number:
                window.at += 1
                continue
            number += 1
            value = _member(window, where)
            yield TableRow(number, where, _object(value, where, window.text))


class _Window:
    """The part of a file that is in memory, and the place in it up to which it is read."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = ""
        self.at = 0

    def more(self) -> bool:
        """Read as much again as is not used yet; whether there was any."""
        rest = self.text[self.at :]
        read = self._file.read(max(_CHUNK, len(rest)))
        self.text, self.at = rest + read, 0
        return bool(read)

    def next_mark(self) -> str:
        """The next character that is no white space; empty at the end of the file."""
        while True:
            found = _MARK.search(self.text, self.at)
            self.at = found.start() if found else len(self.text)
            if found or not self.more():
                return found[0] if found else ""


def _member(window: _Window, where: str) -> Any:
    """The value where the window stands; more is read as long as it is cut off."""
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.at)
            fault = "a JSON number that may go on"
            if end < len(window.text) or isinstance(value, dict | list):
                window.at = end
                return value
        except json.JSONDecodeError as error:
            fault = str(error)
        except (ValueError, RecursionError) as error:
            raise _no_json(where, str(error)) from None
        try:
            if len(window.text) - window.at > LONGEST or not window.more():
                raise _no_json(where, fault)
            check_values(window.text)
        except ValueError as error:
            raise _no_json(where, str(error)) from None


def _no_json(where: str, fault: str) -> HarnessError:
    return HarnessError(f"{where}: not valid JSON: {fault}", hint="one object per row")


def _parsed(line: str, where: str) -> Any:
    try:
        return parse_json(line, once=True)
    except ValueError as error:
        raise HarnessError(
            f"{where}: not valid JSON: {error}", hint="one object per line"
        ) from None


def _object(value: Any, where: str, text: str) -> dict[str, Any]:
    """The value as a row, `text` being what it was read from. Raises HarnessError where it is no object."""
    if not isinstance(value, dict):
        raise HarnessError(
            f"{where}: a JSON {type(value).__name__}, not an object",
            hint='write each row as {"column": value, ...}',
        )
    halves = _HALF.search(text) is not None
    return {_writable(key): _writable(held) for key, held in value.items()} if halves else value


def _writable(value: Any) -> Any:
    """The value with a question mark for each escaped half of a surrogate pair, which no file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_writable(one) for one in value]
    if isinstance(value, dict):
        return {_writable(key): _writable(held) for key, held in value.items()}
    return value
