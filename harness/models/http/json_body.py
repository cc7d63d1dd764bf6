"""JSON that a server sent, also where some of its bytes are no text."""

from __future__ import annotations

import json
from typing import Any

import orjson


def read_json(data: bytes) -> Any:
    """The value of a body; bytes that are no text of its encoding become U+FFFD. Raises ValueError, RecursionError."""
    try:
        return orjson.loads(data)
    except ValueError:  # broken, or what only the standard library reads: NaN, other encodings, half a surrogate pair
        return json.loads(data.decode(json.detect_encoding(data), "replace"))
