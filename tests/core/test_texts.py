"""Texts of others that are hostile: one error in one line, soon, and little memory."""

from __future__ import annotations

import time

import pytest

from harness.core.json_text import parse_json
from harness.core.yaml_text import YamlFault, parse_yaml

BOMB = "a0: &a0 [x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 60))
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}]}}\n" for k in range(1, 40)
)
HOSTILE_YAML = {
    "brackets": ("[" * 300_000, 1, "deep"),
    "mappings": ("x: 1\na: " + "{a: " * 300_000, 2, "deep"),
    "dashes": ("- " * 300_000, 1, "deep"),
    "indented": ("\n".join(" " * k + "a:" for k in range(900)), 40, "deep"),
    "aliases": (BOMB, 16, "aliases"),
    "merged": (MERGED, 15, "aliases"),
    "circle": ("b: 1\na: &a [*a]", 2, "inside"),
    "number": ("b: 1\na: " + "9" * 300_000, 2, "too long"),
    "base 60": ("a: 1" + ":1" * 100_000, 1, "too long"),
    "date": ("b: 1\na: 2024-99-99", 2, "cannot be read"),
    "nul": ("b: 1\na: \0", 2, "not valid YAML"),
    "escaped nul": ('b: 1\na: "x\\0"', 2, "NUL"),
    "twice": ("a: 1\nb: {c: 1, d: 2, c: 3}", 2, "b.c appears twice"),
    "twice, deep": ("a:\n- {x: 1}\n- {x: 1, x: 2}", 3, "a.1.x appears twice"),
    "python": ("a: !!python/object/apply:os.system [id]", 1, "not valid YAML"),
    "unhashable": ("? [a]\n: 1", 1, "not valid YAML"),
    "many": ("[" + "a," * 300_000 + "]", 1, "values"),
}


@pytest.mark.parametrize("name", HOSTILE_YAML)
def test_hostile_yaml_is_a_fault_with_its_line(name):
    text, line, words = HOSTILE_YAML[name]
    start = time.thread_time()
    with pytest.raises(YamlFault) as caught:
        parse_yaml(text)
    assert time.thread_time() - start < 3
    assert caught.value.line == line
    assert words in caught.value.problem and "\n" not in caught.value.problem


def test_ordinary_yaml_is_read_as_ever():
    text = "a: &x {k: 1}\nb: {<<: *x, l: [1.5, true, null, 2024-01-02]}\nc: ''\n"
    data, root = parse_yaml(text)
    assert data["b"]["k"] == 1 and data["b"]["l"][:3] == [1.5, True, None] and data["c"] == ""
    assert root is not None and parse_yaml("") == (None, None)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 500_000, "nested too deeply"),
        ('{"a":' * 500_000, "nested too deeply"),
        ("9" * 500_000, "4,300 digits"),
        ("[" + "[]," * 3_000_000 + "[]]", "2,000,000 values"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' appears twice"),
        ("{\0}", "Expecting"),
    ],
)
def test_hostile_json_is_a_value_error_in_one_line(text, words):
    with pytest.raises(ValueError, match=words):
        parse_json(text, once=True)


def test_a_key_may_stand_twice_where_nobody_minds():
    assert parse_json('{"a": 1, "a": 3}') == {"a": 3}
