"""The golden tables: replies, and what a careful reader takes them to say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.answers.reader import read, read_all
from harness.answers.vocabulary import resolve_labels
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome

GOLDEN = Path(__file__).parents[1] / "golden" / "answers"
OUTCOMES = ("answered", "refused", "unparsed", "off-list", "ambiguous", "truncated-", "empty")


NAMES = {"number": "valence", "age": "age"}


def load(name: str) -> Any:
    return yaml.safe_load((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))


def spec_of(kind: str, block: dict[str, Any]) -> FieldSpec:
    given: dict[str, Any] = {"kind": kind}
    if "labels" in block:
        labels = block["labels"]
        given["labels"] = resolve_labels(labels if isinstance(labels, str) else tuple(labels))
    for key in ("low", "high", "synonyms"):
        if key in block:
            given[key] = block[key]
    return FieldSpec(**given)


def rows(name: str, kind: str) -> Iterator[Any]:
    for block in load(name):
        spec = spec_of(kind, block)
        options = {
            key: block[key]
            for key in ("letters", "form", "truncated", "name", "languages")
            if key in block
        }
        if kind in NAMES:
            options.setdefault("name", NAMES[kind])
        for outcome in OUTCOMES:
            for row in block.get(outcome, ()):
                value = row[1] if outcome == "answered" else None
                value = tuple(value) if isinstance(value, list) else value
                wanted = Outcome(outcome.rstrip("-"))
                title = f"{name}-{outcome}-{row[0][:40]!r}"
                yield pytest.param(row[0], spec, options, wanted, value, row[-1], id=title)


ALL = [
    *rows("label", "label"),
    *rows("label_english", "label"),
    *rows("label_languages", "label"),
    *rows("number", "number"),
    *rows("age", "age"),
    *rows("yes_no", "yes-no"),
    *rows("set", "set"),
]


@pytest.mark.parametrize(("text", "spec", "options", "outcome", "value", "rule"), ALL)
def test_table(
    text: str, spec: FieldSpec, options: dict[str, Any], outcome: Outcome, value: Any, rule: str
) -> None:
    answer = read(text, spec, **options)
    assert (answer.outcome, answer.value) == (outcome, value), answer.rule
    assert answer.rule.startswith(rule), answer.rule
    if answer.span is not None:
        start, end = answer.span
        assert 0 <= start < end <= len(text)


JSON_FIELDS = {
    "emotion": FieldSpec(kind="label", labels=resolve_labels("basic-7")),
    "valence": FieldSpec(kind="number"),
    "teeth_visible": FieldSpec(kind="yes-no"),
    "eyebrows": FieldSpec(kind="label", labels=resolve_labels("cue-eyebrows")),
    "action_units": FieldSpec(kind="set", labels=resolve_labels("megc-action-units")),
    "rationale": FieldSpec(kind="text"),
}


@pytest.mark.parametrize(("text", "field", "outcome", "value"), load("json"))
def test_json_table(text: str, field: str, outcome: str, value: Any) -> None:
    answer: Answer = read_all(text, JSON_FIELDS, form="json")[field]
    wanted = tuple(value) if isinstance(value, list) else value
    assert (answer.outcome.value, answer.value) == (outcome, wanted), answer.rule


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"age": 3', None), ('{"age": 34', None), ('{"age": 3.', None), ('{"age": 34}', 34.0), ('{"age": 34, "emo', 34.0),
     ('{"age": 34 ', 34.0), ('{"age": "3', None), ('[{"age": 34}, {"age": 5', None)],
)  # fmt: skip
def test_a_number_at_the_very_end_of_a_reply_that_was_cut_off_is_none(
    text: str, value: float | None
) -> None:
    fields = {"age": FieldSpec(kind="age", low=0, high=116)}
    for form in ("json", "text"):
        answer = read_all(text, fields, form=form, truncated=True)["age"]
        assert answer.value == value, (form, answer.rule)
        if value is None:
            assert answer.outcome is Outcome.TRUNCATED, (form, answer.rule)


def test_tables_are_large() -> None:
    counts = {
        name: sum(1 for _ in rows(name, kind))
        for name, kind in (
            ("label", "label"), ("label_english", "label"), ("label_languages", "label"),
            ("number", "number"), ("age", "age"), ("yes_no", "yes-no"), ("set", "set"),
        )
    }  # fmt: skip
    assert counts["label"] + counts["label_english"] >= 700
    assert counts["label_languages"] >= 350
    assert counts["age"] >= 200
    assert min(counts["number"], counts["yes_no"], counts["set"], len(load("json"))) >= 30


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"age": 34}', 34.0), ('{"age": [30, 35]}', 32.5), ('{"age": "early 30s"}', 32.0),
     ('{"age": {"low": 30, "high": 35}}', 32.5), ('{"age": {"min": 20, "max": 30}}', 25.0),
     ('{"age": {"value": 34, "confidence": 0.8}}', 34.0), ('{"age": {"confidence": 5, "wrinkles": 10}}', None),
     ('{"age": [20, 90]}', None), ('{"age": 300}', None)],
)  # fmt: skip
def test_an_age_in_json(text: str, value: float | None) -> None:
    answer = read_all(text, {"age": FieldSpec(kind="age", low=0, high=116)}, form="json")["age"]
    assert answer.value == value, answer.rule
