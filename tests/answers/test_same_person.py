"""Whether two pictures show one person: yes and no in their forms, scores, and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.reader import Reader
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.outcome import Outcome

SPEC = FieldSpec(kind="pairs", low=0, high=100, words={"yes": 100, "no": 0})
ROWS = [
    ("yes", 100), ("No.", 0), ("YES!", 100), ("Yes, they are the same person.", 100), ("85", 85), ("85%", 85),
    ("Score: 85/100", 85), ("Yes, 95", 95), ("No - 10", 0), ("0", 0), ("100", 100), ("Likelihood: 70", 70),
    ("No, the two pictures show different people.", 0), ("No, these are 2 different people.", 0),
    ("They are not the same person.", 0), ("The two images show the same person.", 100), ("different people", 0),
    ("They appear to be different individuals.", 0), ("Yes (90%)", 90), ("No (95% confident)", 0),
    ("Yes, with a confidence of 30%", 100), ("I'm 90% sure: no", 0),
    ("Picture 1 and picture 2 show the same man. Answer: yes", 100), ("I'd say 20 out of 100", 20),
    ("It is unlikely that they are the same person.", 0), ("They don't look like the same person", 0),
    ("I do not think that these are different people", 100), ("Picture 1 shows a woman, picture 2 a man. No", 0),
    ("Final answer: no", 0), ("It's the same individual", 100), ("Both pictures show the same person, 92.", 92),
    ("Not the same person: 12", 12), ("same", 100), ("Different", 0), ("true", 100), ('{"same": "no"}', 0),
    ("I am 90% sure they are different", 0), ("I'm 80% certain that they are the same.", 100),
    ("They are not the same, I am 95% confident", 0), ("They're different. Confidence: 90%", 0),
    ("These look the same, 85", 85), ("They are not different", 100), ("The men appear to be quite different.", 0),
    ("Their hair is different, but it is the same person.", 100), ("They look the same age: 30", 30),
    ('{"same": true}', 100), ('{"same": 64}', 64), ('{"same": 64.5}', 64.5), ("**Yes**", 100), ("50", 50),
    ("Likely the same", 100), ("Probably not", 0), ("Most likely not.", 0), ("Unlikely", 0), ("Likely.", 100), ("I'm not sure, but it is likely the same.", 100), ("likely different.", 0),
    ("Very likely a match", 100), ("Not likely the same", 0), ("Probably the same, given the jaw.", 100),
    ("Probably not, 20", 20), ("I think they are probably different", 0), ("Definitely not a match!", 0),
    ("The jaws agree. Likely the same.", 100), ("Likely the same: 0.8", 100), ("Yes, 0.9", 100), ("Highly unlikely to be the same person", 0),
    ("0.8%", 0.8), ("0.8/100", 0.8), ("64.5", 64.5), ("0.0", 0), ("1", 1),
]  # fmt: skip
NONE = [
    ("", Outcome.EMPTY), ("120", Outcome.OFF_LIST), ("I cannot identify people in images.", Outcome.REFUSED),
    ("I'm not sure.", Outcome.REFUSED), ("Yes, 3", Outcome.AMBIGUOUS), ("similarity 45 to 55", Outcome.AMBIGUOUS),
    ("A lovely day.", Outcome.UNPARSED), ("Maybe the same person, maybe different people", Outcome.OFF_LIST),
    ("Certainly! I cannot identify people in images.", Outcome.REFUSED), ("Clearly, a lovely day.", Outcome.UNPARSED),
    ("0.8", Outcome.AMBIGUOUS), ("Score: 0.85", Outcome.AMBIGUOUS), ('{"same": 0.8}', Outcome.AMBIGUOUS), (".9", Outcome.AMBIGUOUS),
    ("1.0", Outcome.AMBIGUOUS), ("0,8", Outcome.AMBIGUOUS), ("Likely the same age.", Outcome.UNPARSED),
    ("Likely the same. Probably different.", Outcome.AMBIGUOUS),
    ("The same person here, different people there.", Outcome.AMBIGUOUS), ("yes no", Outcome.AMBIGUOUS),
    ("No. Yes.", Outcome.AMBIGUOUS),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "value"), ROWS)
def test_answers(reply: str, value: float) -> None:
    found = Reader.build({"same": SPEC})(reply)["same"]
    assert (found.outcome, found.value) == (Outcome.ANSWERED, value), found


@pytest.mark.parametrize(("reply", "outcome"), NONE)
def test_what_is_no_answer(reply: str, outcome: Outcome) -> None:
    found = Reader.build({"same": SPEC})(reply)["same"]
    assert found.outcome is outcome, found


def test_golden_table() -> None:
    """Replies in prose with their values on 0 to 100; "-": not to be read, because a wrong value is worse."""
    lines = (
        (Path(__file__).parents[1] / "golden" / "same-person.tsv").read_text("utf-8").splitlines()
    )
    reader, wrong = Reader.build({"same": SPEC}), []
    for line in lines:
        value, _, written = line.partition("\t")
        reply = written.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
        found = reader(reply)["same"]
        if found.value != (None if value == "-" else float(value)):
            wrong.append((reply, value, found))
    assert len(lines) > 700 and not wrong, wrong


@pytest.mark.parametrize(
    ("language", "reply", "value"),
    [
        ("de", "Nein, das sind verschiedene Personen.", 0), ("fr", "Oui.", 100), ("es", "Sí, es la misma persona.", 100),
        ("es", "No, no son la misma persona.", 0), ("es", "No lo sé", None), ("es", "No estoy seguro.", None),
        ("de", "Endgültige Antwort: nein", 0), ("de", "Antwort: ja", 100), ("fr", "Réponse finale : oui.", 100), ("zh", "答案：否", 0),
        ("zh", "不是同一个人", 0), ("zh", "不确定", None), ("de", "Mit 90 % Wahrscheinlichkeit verschiedene Personen", None),
    ],
)  # fmt: skip
def test_other_languages_where_they_are_read(
    language: str, reply: str, value: float | None
) -> None:
    assert Reader.build({"same": SPEC}, languages=[language])(reply)["same"].value == value


def test_a_long_reply_takes_little_time() -> None:
    reader = Reader.build({"same": SPEC})
    for part in (
        "the same person, ",
        "not different people or no match? 85% ",
        "(different ",
        "differ 1 ",
    ):
        reader(part * 1500)


@given(st.text(max_size=200))
def test_any_text_is_read_on_the_scale_or_not_at_all(reply: str) -> None:
    found = Reader.build({"same": SPEC})(reply)["same"]
    assert found.value is None or 0 <= float(str(found.value)) <= 100


def test_truths_are_the_ends_of_the_scale() -> None:
    target = kind_of(SPEC).target
    assert [target(cell, SPEC) for cell in ("yes", "No", 1, 0, True, "false")] == [100, 0, 100, 0, 100, 0]  # fmt: skip
    said = (
        "same",
        "Different",
        "SAME PERSON",
        "different_people",
        "match",
        "non-match",
        "genuine",
        "impostor",
    )
    assert [target(cell, SPEC) for cell in said] == [100, 0] * 4
    with pytest.raises(ValueError, match="neither yes, same or 1"):
        target("57", SPEC)


@pytest.mark.parametrize("words", [{"yes": 100}, {"yes": 0, "no": 100}, {"same": 100, "no": 0}])
def test_the_words_are_the_ends_of_the_scale(words: dict[str, float]) -> None:
    with pytest.raises((HarnessError, ValueError), match="words"):
        FieldSpec(kind="pairs", low=0, high=100, words=words)
