"""Spellings of one class are joined where that is clear, and refused where it is not."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.twins import fold, join_twins
from harness.core.errors import HarnessError


@pytest.mark.parametrize(
    ("counts", "classes"),
    [
        ({"Anger": 2, "ANGER ": 1, "anger": 1}, {"anger"}),
        ({"ANGER": 2, "Anger": 1}, {"anger"}),
        ({"Happy": 9, "Sad": 3}, {"Happy", "Sad"}),  # alone, a spelling stays as it is
        ({"happy": 9, "Happiness": 1, "sad": 1}, {"happiness", "sad"}),
        ({"angry": 1, "anger": 1, "fury": 1}, {"anger", "fury"}),  # other words are other classes
        ({"joy": 1, "happiness": 1}, {"joy", "happiness"}),
        ({"Café": 1, unicodedata.normalize("NFD", "Café"): 1}, {"Café"}),
        ({"not visible": 1, "not_visible": 1, "Not  visible": 1}, {"not visible"}),
        ({"ｆｅａｒ": 1, "fear": 1, "fe\u200bar": 1}, {"fear"}),
        ({"Anger.": 2, '"anger"': 1, "anger": 1, "ANGER:": 1}, {"anger"}),
        ({"Foo.": 2, "Foo": 1}, {"Foo"}),
        ({".5": 1, "5": 1, "?": 1, "...": 1}, {".5", "5", "?", "..."}),
        ({"+1": 1, "-1": 1}, {"+1", "-1"}),
        ({"anxiety": 1, "fear": 1, "helplessness": 1}, {"anxiety", "fear", "helplessness"}),
        ({"Foo": 1, "FOO": 2}, {"FOO"}),
    ],
)
def test_one_class_is_one(counts: dict[str, int], classes: set[str]) -> None:
    joined = join_twins(counts, {})
    assert set(joined.labels) == set(counts)
    assert set(joined.labels.values()) == classes
    assert len(joined.notes) == (len(counts) > len(classes))


def test_what_was_joined_is_said() -> None:
    (said,) = join_twins({"Anger": 2, "ANGER": 1, "fear": 1}, {}).notes
    assert said == (
        "'ANGER' (1), 'Anger' (2) counted as 'anger': equal apart from case, space, stops or Unicode form"
    )
    (said,) = join_twins({"angry": 2, "anger": 1}, {}).notes
    assert said.endswith("forms of one word")


def test_the_tasks_own_words_go_first() -> None:
    joined = join_twins({"joy": 1, "Happy": 2, "happiness": 1}, {"Happy": ["joy"]})
    assert joined.labels == {"joy": "Happy", "Happy": "Happy", "happiness": "happiness"}


@pytest.mark.parametrize(
    ("counts", "synonyms", "named"),
    [
        ({"s": 3, "S": 2}, {}, "'S', 's'"),
        ({"blue": 1, "sad": 1}, {"sad": ["blue"], "cold": ["blue"]}, "'blue', 'sad', 'cold'"),
    ],
)
def test_what_may_be_two_classes_is_refused(
    counts: dict[str, int], synonyms: dict[str, list[str]], named: str
) -> None:
    with pytest.raises(HarnessError, match=named) as caught:
        join_twins(counts, synonyms)
    assert "source.labels" in caught.value.hint


@given(st.lists(st.text(min_size=2, max_size=8), min_size=1, max_size=8))
def test_no_two_classes_fold_alike(labels: list[str]) -> None:
    counts = Counter(labels)
    try:
        joined = join_twins(counts, {})
    except HarnessError:
        assert any(len(fold(label)) < 2 for label in labels)
        return
    kept = set(joined.labels.values())
    assert len({fold(label) for label in kept}) == len(kept)
