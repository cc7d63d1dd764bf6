"""Label sets, definitions and the spelling of annotations."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.answers.action_units import MEGC_ACTION_UNITS, NUMBERS, number_of
from harness.answers.lexicon import lexicon
from harness.answers.vocabulary import VOCABULARIES, canonical, definitions, resolve_labels
from harness.core.errors import HarnessError
from harness.core.languages import LANGUAGES


def test_names_and_lists_resolve() -> None:
    assert resolve_labels("basic-6") == (
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
    )
    assert resolve_labels(["happy", "sad"]) == ("happy", "sad")
    assert len(resolve_labels("megc-action-units")) == 25


@pytest.mark.parametrize("name", ["basic-9", "from-data", ""])
def test_unknown_name_is_an_error_that_lists_names(name: str) -> None:
    with pytest.raises(HarnessError, match="basic-7"):
        resolve_labels(name)


def test_definitions_cover_the_emotion_sets() -> None:
    for name in ("basic-7", "basic-8", "megc-coarse", "casme2-5", "samm-fine", "academic-5"):
        assert tuple(definitions(resolve_labels(name))) == resolve_labels(name)
    assert definitions(["happy", "zebra"]) == {"happy": definitions(["happiness"])["happiness"]}


@pytest.mark.parametrize(
    ("value", "labels", "label"),
    [
        ("Happy", "basic-7", "happiness"), ("angry ", "basic-7", "anger"), ("Surprised", "basic-7", "surprise"),
        ("NEUTRAL", "basic-7", "neutral"), ("contempt", "basic-7", None), ("smile", "basic-7", None),
        ("unhappy", "basic-7", None), ("happiness", ("happy", "sad"), "happy"),
        ("AU12", "megc-action-units", "lip corner puller"), ("L4", "megc-action-units", "brow lowerer"),
        ("nostril dilator", "megc-action-units", "nostril dilater"), ("4", "megc-action-units", "brow lowerer"),
        ("99", "megc-action-units", None), ("inner_raised", "cue-eyebrows", "inner-raised"), ("", "basic-7", None),
    ],
)  # fmt: skip
def test_canonical(value: str, labels: str | tuple[str, ...], label: str | None) -> None:
    assert canonical(value, resolve_labels(labels)) == label


def test_task_synonyms_go_first() -> None:
    assert canonical("joy", ("happiness", "other"), {"other": ("joy",)}) == "other"


def test_every_label_is_its_own_spelling() -> None:
    for labels in VOCABULARIES.values():
        assert [canonical(label, labels) for label in labels] == list(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_lexicon_words_name_one_class(language: str) -> None:
    known = lexicon(language)
    words = [form for families in known.affect.values() for family in families for form in family]
    assert [word for word, count in Counter(words).items() if count > 1] == []
    assert not set(words) & known.other


def test_every_megc_name_has_spellings_of_its_own() -> None:
    assert set(MEGC_ACTION_UNITS) <= {*NUMBERS.values()}
    assert number_of("R12A") == 12 and number_of("AU 04") == 4 and number_of("12 apples") is None
