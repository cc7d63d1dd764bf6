"""What most replies say."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.majority import majority
from harness.core.answer import Answer
from harness.core.outcome import Outcome
from harness.core.sample import Value

REFUSED = Answer(Outcome.REFUSED, None, "refusal")
EMPTY = Answer(Outcome.EMPTY, None, "empty")


def said(*values: Value) -> list[Answer]:
    return [Answer(Outcome.ANSWERED, value, "exact/label") for value in values]


@pytest.mark.parametrize(
    ("answers", "outcome", "value", "rule"),
    [
        (said("joy", "fear", "joy"), Outcome.ANSWERED, "joy", "vote/most"),
        ([*said("joy"), REFUSED, REFUSED], Outcome.ANSWERED, "joy", "vote/most"),
        (said("joy", "fear"), Outcome.AMBIGUOUS, None, "vote/tie: fear, joy"),
        (said("joy", "fear", "anger", "joy", "fear"), Outcome.AMBIGUOUS, None, "vote/tie: fear, joy"),
        (said(*"abcdef"), Outcome.AMBIGUOUS, None, "vote/tie: a, b, c, d and 2 more"),
        (said("x" * 90, "y"), Outcome.AMBIGUOUS, None, f"vote/tie: {'x' * 40}, y"),
        ([REFUSED, EMPTY, EMPTY], Outcome.EMPTY, None, "vote/none"),
        ([REFUSED, EMPTY], Outcome.REFUSED, None, "vote/none"),
        (said(True, False, False), Outcome.ANSWERED, False, "vote/most"),
        (said(True, False), Outcome.AMBIGUOUS, None, "vote/tie: no, yes"),
        (said(1.0, 2.0, 9.0), Outcome.ANSWERED, 2.0, "vote/median"),
        (said(1.0, 2.0), Outcome.ANSWERED, 1.5, "vote/median"),
        (said(("AU1", "AU2"), ("AU2",), ()), Outcome.ANSWERED, ("AU2",), "vote/members"),
        (said(("AU1",), ()), Outcome.ANSWERED, (), "vote/members"),
    ],
)  # fmt: skip
def test_votes(answers: list[Answer], outcome: Outcome, value: Value | None, rule: str) -> None:
    found = majority(answers)
    assert (found.outcome, found.value, found.rule) == (outcome, value, rule)
    assert sum(times for _, times in found.votes) == len(answers)


def test_the_tally_names_answers_and_reasons_most_first() -> None:
    found = majority([*said("joy", "joy", "fear"), REFUSED])
    assert found.votes == (("joy", 2), ("(refused)", 1), ("fear", 1))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=9))
def test_a_label_wins_exactly_where_it_alone_is_most_frequent(labels: list[str]) -> None:
    (first, most), *others = Counter(labels).most_common()
    found = majority(said(*labels))
    if others and others[0][1] == most:
        assert found.outcome is Outcome.AMBIGUOUS
    else:
        assert found.value == first


def test_nothing_is_no_vote() -> None:
    with pytest.raises(ValueError, match="no answers"):
        majority([])
