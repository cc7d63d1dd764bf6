from __future__ import annotations

import re

import pytest

from harness.answers.pattern import pattern


def test_a_pattern_does_what_the_compiled_one_does() -> None:
    lazy, ready = pattern(r"(\w)-(\w)", re.IGNORECASE), re.compile(r"(\w)-(\w)", re.IGNORECASE)
    text = "a-b, C-D"
    for _ in range(2):
        assert lazy.findall(text) == ready.findall(text)
        assert lazy.sub(r"\2", text) == ready.sub(r"\2", text)
        found = lazy.search(text, 3)
        assert found is not None and found.span() == (5, 8)


def test_nothing_is_compiled_before_the_first_use() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.search("x")
