"""Perturb training instructions so that the model follows their key words only.

An instruction is padded with idle sentences and words, loses or swaps words that decide nothing,
gets small typing errors, other cases and stops; some words are cut, so that rare pieces of words
are trained as well. What decides the answer (labels, fields, "letter", "yes or no") is kept.
"""

from __future__ import annotations

import re
from random import Random

from harness.affect_tiny.training import cue_wording as cues
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.exchange import CUT
from harness.affect_tiny.training.plain_words import CLAUSES, WORDS
from harness.faces import UNIT_TABLE

ASKING = """emotion emotions emotional expression expressions express expresses expressed feeling
feelings feel feels mood moods affect affective sentiment"""
DECIDING = """yes no letter letters number numbers json object keys key values value schema describe
description explain explanation reason reasoning steps step think without is are does do how
valence arousal pleasant positive negative activated calm excited scale between from to action unit
units facs au aus present active absent glasses beard hair age old years head pose gaze look looking
camera direction eyebrows eyebrow brows brow eyes eye mouth teeth tooth cheeks cheek nose forehead
lips lip corner corners squint smile smiling wear wearing baring raised lowered micro coarse fine
class left right side detail detailed option options answer line last end form word list reliance"""


def _key_words() -> frozenset[str]:
    found = {w for family in lists.FAMILIES.values() for words in family.values() for w in [words]}
    found |= {v for values in cues.CUE_ANSWERS.values() for v in values}
    found |= {u.facs for u in UNIT_TABLE.values()} | {u.megc for u in UNIT_TABLE.values()}
    parts = {part for text in found for part in re.split(r"[^a-z]+", text.lower())}
    return frozenset({*parts, *ASKING.split(), *DECIDING.split()} - {""})


KEYS = _key_words()
FILLERS: tuple[str, ...] = tuple(word for word in WORDS if word not in KEYS)
_WORD = re.compile(r"[A-Za-z]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def disturb(rng: Random, text: str, *, heavy: bool) -> str:
    """The instruction with some noise; now and then none.

    Args:
        heavy: whether words may be swapped, dropped and put in, and not only misspelt. For
            questions whose labels or key words say all.
    """
    if rng.random() < 0.25:
        return text
    if heavy and rng.random() < 0.55:
        text = reword(rng, text, share=rng.choice((0.1, 0.25, 0.5, 0.9)))
    if rng.random() < 0.35:
        text = pad(rng, text)
    if rng.random() < 0.3:
        text = misspell(rng, text, share=rng.choice((0.03, 0.1)))
    if rng.random() < 0.2:
        text = restop(rng, text)
    if rng.random() < 0.12:
        text = recase(rng, text)
    if rng.random() < 0.5:
        text = cut(rng, text, share=rng.choice((0.05, 0.15, 0.3)))
    return text


def reword(rng: Random, text: str, *, share: float) -> str:
    """Words that decide nothing are swapped for others, dropped, or get company."""

    def change(found: re.Match[str]) -> str:
        word = found.group()
        if word.lower() in KEYS or len(word) == 1 or rng.random() > share:
            return word
        draw = rng.random()
        if draw < 0.5:
            return like(word, rng.choice(FILLERS))
        if draw < 0.75:
            return ""
        return f"{word} {rng.choice(FILLERS)}"

    return re.sub(r"(?<!\n) {2,}", " ", _WORD.sub(change, text)).strip(" ")


def salad(rng: Random, *, most: int = 9) -> str:
    """A few ordinary words in a row."""
    words = [rng.choice(FILLERS) for _ in range(rng.randint(1, most))]
    text = " ".join(words)
    return text.capitalize() if rng.random() < 0.6 else text


def idle(rng: Random) -> str:
    """A sentence that asks for nothing."""
    if rng.random() < 0.6:
        return rng.choice(CLAUSES)
    return salad(rng) + rng.choice((".", ".", "!", ",", ":", ""))


def pad(rng: Random, text: str) -> str:
    """The instruction with idle sentences before or behind it."""
    gap = rng.choice((" ", " ", "\n"))
    draw = rng.random()
    if draw < 0.5:
        return idle(rng) + gap + text
    if draw < 0.8:
        return text + gap + idle(rng)
    return idle(rng) + gap + text + gap + idle(rng)


def like(word: str, other: str) -> str:
    """The other word in the case of the first."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def misspell(rng: Random, text: str, *, share: float) -> str:
    """Some words lose, gain, swap or change a letter; labels and single letters do not."""

    def change(found: re.Match[str]) -> str:
        word = found.group()
        known = word.lower() in KEYS and word.lower() not in ASKING.split()
        if known or len(word) < 4 or rng.random() > share:
            return word
        at = rng.randrange(1, len(word) - 1)
        draw = rng.randrange(4)
        if draw == 0:
            return word[:at] + word[at + 1 :]
        if draw == 1:
            return word[:at] + word[at] + word[at:]
        if draw == 2:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + rng.choice(_LETTERS) + word[at + 1 :]

    return _WORD.sub(change, text)


def restop(rng: Random, text: str) -> str:
    """Another stop at the end, or none; colons become dashes or go."""
    draw = rng.random()
    if draw < 0.4:
        return text.rstrip("?.!")
    if draw < 0.6:
        return text.rstrip("?.!") + rng.choice((".", "!", "?", "...", " ?", ":"))
    if draw < 0.8:
        return text.replace(": ", rng.choice((" - ", " ", " -> ", ":\n", " = ")), 1)
    return text.replace(". ", rng.choice(("\n", "; ", " ", ".\n")), 1)


def recase(rng: Random, text: str) -> str:
    """All words that are no labels in lower or in upper case."""
    upper = rng.random() < 0.4

    def change(found: re.Match[str]) -> str:
        word = found.group()
        if (word.lower() in KEYS and word.lower() not in ASKING.split()) or len(word) == 1:
            return word
        return word.upper() if upper else word.lower()

    return _WORD.sub(change, text)


def cut(rng: Random, text: str, *, share: float) -> str:
    """Marks some words as cut in two, for the encoder."""

    def change(found: re.Match[str]) -> str:
        word = found.group()
        if len(word) < 3 or rng.random() > share:
            return word
        at = rng.randrange(1, len(word))
        return word[:at] + CUT + word[at:]

    return _WORD.sub(change, text)
