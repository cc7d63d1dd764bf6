from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.models.retry import Patience, retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


@given(st.text(max_size=40))
def test_any_header_gives_seconds_or_nothing(value: str) -> None:
    got = retry_after(value, now=NOW)
    assert got is None or 0 <= got < float("inf")


@given(st.text(max_size=8), st.integers(1, 12))
def test_a_pause_lies_between_half_and_the_whole_of_its_doubling(key: str, attempt: int) -> None:
    patience = Patience()
    whole = min(30.0, 0.5 * 2 ** (attempt - 1))
    assert whole / 2 <= patience.pause(key, attempt) <= whole
    assert patience.pause(key, attempt) == patience.pause(key, attempt)


def test_pauses_of_different_requests_differ_and_a_told_pause_is_the_least() -> None:
    patience = Patience()
    assert len({patience.pause(f"k{i}", 1) for i in range(20)}) == 20
    assert 10 <= patience.pause("k", 1, told=10) <= 10 + patience.base
    assert patience.pause("k", 5, told=0.1) >= 4
