"""Read untrusted JSON with limits on depth, number of values and length of numbers."""

from __future__ import annotations

import json
from typing import Any

import orjson

LONGEST = 1 << 26
"""Most characters (of a line, an object) that are read as one JSON value."""
MOST_VALUES = 2_000_000
"""Most brackets and commas in one JSON value: each may stand for some hundred bytes once it is read."""


def parse_json(text: str, *, once: bool = False) -> Any:
    """The value of a JSON text; with `once`, a key that an object has twice is an error.

    Raises ValueError, whose text says in one line what is wrong.
    """
    check_values(text)
    try:
        return json.loads(text, object_pairs_hook=unique_keys if once else None)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        if "int_max_str_digits" in str(error):
            raise ValueError("a number has more than 4,300 digits") from None
        raise


def parse_line(line: bytes) -> Any:
    """The value of a JSON line as `parse_json` gives it, in a third of the time (whole numbers beyond 64 bits as floats).

    Raises ValueError.
    """
    if len(line) <= MOST_VALUES:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            pass  # NaN, half a surrogate pair, bytes that are no UTF-8: the standard library says
    return parse_json(line.decode("utf-8", "surrogatepass"))


def check_values(text: str) -> None:
    """Raise ValueError for a text of more than MOST_VALUES values."""
    if len(text) > MOST_VALUES and sum(map(text.count, "[{,")) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members, for `object_pairs_hook`. Raises ValueError for a key that appears twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.60} appears twice")
    return found
