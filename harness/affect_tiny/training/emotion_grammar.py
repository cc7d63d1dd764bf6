"""Questions about the emotion of one drawn face, in many wordings."""

from __future__ import annotations

from random import Random
from typing import Any

from harness.affect_tiny.training import frames
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.noise import salad

Truth = dict[str, Any]
QA = tuple[str, str]


def fill(rng: Random, text: str, **given: str) -> str:
    """The phrase with its braces filled: those given, the rest at random."""
    for name, bank in (
        ("person", say.PERSON),
        ("thing", say.THING),
        ("show", say.SHOW),
        ("shown", say.SHOWN),
    ):
        if "{" + name + "}" in text:
            text = text.replace("{" + name + "}", rng.choice(bank))
    for name, value in given.items():
        text = text.replace("{" + name + "}", value)
    return text


def emotion_open(rng: Random, truth: Truth) -> QA:
    """Which emotion, no labels given: the noun."""
    ask = fill(rng, frames.emotion_ask(rng))
    return ask + rng.choice(say.ONE_WORD), str(truth["emotion"])


def emotion_listed(rng: Random, truth: Truth) -> QA:
    """Which of the labels."""
    labels, answer = (lists.plain_list if rng.random() < 0.35 else lists.label_list)(
        rng, truth["emotion"]
    )
    shown = lists.spell_list(rng, labels)
    draw = rng.random()
    if draw < 0.15:
        ask = fill(rng, frames.emotion_ask(rng)) if rng.random() < 0.8 else salad(rng)
        ask += rng.choice(frames.BULLET_ASKS).format(list=lists.bullet_list(rng, labels))
        return ask + rng.choice(say.ONE_WORD).strip(), answer
    if draw < 0.3:
        ask = fill(rng, rng.choice(frames.EITHER), list=shown)
    elif draw < 0.45:  # a list of emotions asks for one of them, whatever stands around it
        ask = frames.with_list(rng, salad(rng) + rng.choice(("", ".", "?", ":", ",")), shown)
    else:
        ask = frames.with_list(rng, fill(rng, frames.emotion_ask(rng)), shown)
    return ask + rng.choice(say.ONE_WORD), answer


def emotion_renamed(rng: Random, truth: Truth) -> QA:
    """Which of the labels, mostly in words that are not the usual nouns."""
    family = rng.choice(("adjective", "other", "other", "verbal", ""))
    words = {
        e: lists.FAMILIES[family][e] if family else lists.word_for(rng, e) for e in lists.EMOTIONS
    }
    emotions = list(lists.EMOTIONS if truth["emotion"] == "contempt" else lists.BASIC)
    if rng.random() < 0.5:
        rng.shuffle(emotions)
    shown = lists.spell_list(rng, [words[e] for e in emotions])
    ask = frames.with_list(rng, fill(rng, frames.emotion_ask(rng)), shown)
    return ask + rng.choice(say.ONE_WORD), words[truth["emotion"]]


def emotion_marked(rng: Random, truth: Truth) -> QA:
    """Which option letter or number."""
    return emotion_chosen(rng, truth, most=len(lists.EMOTIONS))


def emotion_chosen(
    rng: Random, truth: Truth, *, most: int, plain: bool = False, odd: bool = False
) -> QA:
    """Which option letter or number, among two to `most` options in any order: in the usual order a
    mark could be learnt by heart.

    Args:
        plain: nouns only, the list always in the middle, no small letters.
        odd: rarer signs behind the marks too, and the list in one line with the rest at times.
    """
    labels, answer = lists.few(rng, truth["emotion"], rng.randint(2, most), nouns=plain)
    letters = rng.random() < 0.6
    marks = tuple(lists.LETTERS) if letters else lists.NUMBERS
    if letters and not plain and rng.random() < 0.15:
        marks = tuple(mark.lower() for mark in marks)
    how = rng.choice(say.LETTER_ASKS if letters else say.NUMBER_ASKS)
    shown = lists.marked_list(rng, labels, marks, odd=odd)
    ask = fill(rng, frames.emotion_ask(rng))
    if odd and rng.random() < 0.3:
        return f"{ask} {shown}.{how}", marks[labels.index(answer)]
    text = f"{ask}\n{shown}\n{how.strip()}"
    if not plain and rng.random() < 0.25:
        text = ask + how + "\n" + shown
    return text, marks[labels.index(answer)]


def emotion_check(rng: Random, truth: Truth) -> QA:
    """Is it this emotion, half of the time yes."""
    others = [e for e in lists.EMOTIONS if e != truth["emotion"]]
    named = truth["emotion"] if rng.random() < 0.5 else rng.choice(others)
    ask = fill(
        rng,
        rng.choice(say.IS_EMOTION),
        noun=lists.FAMILIES["noun"][named],
        adjective=lists.FAMILIES["adjective"][named],
    )
    answer = "yes" if named == truth["emotion"] else "no"
    return ask + rng.choice(say.YES_NO), answer
