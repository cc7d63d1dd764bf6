"""What replies are held to, and whether they are."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.answers.constraints import (
    Unfit,
    candidates_for,
    constraint_for,
    json_pattern,
    number_pattern,
    obeys,
    wanted,
)
from harness.answers.reader import Reader
from harness.answers.verdict import Form
from harness.core.constraint import Constraint
from harness.core.field import FieldSpec

EMOTION = FieldSpec(kind="label", labels=("anger", "not visible", "half-shut"))
YES = FieldSpec(kind="yes-no")
VALENCE = FieldSpec(kind="number", low=-1, high=1)
AGE = FieldSpec(kind="number", low=0, high=120)
WORDED = FieldSpec(kind="number", low=-1, high=1, words={"very calm": -1, "excited": 0.5})
SHARE = FieldSpec(kind="number", low=-0.5, high=2.5)
UNITS = FieldSpec(kind="set", labels=("AU1", "AU12"))
TEXT = FieldSpec(kind="text")
SIGNED = r"(0)(\.[0-9]{1,3})?|1(\.0{1,3})?|-((0)(\.[0-9]{1,3})?|1(\.0{1,3})?)"


@pytest.mark.parametrize(
    ("fields", "form", "expected"),
    [
        (
            {"e": EMOTION},
            "text",
            Constraint("choice", choices=("anger", "not visible", "half-shut")),
        ),
        ({"t": YES}, "text", Constraint("choice", choices=("yes", "no"))),
        ({"v": VALENCE}, "text", Constraint("regex", text=SIGNED)),
        ({"v": WORDED}, "text", Constraint("regex", text=rf"{SIGNED}|very calm|excited")),
        (
            {"u": UNITS},
            "text",
            Constraint("regex", text=r"none|(AU1|AU12)(, (AU1|AU12)){0,1}"),
        ),
        (
            {"e": EMOTION},
            "final",
            Constraint("regex", text=r"((.|\n)*\n)?Answer: (anger|not visible|half\-shut)"),
        ),
    ],
)
def test_text_and_final_forms(
    fields: dict[str, FieldSpec], form: Form, expected: Constraint
) -> None:
    assert constraint_for(fields, form) == expected


def test_json_form_holds_every_field_in_order() -> None:
    found = constraint_for({"t": YES, "v": VALENCE, "e": EMOTION, "u": UNITS, "n": TEXT}, "json")
    assert found.kind == "json"
    schema = json.loads(found.text)
    assert schema == {
        "type": "object",
        "properties": {
            "t": {"type": "string", "enum": ["yes", "no"]},
            "v": {"type": "number", "minimum": -1.0, "maximum": 1.0},
            "e": {"type": "string", "enum": ["anger", "not visible", "half-shut"]},
            "u": {
                "type": "array",
                "items": {"type": "string", "enum": ["AU1", "AU12"]},
                "maxItems": 2,
            },
            "n": {"type": "string"},
        },
        "required": ["t", "v", "e", "u", "n"],
        "additionalProperties": False,
    }
    assert list(schema["properties"]) == ["t", "v", "e", "u", "n"]


@pytest.mark.parametrize(
    ("fields", "form", "why"),
    [
        ({"e": EMOTION, "t": YES}, "text", "2 fields at once"),
        ({"e": EMOTION, "t": YES}, "final", "2 fields at once"),
        ({"n": TEXT}, "text", "free text"),
    ],
)
def test_what_no_constraint_can_hold(fields: dict[str, FieldSpec], form: Form, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        constraint_for(fields, form)


@pytest.mark.parametrize(
    ("fields", "form", "why"),
    [
        ({"v": VALENCE}, "text", "number"),
        ({"u": UNITS}, "text", "set"),
        ({"e": EMOTION}, "final", "more than the label"),
        ({"e": EMOTION}, "json", "more than the label"),
        ({"e": EMOTION, "t": YES}, "text", "2 fields"),
    ],
)
def test_what_has_no_candidates(fields: dict[str, FieldSpec], form: Form, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        candidates_for(fields, form)


def test_candidates_are_the_labels_as_prompts_write_them() -> None:
    assert candidates_for({"e": EMOTION}, "text") == EMOTION.classes
    assert wanted("logprob", {"t": YES}, "text").candidates == ("yes", "no")
    assert wanted("free", {"n": TEXT, "t": YES}, "text").need is None
    assert wanted("choice", {"v": VALENCE}, "text").need == "regex"
    assert wanted("logprob", {"t": YES}, "text").need == "logprob"


@pytest.mark.parametrize("spec", [VALENCE, AGE, SHARE, FieldSpec(kind="number", low=-9, high=-2)])
@settings(deadline=None)
@given(data=st.data())
def test_a_pattern_of_numbers_matches_what_is_in_range(
    spec: FieldSpec, data: st.DataObject
) -> None:
    pattern = number_pattern(spec.low, spec.high)
    inside = data.draw(st.floats(spec.low, spec.high).map(lambda value: f"{value:.3f}"))
    assert re.fullmatch(pattern, inside), inside
    anything = data.draw(st.from_regex(pattern, fullmatch=True))
    assert obeys(anything, Constraint("regex", text=pattern))
    if spec is not SHARE:  # ends that are no whole numbers are held to in sign and digits only
        assert spec.low <= float(anything) <= spec.high


@settings(deadline=None)
@given(data=st.data())
def test_every_match_of_a_json_pattern_is_an_object_that_fits_and_is_read(
    data: st.DataObject,
) -> None:
    fields = {"t": YES, "v": VALENCE, "e": EMOTION, "u": UNITS, "w": WORDED}
    constraint = constraint_for(fields, "json")
    text = data.draw(st.from_regex(json_pattern(json.loads(constraint.text)), fullmatch=True))
    assert obeys(text, constraint), text
    answers = Reader.build(fields, form="json")(text)
    assert {a.outcome.value for a in answers.values()} == {"answered"}, text


GOOD: dict[str, Any] = {"t": "yes", "v": 0.5, "u": ["AU1"]}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"v": 1}, True),
        ({"u": []}, True),
        ({"t": "Yes"}, False),
        ({"v": 1.5}, False),
        ({"v": True}, False),
        ({"v": "0.5"}, False),
        ({"u": ["AU1", "AU9"]}, False),
        ({"u": "AU1"}, False),
        ({"more": 1}, False),
    ],
)
def test_whether_json_obeys(change: dict[str, Any], holds: bool) -> None:
    constraint = constraint_for({"t": YES, "v": VALENCE, "u": UNITS}, "json")
    assert obeys(json.dumps({**GOOD, **change}, indent=1), constraint) is holds


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"t": "yes"}', "[" * 100_000])
def test_what_is_no_such_object_does_not_obey(text: str) -> None:
    assert not obeys(text, constraint_for({"t": YES, "v": VALENCE}, "json"))


def test_whether_text_obeys() -> None:
    choice = constraint_for({"e": EMOTION}, "text")
    assert obeys(" anger\n", choice) and not obeys("Anger", choice) and not obeys("anger.", choice)
    final = constraint_for({"e": EMOTION}, "final")
    assert obeys("The brows ...\nAnswer: anger", final) and obeys("Answer: not visible", final)
    assert not obeys("The answer: anger", final)
    units = constraint_for({"u": UNITS}, "text")
    assert obeys("none", units) and obeys("AU12, AU1", units) and not obeys("AU1 AU12", units)


@pytest.mark.parametrize("form", ["text", "final"])
@pytest.mark.parametrize("spec", [EMOTION, YES, VALENCE, AGE, UNITS, WORDED])
@settings(deadline=None)
@given(data=st.data())
def test_what_obeys_is_answered(spec: FieldSpec, form: Form, data: st.DataObject) -> None:
    constraint = constraint_for({"f": spec}, form)
    if constraint.kind == "choice":
        text = data.draw(st.sampled_from(constraint.choices))
    else:
        tail = constraint.text.removeprefix(r"((.|\n)*\n)?")
        text = data.draw(st.from_regex(tail, fullmatch=True))
    assert obeys(text, constraint)
    assert Reader.build({"f": spec}, form=form)(text)["f"].outcome.value == "answered", text
