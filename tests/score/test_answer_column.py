"""Answers and log-probabilities by position."""

from __future__ import annotations

from harness.core.answer import Answer
from harness.core.generation import LabelScores
from harness.core.outcome import Outcome
from harness.score.answer_column import ScoreColumn, answer_column, bare


def test_answers_that_differ_in_type_stay_apart() -> None:
    column = answer_column(5)
    values = [True, 1, 1.0, "1"]
    for place, value in enumerate(values):
        column[place] = Answer(Outcome.ANSWERED, value, "rule")
    column[4] = Answer(Outcome.REFUSED, None, "rule")
    assert [type(column[p].value) for p in range(4)] == [bool, int, float, str]
    assert column[4].outcome is Outcome.REFUSED
    assert len(column) == 5


def test_a_place_in_the_reply_makes_no_answer_of_its_own() -> None:
    column = answer_column(2)
    for place in range(2):
        column[place] = bare(Answer(Outcome.ANSWERED, "joy", "rule", span=(place, place + 3)))
    assert [times for _, times in column.counts()] == [2]
    assert column[1] == Answer(Outcome.ANSWERED, "joy", "rule")


def test_log_probabilities_come_back() -> None:
    column = ScoreColumn(4)
    one = LabelScores(("a", "b"), (-0.5, -1.25), (1, 2), "continuation")
    other = LabelScores(("a",), (-3.0,), (1,), "first-token")
    column[2], column[0] = one, other
    assert dict(column) == {0: other, 2: one}
    assert (len(column), 1 in column, 2 in column) == (2, False, True)
    column[2] = other
    assert column[2] == other
