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


def plain_list(rng: Random, truth: str) -> tuple[list[str], str]:
    """The usual noun labels, mostly all seven, often in the usual order."""
    emotions = list(EMOTIONS if truth == "contempt" or rng.random() < 0.1 else BASIC)
    if rng.random() < 0.5:
        rng.shuffle(emotions)
    return [FAMILIES["noun"][e] for e in emotions], FAMILIES["noun"][truth]


def spell_list(rng: Random, labels: Sequence[str]) -> str:
    """The labels as running text."""
    draw = rng.randrange(8)
    if draw < 3:
        return ", ".join(labels)
    if draw == 3:
        return ", ".join(labels[:-1]) + " or " + labels[-1] if len(labels) > 1 else labels[0]
    if draw == 4:
        return " / ".join(labels)
    if draw == 5:
        return ", ".join(f'"{label}"' for label in labels)
    if draw == 6:
        return "; ".join(labels)
    return "[" + ", ".join(labels) + "]"


def bullet_list(rng: Random, labels: Sequence[str]) -> str:
    """The labels one a line."""
    mark = rng.choice(("- ", "* ", ""))
    return "\n".join(mark + label for label in labels)


def lettered_list(rng: Random, labels: Sequence[str]) -> str:
    """The labels with option letters."""
    left, right = rng.choice((("(", ")"), ("", "."), ("", ")"), ("", ":")))
    gap = rng.choice(("\n", "\n", ", ", "  "))
    return gap.join(f"{left}{LETTERS[i]}{right} {label}" for i, label in enumerate(labels))
