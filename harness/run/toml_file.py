"""TOML with line numbers, so that errors can name the place to correct."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.text import read_small
from harness.run.yaml_file import Place

LARGEST = 256 << 10
"""Bytes of a TOML file that is read."""
_LONGEST_VALUE = 200
"""Lines of a value that is looked through for its end."""


def read_toml(path: Path) -> tuple[dict[str, Any], Place]:
    """The tables of a TOML file, and a function that names the line of a key path in it (that of the table or key
    around it, for what stands inside a value). Raises FileNotFoundError, and HarnessError for broken TOML.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    text = read_small(path, most=LARGEST, what="a TOML file of settings")
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # broken TOML, or a number of thousands of digits
        raise HarnessError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise HarnessError(f"{path}: not valid TOML: nested too deeply") from None
    lines: dict[tuple[str | int, ...], int] = {}

    def place(keys: Sequence[str | int]) -> str:
        if not lines:
            lines.update(_lines(text))
        known = tuple(keys)
        while known and known not in lines:
            known = known[:-1]
        return f"{path}:{lines.get(known, 1)}"

    return data, place


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Key path -> the line where it begins."""
    lines: dict[tuple[str | int, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, statement in _statements(text):
        found = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            whole = table = _path(found)
        else:
            whole = (*table, *_path(found))
        for depth in range(1, len(whole) + 1):
            lines.setdefault(whole[:depth], number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each table header and each `key = value`, of a file that is known to be TOML."""
    begun, held = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        begun, held = (begun, f"{held}\n{line}") if held else (number, line)
        if number - begun > _LONGEST_VALUE:
            return  # reading it again for each of its lines takes too long: what follows has no line of its own
        if not held.strip() or held.lstrip().startswith("#"):
            held = ""
            continue
        try:
            tomllib.loads(held)
        except tomllib.TOMLDecodeError:  # a value of several lines, of which this is not the last
            continue
        yield begun, held
        held = ""


def _path(found: Any) -> tuple[str, ...]:
    """The keys down to what one statement sets."""
    keys: list[str] = []
    while isinstance(found, (dict, list)) and len(found) == 1:
        inner = found[0] if isinstance(found, list) else next(iter(found.items()))
        if isinstance(inner, tuple):
            keys.append(inner[0])
            inner = inner[1]
        elif not isinstance(inner, dict):
            break
        found = inner
    return tuple(keys)
