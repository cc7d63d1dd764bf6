"""The challenge's sentences, against the published answers themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.answers.megc_sentences import sentence_for
from harness.sources.megc_questions import ASKED, answers_of, question_kind

DATA = Path(__file__).parents[3] / "shared" / "data" / "megc"

VALUES = {
    "coarse": "negative",
    "fine": "disgust",
    "action_units": ("lid tightener", "brow lowerer"),
    "au_shown": "yes",
    "au_side": "left",
    "event_count": 3.0,
    "micro_count": 0,
    "macro_count": 12,
    "event_type": "micro-expression",
}
ONE = "What is the action unit present, and based on it, what is the fine-grained expression ..."
MANY = "What are the action units present, and based on them, what is the fine-grained ..."


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("coarse", "negative"),
        ("fine", "disgust"),
        ("action_units", "brow lowerer, lid tightener"),
        ("distinct_units", "brow lowerer, lid tightener"),
        ("au_shown", "yes"),
        ("au_side", "left"),
        ("event_count", "3"),
        ("micro_count", "0"),
        ("macro_count", "12"),
        ("event_type", "micro-expression"),
        (
            "combined",
            "The action units present are: brow lowerer, lid tightener. Therefore, the fine-grained "
            "expression class is disgust, and the coarse expression class is negative.",
        ),
    ],
)
def test_every_kind_has_a_form(kind: str, text: str) -> None:
    assert sentence_for(kind, VALUES) == text


def test_every_kind_of_question_has_a_form() -> None:
    for kind in ASKED:
        assert sentence_for(kind, VALUES)


@pytest.mark.parametrize(
    ("units", "question", "begins"),
    [
        (("dimpler",), "", "The action unit present is: dimpler. "),
        (("dimpler",), MANY, "The action units present are: dimpler. "),
        (("dimpler", "jaw drop"), ONE, "The action unit present is: dimpler, jaw drop. "),
        (("dimpler", "jaw drop"), "Please analyse it.", "The action units present are: dimpler, j"),
        ((), "", "The action units present are: none. "),
        ("dimpler", "", "The action unit present is: dimpler. "),
    ],
)
def test_number_follows_the_question_else_the_units(
    units: tuple[str, ...], question: str, begins: str
) -> None:
    said = sentence_for("combined", {**VALUES, "action_units": units}, question=question)
    assert said.startswith(begins)


def test_nothing_is_made_up() -> None:
    with pytest.raises(KeyError):
        sentence_for("combined", {"coarse": "negative", "fine": "fear"})
    with pytest.raises(KeyError):
        sentence_for("age", VALUES)


@pytest.mark.skipif(not DATA.is_dir(), reason="the private data folder is absent")
@pytest.mark.parametrize(("name", "others"), [("casme2", 2), ("samm", 2)])
def test_published_answers_are_made_again_letter_for_letter(name: str, others: int) -> None:
    """But for one clip each, whose action units stand in another order."""
    lines = (DATA / f"me_vqa_{name}.jsonl").read_text(encoding="utf-8").splitlines()
    different = []
    for row in map(json.loads, lines):
        kind = question_kind(row["question"])
        assert kind is not None
        values: dict[str, object] = dict(answers_of(kind, row["answer"]))
        if "action_units" in values:
            values["action_units"] = set(str(values["action_units"]).split(", "))
        said = sentence_for(kind, values, question=row["question"])
        if said != row["answer"]:
            different.append((said, row["answer"]))
    assert len(different) == others
    for said, answer in different:
        assert sorted(said.split()) == sorted(answer.split()) or len(said) == len(answer)


def test_the_order_of_names_is_that_of_their_numbers() -> None:
    names = ["whisker twitch", "lip corner puller", "brow lowerer", "outer brow raiser"]
    assert sentence_for("action_units", {"action_units": names}) == (
        "outer brow raiser, brow lowerer, lip corner puller, whisker twitch"
    )
