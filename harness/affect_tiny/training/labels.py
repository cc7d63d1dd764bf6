"""Emotion words of the grammar and the many ways in which a prompt lists labels."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

FAMILIES: dict[str, dict[str, str]] = {
    "noun": {
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happiness": "happiness",
        "sadness": "sadness",
        "surprise": "surprise",
        "neutral": "neutral",
        "contempt": "contempt",
    },
    "adjective": {
        "anger": "angry",
        "disgust": "disgusted",
        "fear": "fearful",
        "happiness": "happy",
        "sadness": "sad",
        "surprise": "surprised",
        "neutral": "neutral",
        "contempt": "contemptuous",
    },
    "other": {
        "anger": "rage",
        "disgust": "revulsion",
        "fear": "afraid",
        "happiness": "joy",
        "sadness": "sorrow",
        "surprise": "astonished",
        "neutral": "expressionless",
        "contempt": "scorn",
    },
    "verbal": {
        "anger": "mad",
        "disgust": "repulsed",
        "fear": "scared",
        "happiness": "joyful",
        "sadness": "sorrowful",
        "surprise": "amazed",
        "neutral": "no emotion",
        "contempt": "disdain",
    },
}
EMOTIONS: tuple[str, ...] = tuple(FAMILIES["noun"])
BASIC: tuple[str, ...] = EMOTIONS[:7]
LETTERS = "ABCDEFGHIJ"
NUMBERS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")


_SIGNS = (
    *(("(", ")"), ("", "."), ("", ")"), ("", ":"), ("[", "]"), ("", " -"), ("<", ">"), ("", "")),
)
_ODD_SIGNS = (("", " ->"), ("", " |"), ("", " ~"), ("", " stands for"), ("", " means"), ("#", ""))


def word_for(rng: Random, emotion: str) -> str:
    """One of the words for an emotion."""
    return FAMILIES[rng.choice(tuple(FAMILIES))][emotion]


def label_list(rng: Random, truth: str) -> tuple[list[str], str]:
    """Labels in random order, the true one among them, and the true one's spelling."""
    emotions = list(EMOTIONS if truth == "contempt" or rng.random() < 0.25 else BASIC)
    if rng.random() < 0.3:  # a subset that still holds the truth
        others = [e for e in emotions if e != truth]
        emotions = [truth, *rng.sample(others, rng.randint(1, len(others)))]
    draw = rng.random()
    if draw < 0.5:
        words = {e: FAMILIES["noun"][e] for e in emotions}
    elif draw < 0.8:
        words = {e: FAMILIES["adjective"][e] for e in emotions}
    else:
        words = {e: word_for(rng, e) for e in emotions}
    if rng.random() < 0.12:
        words = {e: w.capitalize() for e, w in words.items()}
    if rng.random() < 0.65:
        rng.shuffle(emotions)
    return [words[e] for e in emotions], words[truth]


def few(rng: Random, truth: str, count: int, *, nouns: bool = False) -> tuple[list[str], str]:
    """`count` labels (two to eight), the true one among them, mostly or only nouns, in any order."""
    emotions = list(EMOTIONS if truth == "contempt" or count > len(BASIC) else BASIC)
    emotions = [truth, *rng.sample([e for e in emotions if e != truth], count - 1)]
    rng.shuffle(emotions)
    draw = rng.random()
    family = "noun" if nouns or draw < 0.65 else "adjective" if draw < 0.85 else ""
    words = {e: FAMILIES[family][e] if family else word_for(rng, e) for e in emotions}
    return [words[e] for e in emotions], words[truth]


def plain_list(rng: Random, truth: str) -> tuple[list[str], str]:
    """The usual noun labels, mostly all seven, often in the usual order."""
    emotions = list(EMOTIONS if truth == "contempt" or rng.random() < 0.1 else BASIC)
    if rng.random() < 0.5:
        rng.shuffle(emotions)
    return [FAMILIES["noun"][e] for e in emotions], FAMILIES["noun"][truth]


def spell_list(rng: Random, labels: Sequence[str]) -> str:
    """The labels as running text."""
    draw = rng.random()
    if draw < 0.35 or len(labels) < 2:
        return ", ".join(labels)
    if draw < 0.55:
        link = rng.choice((" or ", " or ", " and ", ", or ", ", and ", " or else "))
        return ", ".join(labels[:-1]) + link + labels[-1]
    if draw < 0.85:
        gap = rng.choice((" / ", "/", "; ", " | ", "|", " ", " or ", " - ", ",", "\n", " > "))
        return gap.join(labels)
    left, right = rng.choice(
        (('"', '"'), ("'", "'"), ("<", ">"), ("*", "*"), ("[", "]"), ("`", "`"))
    )
    if draw < 0.92:
        return ", ".join(f"{left}{label}{right}" for label in labels)
    left, right = rng.choice((("[", "]"), ("(", ")"), ("{", "}"), ("<", ">"), ('"', '"')))
    return left + ", ".join(labels) + right


def bullet_list(rng: Random, labels: Sequence[str]) -> str:
    """The labels one a line."""
    mark = rng.choice(("- ", "* ", "", "• ", "+ ", "o ", "[ ] "))
    return "\n".join(mark + label for label in labels)


def marked_list(
    rng: Random, labels: Sequence[str], marks: Sequence[str], *, odd: bool = False
) -> str:
    """The labels with option letters or numbers; `odd` adds rarer signs between the two."""
    left, right = rng.choice(_SIGNS + _ODD_SIGNS if odd else _SIGNS)
    gap = rng.choice(("\n", "\n", ", ", "  ", "; "))
    return gap.join(f"{left}{m}{right} {label}" for m, label in zip(marks, labels, strict=False))
