"""Several fields from one reply, the Reader's promises, and hostile replies."""

from __future__ import annotations

import time

import pytest

from harness.answers.reader import PARSER_VERSION, Reader, read, read_all
from harness.answers.reasoning import part
from harness.answers.vocabulary import resolve_labels
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.generation import Generation
from harness.core.languages import LANGUAGES
from harness.core.outcome import Outcome

VQA = {
    "coarse": FieldSpec(kind="label", labels=resolve_labels("megc-coarse")),
    "fine": FieldSpec(kind="label", labels=resolve_labels("me-fine-7")),
    "action_units": FieldSpec(kind="set", labels=resolve_labels("megc-action-units")),
}
EMOTION = FieldSpec(kind="label", labels=resolve_labels("basic-7"))


def values(text: str, **options: bool) -> dict[str, object]:
    return {name: answer.value for name, answer in read_all(text, VQA, **options).items()}


@pytest.mark.parametrize(
    ("text", "coarse", "fine", "units"),
    [
        (
            "The action units present are: brow lowerer, lid tightener. Therefore, the fine-grained "
            "expression class is anger, and the coarse expression class is negative.",
            "negative", "anger", ("brow lowerer", "lid tightener"),
        ),
        (
            "The action unit present is: lip corner puller. Therefore, the fine-grained expression "
            "class is happiness, and the coarse expression class is positive.",
            "positive", "happiness", ("lip corner puller",),
        ),
        (
            "action unit: chin raiser. fine-grained expression class: surprise. coarse expression class: surprise.",
            "surprise", "surprise", ("chin raiser",),
        ),
        ("**Coarse**: Positive\n**Fine**: Happy\n**Action units**: AU6, AU12",
         "positive", "happiness", ("cheek raiser", "lip corner puller")),
        ("Coarse expression class is negative; fine-grained is disgust; action units: nose wrinkler",
         "negative", "disgust", ("nose wrinkler",)),
        ("The action units present are: none. Therefore, the fine-grained expression class is fear, "
         "and the coarse expression class is negative.", "negative", "fear", ()),
        ('{"coarse": "negative", "fine": "sad", "action_units": ["AU1", "AU4"]}',
         "negative", "sadness", ("brow lowerer", "inner brow raiser")),
        ("The fine-grained expression class is fear.", None, "fear", None),
    ],
)  # fmt: skip
def test_combined_reply(text: str, coarse: str, fine: str, units: tuple[str, ...]) -> None:
    assert values(text) == {"coarse": coarse, "fine": fine, "action_units": units}


def test_one_word_never_fills_two_fields() -> None:
    found = read_all("surprise", VQA)
    assert {found["coarse"].outcome, found["fine"].outcome} == {Outcome.UNPARSED}


def test_refusal_counts_for_every_field() -> None:
    found = read_all("I cannot tell; no face is visible.", VQA)
    assert {a.outcome for a in found.values()} == {Outcome.REFUSED}


def test_combined_reply_cut_off() -> None:
    text = "The action units present are: dimpler. Therefore, the fine-grained expression class is"
    found = read_all(text, VQA, truncated=True)
    assert found["action_units"].value == ("dimpler",)
    assert found["fine"].outcome is Outcome.TRUNCATED
    assert found["coarse"].outcome is Outcome.TRUNCATED


@pytest.mark.parametrize(
    "text",
    ["It is happiness.", "hap\u200bpy", "\ufb01ne, the answer is \uff48appy", "a\u0301 happy"],
)
def test_span_points_at_the_label_in_the_reply(text: str) -> None:
    answer = read(text, EMOTION)
    assert answer.value == "happiness" and answer.span is not None
    start, end = answer.span
    assert read(text[start:end], EMOTION).value == "happiness"


def test_text_field() -> None:
    spec = FieldSpec(kind="text")
    assert read("  The **Brows**\n rise ", spec).value == "The **Brows** rise"
    assert read("<think>x</think>Yes", spec).value == "Yes"
    assert read("cut", spec, truncated=True).outcome is Outcome.TRUNCATED
    assert read("I'm sorry, but I can't assist.", spec).outcome is Outcome.REFUSED


def test_labels_that_are_still_a_name_are_an_error() -> None:
    with pytest.raises(HarnessError, match="emotion"):
        Reader.build({"emotion": FieldSpec(kind="label", labels="basic-7")})


def test_version_is_a_string() -> None:
    assert isinstance(PARSER_VERSION, str) and PARSER_VERSION


def test_reader_keeps_no_state() -> None:
    reader = Reader.build({"emotion": EMOTION})
    first = reader("Answer: fear")
    reader("happiness")
    assert reader("Answer: fear") == first


UNITS = (
    "happy ", "not happy, ", "not ", "a", "{", '{"a":', '{"a":"', '\\"', "a'", "<think>", "</think>", "<|",
    "I cannot tell ", "the expression on the ", "primary emotion ", "1", "1 ", "0.1-", "valence: ",
    "**a", "\n", " ", "\\boxed{", "answer: ", "\u00e9", "\u202e\0", "AU12+", "is ", "1,000,", "from 1 to ",
    "happy or ", "{}", "[", "happy\n", "happy? ", "brow lowerer, ",
)  # fmt: skip
ALL = {
    "emotion": EMOTION,
    "valence": FieldSpec(kind="number"),
    "teeth": FieldSpec(kind="yes-no"),
    "action_units": FieldSpec(kind="set", labels=resolve_labels("megc-action-units")),
    "why": FieldSpec(kind="text"),
}


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit: str) -> None:
    """Four times the text takes at most some ten times as long, for every kind of field.

    The best of three counts: in a long test run a single timing may hold a whole garbage collection.
    """

    def once(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        for name, spec in ALL.items():
            read(text, spec, name=name)
        read_all(text, ALL, form="json")
        return time.process_time() - began

    small, large = (min(once(size) for _ in range(3)) for size in (4_000, 16_000))
    assert large < 12 * max(small, 0.02)


OTHER_UNITS = (
    "if ", "would ", "happy? ", "whether happy ", "no, ", "actually, ", "happy 0.5, ", "happy - ", "-> ",
    "emotions like happy ", "identifying happy ", "not to ", "i can't ", "against my ", "between happy and ",
    "rank 1 happy ", "a\u0301", "\u4e0d", "\u9ad8\u5174", "\u4e0d\u662f\u9ad8\u5174", "\u559c\u3073\u3067\u306f\u306a\u3044",
    "\ud589\ubcf5\uc774 ", "l'", "keine Wut, ", "ich kann nicht ", "je ne peux pas ", "\u0440\u0430\u0434\u043e\u0441\u0442\u044c ",
    "\u6211\u65e0\u6cd5", "no puedo ", "la ", "\u0e01", "happy and ", "not not ", "than ", "more happy than ",
)  # fmt: skip


@pytest.mark.parametrize("unit", OTHER_UNITS)
def test_time_is_linear_in_every_language(unit: str) -> None:
    reader = Reader.build({"emotion": EMOTION}, languages=tuple(LANGUAGES))
    reader("warm")

    def once(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        reader(text)
        return time.process_time() - began

    small, large = (min(once(size) for _ in range(2)) for size in (4_000, 16_000))
    assert large < 12 * max(small, 0.02)


@pytest.mark.parametrize("kind", ["emotion", "why"])
@pytest.mark.parametrize(
    "unit", ["happy ", "- happy\n", "{", "\u202e\0", "</think>", "\ufdfa", "1 "]
)
def test_a_megabyte_is_read_in_no_time(kind: str, unit: str) -> None:
    began = time.process_time()
    found = read(unit * (1_000_000 // len(unit)), ALL[kind], name=kind)
    assert time.process_time() - began < 1
    assert found.outcome in (Outcome.UNPARSED, Outcome.EMPTY)


@pytest.mark.parametrize(
    "mark", ["", "<think>", "<reasoning>", "analysisWe ", "<|channel|>analysis<|message|>"]
)
@pytest.mark.parametrize("unit", [" ", "\n", "</think>", "<", "<|im_end|>"])
def test_reasoning_is_parted_in_linear_time(mark: str, unit: str) -> None:
    text = mark + unit * (100_000 // len(unit))
    began = time.process_time()
    part(Generation(key="k", text=text, finish="stop"))
    assert time.process_time() - began < 1


LONG = "I look at the brows and at the mouth. " * 1000


@pytest.mark.parametrize(
    ("reply", "value", "rule"),
    [
        (f"{LONG} He is happy.", None, "too-long"),
        (f"Happy. {LONG}", None, "too-long"),
        (f"{LONG} Final answer: happy", "happiness", "final-anchor/label"),
        (f"Final answer: happy. {LONG}", None, "too-long"),
        (f"<think>{LONG * 3}</think> He is happy.", "happiness", "mention/label"),
        (f"<think>{LONG * 3}</think> L\u00e4cheln: he is happy.", "happiness", "mention/label"),
        (f'{{"why": "{LONG}", "emotion": "happy"}}', "happiness", "json/exact/synonym"),
        (f'{{"emotion": "{LONG} happy"}}', None, "json/too-long"),
    ],
)  # fmt: skip
def test_of_a_long_reply_what_is_marked_is_read(reply: str, value: str | None, rule: str) -> None:
    found = read(reply, EMOTION, name="emotion")
    assert (found.value, found.rule) == (value, rule)
    if found.span is not None:
        assert "happy" in reply[slice(*found.span)].lower()


def test_fields_of_a_long_reply_are_read_behind_their_names() -> None:
    found = read_all(f"{LONG}\nemotion: happy\nvalence: 0.5", {"emotion": EMOTION, "valence": ALL["valence"]})  # fmt: skip
    assert {name: answer.value for name, answer in found.items()} == {"emotion": "happiness", "valence": 0.5}  # fmt: skip
    assert read(f"{LONG} happy", EMOTION, truncated=True).rule == "too-long"
    assert read(f"{LONG} happy", EMOTION, truncated=True).outcome is Outcome.TRUNCATED


def test_languages_are_named_by_the_caller() -> None:
    assert read("Die Person ist traurig.", EMOTION).rule == "language/de"
    assert read("Die Person ist traurig.", EMOTION, languages=("de",)).value == "sadness"
    assert (
        read('{"emotion": "traurig"}', EMOTION, name="emotion", languages=("de",)).value
        == "sadness"
    )
    with pytest.raises(ValueError, match="xx"):
        Reader.build({"emotion": EMOTION}, languages=("xx",))


def test_labels_bring_their_language() -> None:
    reader = Reader.build({"emotion": FieldSpec(kind="label", labels=("Wut", "Freude", "neutral"))})
    assert reader.speech.languages == ("en", "de")
    assert Reader.build({"emotion": EMOTION}).speech.languages == ("en",)
