"""Rows of choices: the mark belongs to the true label, no order can be learnt by heart."""

from __future__ import annotations

import re
from random import Random

import pytest

from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.choosing import EACH, Choices
from tests.affect_tiny.samples import grammar, some_truths

MARK = re.compile(
    r"(?<![A-Za-z])([A-Ja-j]|[1-9])(?:[)\]>.:]| -| ->| \||\s~| stands for| means)? (?=[a-z])"
)
WORDS = {word: emotion for family in lists.FAMILIES.values() for emotion, word in family.items()}


def branches(choices: Choices, *, seed: int = 0, blank: bool = False) -> list[tuple[str, str, str]]:
    """The true emotion, what is asked and what is answered."""
    rng, told = Random(seed), []
    for truth in some_truths()[0]:
        for (asked, _), (answer, _) in choices.row(rng, truth, blank=blank).branches:
            told.append((truth["emotion"], asked, answer.removesuffix("<|im_end|>")))
    return told


@pytest.mark.parametrize("count", range(2, 9))
def test_few_labels_hold_the_true_one_once(count: int) -> None:
    rng = Random(count)
    for truth in lists.EMOTIONS:
        labels, answer = lists.few(rng, truth, count)
        assert len(labels) == len(set(labels)) == count
        assert labels.count(answer) == 1 and WORDS[answer] == truth


def test_the_mark_that_is_answered_stands_before_the_true_label() -> None:
    for emotion, asked, answer in branches(Choices(grammar(), named=0.0, checks=0.0, noisy=0.0)):
        options = {}
        for found in MARK.finditer(asked):
            rest = asked[found.end() :]
            word = next((w for w in sorted(WORDS, key=len, reverse=True) if rest.startswith(w)), "")
            options[found[1]] = WORDS.get(word, "")
        assert options[answer] == emotion, (asked, answer)


def test_a_mark_tells_nothing_about_the_label_behind_it() -> None:
    found: dict[str, set[str]] = {}
    for seed in range(30):
        for emotion, _, answer in branches(Choices(grammar(), named=0.0, checks=0.0), seed=seed):
            found.setdefault(emotion, set()).add(answer.upper())
    assert all({"A", "B", "C", "1", "2", "3"} <= marks for marks in found.values())


def test_the_stage_begins_with_two_plain_options_and_ends_with_all_words() -> None:
    first, middle, last = (Choices.growing(grammar(), share) for share in (0.0, 0.35, 1.0))
    assert (first.most, middle.most, last.most) == (2, 5, 8)
    assert first.plain and middle.plain and not last.plain
    nouns = set(lists.FAMILIES["noun"].values())
    for choices, plain in ((first, True), (last, False)):
        told = " ".join(q for _, q, answer in branches(choices) if answer not in {"yes", "no"})
        rare = {w for w in WORDS if w not in nouns and re.search(rf"\b{w}\b", told)}
        assert (not rare) == plain
    marks = {answer for *_, answer in branches(first)} - {"yes", "no"}
    assert marks == {"A", "B", "1", "2"}


def test_a_yes_or_no_is_true_of_the_face_it_is_asked_about() -> None:
    told = branches(Choices(grammar(), named=0.0, checks=1.0, noisy=0.0), seed=3)
    said = [answer for *_, answer in told]
    assert {"yes", "no"} == set(said) and 0.3 < said.count("yes") / len(said) < 0.7
    seen = 0
    for emotion, asked, answer in told:
        named = [w for w in WORDS if re.search(rf"\b{w}\b", asked) and w != "no emotion"]
        if len(named) == 1 and "action unit" not in asked.lower():
            seen += 1
            assert (WORDS[named[0]] == emotion) == (answer == "yes"), (emotion, asked, answer)
    assert seen > 3


def test_a_flat_picture_cannot_be_told_from_options() -> None:
    told = branches(Choices(grammar()), blank=True)
    assert len(told) == EACH * len(some_truths()[0])
    assert {answer for *_, answer in told} == {"I cannot tell; the picture is blank."}
