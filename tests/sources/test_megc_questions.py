"""The router against the published wordings of ME-VQA questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sources.megc_questions import ASKED, answers_of, question_kind

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
    ("How many expression events appear in this video?", None),
    ("What distinct action units appear in this video?", None),
    ("What is the expression type of the 2-th expression event in this video?", None),
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


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert question_kind(text) in {*ASKED, None}
