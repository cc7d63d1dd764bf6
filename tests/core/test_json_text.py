"""A line of JSON is read as the standard library reads it."""

from __future__ import annotations

import json
import math

import pytest

from harness.core.json_text import parse_line


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2}\n', b'"\\ud800"', b'"\xed\xa0\x80"', b"-0.0", b"1e400", b"[0.1, 18446744073709551615]",
        "[\"é\", \"\U0001f600\"]".encode(), b'  {"key" : null}\r\n', b"-9223372036854775808",
    ],
)  # fmt: skip
def test_as_the_standard_library(line: bytes) -> None:
    assert parse_line(line) == json.loads(line.decode("utf-8", "surrogatepass"))


def test_what_is_not_a_number_is_read_too() -> None:
    assert math.isnan(parse_line(b"NaN"))


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"9" * 5000, b"[" * 100_000, b'{"a":1} x'])
def test_what_is_no_line_of_json_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        parse_line(line)
