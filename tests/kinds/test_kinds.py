"""The kinds of fields: what holds for each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.constraints import constraint_for, json_pattern, obeys
from harness.answers.reader import Reader
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import KINDS, Kind, alike, kind_named, kind_of
from harness.core.outcome import Outcome
from harness.metrics import family_for, point
from harness.prompting.variables import field_variables
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources.cells import target
from tests.example import Installed

SPECS = {
    "label": FieldSpec(kind="label", labels=("anger", "fear", "very happy")),
    "yes-no": FieldSpec(kind="yes-no"),
    "set": FieldSpec(kind="set", labels=("AU1", "AU4", "AU12")),
    "age": FieldSpec(kind="age", low=0, high=116),
    "pairs": FieldSpec(kind="pairs", low=0, high=100, words={"yes": 100, "no": 0}),
    "number": FieldSpec(kind="number", low=0, high=10),
    "open-labels": FieldSpec(kind="open-labels"),
    "text": FieldSpec(kind="text"),
}
CELLS: dict[str, tuple[tuple[Any, Any], ...]] = {
    "label": (("anger", "anger"), (3.0, "3"), (True, "yes")),
    "yes-no": ((True, "yes"), ("0", "no"), ("Y", "yes")),
    "set": (("AU1+AU4", ("AU1", "AU4")), (["AU4", None, "AU1"], ("AU1", "AU4")), ("none", ())),
    "number": (("2,5".replace(",", "."), 2.5), (3, 3.0)),
    "age": (("34", 34.0), (0.5, 0.5)),
    "pairs": (("yes", 100.0), (0, 0.0), (True, 100.0)),
    "open-labels": (("happy; relieved", ("happy", "relieved")),),
    "text": ((" a  text ", "a  text"),),
}


@pytest.mark.parametrize("name", KINDS.builtin)
def test_a_made_up_value_is_read_scored_and_said_alike(name: str) -> None:
    spec, kind = SPECS[name], kind_named(name)
    value = kind.example(spec)
    said = ", ".join(value) if isinstance(value, tuple) else f"{value}"
    answer = Reader.build({"field": spec})(said)["field"]
    assert answer.outcome is Outcome.ANSWERED
    assert kind.same(answer.value, value) in {True, None}
    assert kind.same(value, value) in {True, None}
    other = {
        "set": ("AU4",),
        "open-labels": ("fear",),
        "number": 9.0,
        "age": 9.0,
        "pairs": 0.0,
    }.get(name, "fear" if name == "label" else "no")
    family = family_for(spec, [value, other], [value, None])
    assert family.answered.tolist() == [True, False]
    for metric in spec.shown_metrics:
        point(family, metric)
    assert field_variables({"field": spec})["fields"] == {"field": kind.variables(spec)}
    best = kind.baseline([value, other], [1, 3])
    assert best == ((value + 3 * other) / 4 if kind.numeric else other)


@pytest.mark.parametrize(("name", "cells"), CELLS.items())
def test_truths_are_read_from_cells(name: str, cells: tuple[tuple[Any, Any], ...]) -> None:
    for cell, value in cells:
        assert target(cell, SPECS[name], column="c", where="row 1") == value


@pytest.mark.parametrize(
    ("name", "cell", "told"),
    [("yes-no", "maybe", "neither yes nor no"), ("number", "x", "not a number"),
     ("number", 11, "outside the field's scale"), ("label", ["a"], "a list is not a label")],
)  # fmt: skip
def test_a_cell_that_is_no_value_is_named(name: str, cell: object, told: str) -> None:
    with pytest.raises(HarnessError, match=told) as caught:
        target(cell, SPECS[name], column="c", where="row 7")
    assert "row 7, column 'c'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "first", "second", "same"),
    [
        ("text", "A  smile", "a smile", True), ("text", "a smile", "smile", False),
        ("set", ("AU1", "AU4"), ("AU4", "AU1"), True), ("set", ("AU1",), (), False),
        ("yes-no", True, "yes", True), ("yes-no", "no", "yes", False),
        ("number", 1.0, 1, True), ("number", 1.0, 1.01, False), ("label", "fear", "fear", True),
        ("label", "fear", None, False), ("text", None, None, False),
    ],
)  # fmt: skip
def test_two_answers_agree_as_their_kind_has_it(
    name: str, first: Any, second: Any, same: bool
) -> None:
    assert alike(SPECS[name], first, second) is same


@pytest.mark.parametrize("name", KINDS.builtin)
def test_options_of_other_kinds_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"a field of kind {name} has no such option \(step\)"):
        FieldSpec(**{**SPECS[name].model_dump(), "options": {"step": 1}})


def test_a_written_field_is_as_it_was_before_kinds_had_options() -> None:
    assert set(SPECS["label"].model_dump(mode="json")) == {
        "kind", "labels", "low", "high", "words", "member_of", "synonyms", "definitions", "metrics",
        "scored",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_kind", "near"), [("lable", "label"), ("yesno", "yes-no"), ("zzz", "choose one of")]
)
def test_an_unknown_kind_names_those_there_are(given_kind: str, near: str) -> None:
    with pytest.raises(ValueError, match=near) as caught:
        FieldSpec(kind=given_kind)
    assert "number" in str(caught.value)


def test_a_kind_without_metrics_is_refused() -> None:
    text = kind_named("text")
    with pytest.raises(ValueError, match="metrics are required"):
        Kind(
            name="odd", title="odd", family_name="text", metrics=(), family=text.family,
            reader=text.reader, target=text.target, example=text.example,
        )  # fmt: skip


INTERVALS = [
    # reply, value or outcome
    ("26-31", "26-31"), ("26 – 31", "26-31"), ("(25, 32)", "25-32"), ("26 to 31 years", "26-31"),
    ("The person is between 26 and 31 years old.", "26-31"), ("Age: 26-31, not 40-50", "26-31"),
    ("I see 20-25 or 26-31", "ambiguous"), ("31-26", "off-list"), ("90-120", "off-list"),
    ("0-60", "off-list"), ("about 28", "unparsed"), ("", "empty"), ("1.5-2.5", "unparsed"),
    ("I'm sorry, I can't estimate the age of people.", "refused"),
    ("The answer is 26-31. Others may say 40-50.", "26-31"),
    ('{"age": "26-31"}', "26-31"), ('{"age": [26, 31]}', "26-31"),
    ('{"age": {"high": 31, "low": 26}}', "26-31"), ('{"age": {"from": 26, "to": 31}}', "26-31"),
    ('{"age": [26, 31, 40]}', "unparsed"), ('{"age": 28}', "unparsed"), ('{"age": null}', "unparsed"),
    ('{"age": ["26", true]}', "unparsed"), ('{"age": "0-99"}', "off-list"),
]  # fmt: skip


def _interval(**changes: Any) -> FieldSpec:
    return FieldSpec(kind="interval", low=0, high=100, options={"widest": 41}, **changes)


@pytest.mark.parametrize(("reply", "wanted"), INTERVALS)
def test_the_example_kind_reads_intervals(example_here: Installed, reply: str, wanted: str) -> None:
    answer = Reader.build({"age": _interval()})(reply)["age"]
    assert (answer.value or answer.outcome.value) == wanted


def test_the_example_kind_holds_replies(example_here: Installed) -> None:
    fields = {"age": _interval(), "kind": SPECS["label"]}
    constraint = constraint_for(fields, "json")
    assert obeys('{"age": "26-31", "kind": "fear"}', constraint)
    assert not obeys('{"age": "26", "kind": "fear"}', constraint)
    assert not obeys('{"age": "26-131", "kind": "fear"}', constraint)
    pattern = json_pattern(json.loads(constraint.text))
    assert re.fullmatch(pattern, '{"age": "26-31", "kind": "fear"}')
    assert not re.fullmatch(pattern, '{"age": "26-311", "kind": "fear"}')
    assert obeys("26-31", constraint_for({"age": _interval()}, "text"))
    assert obeys("so\nAnswer: 26-31", constraint_for({"age": _interval()}, "final"))


def test_what_a_pattern_allows_is_read(example_here: Installed) -> None:
    spec = _interval()
    reader = Reader.build({"age": spec})

    @given(st.from_regex(re.compile(kind_of(spec).pattern(spec) or "", re.ASCII), fullmatch=True))
    def check(text: str) -> None:
        low, high = map(int, text.split("-"))
        answer = reader(text)["age"]
        fits = low <= high and high - low + 1 <= 41
        assert answer.value == text if fits else answer.outcome is Outcome.OFF_LIST

    check()


@given(st.text(max_size=200))
def test_no_reply_stops_a_reader(text: str) -> None:
    for name, spec in SPECS.items():
        answer = Reader.build({name: spec})(text)[name]
        assert (answer.value is None) == (answer.outcome is not Outcome.ANSWERED)


@pytest.mark.parametrize(
    ("written", "option"),
    [
        ("{kind: number, labels: [a, b]}", "labels"), ("{kind: text, synonyms: {a: [b]}}", "synonyms"),
        ("{kind: label, labels: [a, b], low: 0}", "low"), ("{kind: yes-no, labels: [a, b]}", "labels"),
        ("{kind: set, labels: [a], words: {}}", ""), ("{kind: number, low: 0}", ""),
    ],
)  # fmt: skip
def test_what_a_kind_makes_nothing_of_is_refused(tmp_path: Path, written: str, option: str) -> None:
    (tmp_path / "x.yaml").write_text(
        f"source: {{family: table, file: x.csv}}\nfields:\n  a: {written}\nprompts: [emotion/plain]\n"
    )
    place = open_workspace(tmp_path)
    if not option:
        load_task(str(tmp_path / "x.yaml"), place)
        return
    with pytest.raises(HarnessError, match=rf"x.yaml:3: fields.a.{option} has no effect"):
        load_task(str(tmp_path / "x.yaml"), place)
