"""The router against the published wordings of ME-VQA questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faces.long_sampling import long_at
from harness.faces.lvqa import lvqa_rows
from harness.sources.megc_questions import ASKED, answers_of, event_of, question_kind, unit_of

GOLDEN = [
    ("What is the coarse expression class?", "coarse"),
    ("What is the fine-grained expression class?", "fine"),
    ("What is the action unit?", "action_units"),
    ("What are the action units?", "action_units"),
    ("Is the action unit lip corner puller shown on the face?", "au_shown"),
    ("Is the action unit brow lowerer located on the left or right face?", "au_side"),
    (
        "What is the action unit present, and based on it, what is the fine-grained expression and "
        "the coarse expression class?",
        "combined",
    ),
    (
        "What are the action units present, and based on them, what is the fine-grained expression "
        "and the coarse expression class?",
        "combined",
    ),
    ("Please analyse the micro-expression shown in this video in detail.", "combined"),
    ("Provide a detailed analysis of the micro-expression observed in this clip.", "combined"),
    (
        "Provide a comprehensive analysis of the facial micro-expression shown in this clip.",
        "combined",
    ),
    ("  what is the COARSE expression\nclass ? ", "coarse"),
    ("How many expression events appear in this video?", "event_count"),
    ("How many micro-expression events appear in this video?", "micro_count"),
    ("How many macro-expression events appear in this video?", "macro_count"),
    ("What distinct action units appear in this video?", "distinct_units"),
    ("What is the expression type of the 2-th expression event in this video?", "event_type"),
    ("How many people appear in this video?", None),
    ("", None),
]


@pytest.mark.parametrize(("question", "kind"), GOLDEN)
def test_published_wordings(question: str, kind: str | None) -> None:
    assert question_kind(question) == kind


@pytest.mark.parametrize(
    ("units", "answer"),
    [
        (
            "dimpler",
            "The action unit present is: dimpler. Therefore, the fine-grained expression class is "
            "contempt, and the coarse expression class is negative.",
        ),
        (
            "dimpler, lips part",
            "The action units present are: dimpler, lips part. Therefore, the fine-grained "
            "expression class is contempt, and the coarse expression class is negative.",
        ),
        (
            "chin raiser",
            "action unit: chin raiser. fine-grained expression class: contempt. coarse expression "
            "class: negative.",
        ),
    ],
)
def test_combined_answers(units: str, answer: str) -> None:
    assert answers_of("combined", answer) == {
        "action_units": units,
        "fine": "contempt",
        "coarse": "negative",
    }


def test_a_combined_answer_in_other_words_is_refused() -> None:
    with pytest.raises(ValueError, match="not of the form"):
        answers_of("combined", "Contempt, I think.")


def test_simple_kinds_take_the_answer_as_it_stands() -> None:
    for kind, fields in ASKED.items():
        if len(fields) == 1:
            assert answers_of(kind, "left") == {fields[0]: "left"}


@pytest.mark.parametrize(
    ("nth", "number"), [("2nd", 2), ("1-th", 1), ("21st", 21), ("second", 2), ("last", None)]
)
def test_which_event_is_meant(nth: str, number: int | None) -> None:
    question = f"What is the expression type of the {nth} expression event in this video?"
    assert (question_kind(question), event_of(question)) == ("event_type", number)


def test_which_action_unit_is_named() -> None:
    assert unit_of("Is the action unit Lip Corner Puller shown on the face?") == "lip corner puller"
    assert unit_of("Is the action unit dimpler located on the left or right face?") == "dimpler"
    assert unit_of("What are the action units?") is None
    assert unit_of("Is the action unit 山 shown on the face?") == "山"


def test_the_questions_of_drawn_long_videos_are_known() -> None:
    rows = lvqa_rows(long_at(3, seed=5, split="test"), "v")
    kinds = [question_kind(row["question"]) for row in rows]
    assert kinds[:4] == ["event_count", "micro_count", "macro_count", "distinct_units"]
    assert set(kinds[4:]) <= {"event_type"}


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert question_kind(text) in {*ASKED, None}
