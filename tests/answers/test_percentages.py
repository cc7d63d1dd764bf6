"""Distributions written as JSON percentages: the golden table, the constraint, and that nothing raises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.answers.constraints import Unfit, constraint_for, obeys
from harness.answers.reader import Reader, read
from harness.answers.vocabulary import resolve_labels
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead

EMOTION = FieldSpec(kind="label", labels=resolve_labels("basic-7"))
TABLE = yaml.safe_load(
    (Path(__file__).parents[1] / "golden" / "answers" / "percentages.yaml").read_text("utf-8")
)


@pytest.mark.parametrize(("text", "outcome", "value", "rule", "shares"), TABLE)
def test_table(
    text: str, outcome: str, value: str | None, rule: str, shares: dict[str, float]
) -> None:
    answer = read(text, EMOTION, form="percentages")
    assert (answer.outcome.value, answer.value) == (outcome, value), answer.rule
    assert answer.rule.startswith(rule)
    told = {label: round(share, 6) for label, share in answer.shares if share}
    assert told == pytest.approx(shares)
    if answer.shares:
        assert [label for label, _ in answer.shares] == list(EMOTION.classes)
        assert sum(share for _, share in answer.shares) == pytest.approx(1)


def test_a_reply_cut_off_is_truncated_not_half_a_distribution() -> None:
    reader = Reader.build({"emotion": EMOTION}, form="percentages")
    cut = '{"fear": 60, "surpr'
    assert reader(cut, truncated=True)["emotion"].outcome is Outcome.TRUNCATED
    assert reader(cut)["emotion"].outcome is Outcome.UNPARSED


def test_other_kinds_of_field_have_no_percentages() -> None:
    found = read('{"yes": 100}', FieldSpec(kind="number"), form="percentages")
    assert (found.outcome, found.rule) == (Outcome.UNPARSED, "percentages/kind")
    with pytest.raises(Unfit, match="has no labels"):
        constraint_for({"valence": FieldSpec(kind="number")}, "percentages")
    with pytest.raises(ValidationError, match="needs exactly one field"):
        PromptHead(fields=("emotion", "valence"), answer="percentages")


def test_the_constraint_asks_for_every_label_and_holds_to_its_range() -> None:
    constraint = constraint_for({"emotion": EMOTION}, "percentages")
    whole: dict[str, Any] = dict.fromkeys(EMOTION.classes, 0) | {"fear": 100}
    assert obeys(json.dumps(whole), constraint)
    assert read(json.dumps(whole), EMOTION, form="percentages").value == "fear"
    assert not obeys(json.dumps(whole | {"fear": 101}), constraint)
    assert not obeys('{"fear": 100}', constraint)


@settings(max_examples=150)
@given(st.text(alphabet='{}[]",: 0123456789.-%ehappinesadngry\n', max_size=120))
def test_no_reply_raises_and_shares_are_distributions(text: str) -> None:
    answer = read(text, EMOTION, form="percentages")
    total = sum(share for _, share in answer.shares)
    assert not answer.shares or total == pytest.approx(1)
    assert all(0 <= share <= 1 for _, share in answer.shares)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 100), min_size=7, max_size=7).filter(any))
def test_whole_percentages_of_any_distribution_are_read_back(weights: list[int]) -> None:
    total = sum(weights)
    whole = {
        label: round(100 * w / total) for label, w in zip(EMOTION.classes, weights, strict=True)
    }
    answer = read(json.dumps(whole), EMOTION, form="percentages")
    for (_, share), weight in zip(answer.shares, weights, strict=True):
        assert share == pytest.approx(weight / total, abs=0.04)
