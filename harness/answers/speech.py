"""Combine the function words and phrases of the languages that a reply is read in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.answers.languages import languages_of
from harness.answers.lexicon import Lexicon, lexicon
from harness.answers.pattern import pattern

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]
"""First word -> (words, the English function words they stand for), longest first."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Some languages, English always among them. Build with `speech_for`."""

    languages: tuple[str, ...]
    lexicons: tuple[Lexicon, ...]
    operators: Phrases
    """Of all languages but English."""
    joined: Mapping[str, tuple[str, ...]]
    """Operators written without blanks around them (Chinese, Japanese, Korean)."""
    elision: re.Pattern[str] | None
    """Finds an apostrophe that parts two words."""
    denial_follows: bool


@lru_cache(maxsize=1)
def english() -> Speech:
    """English alone."""
    return _speech(("en",))


def speech_for(languages: Sequence[str], labels: Sequence[str] = ()) -> Speech:
    """English, the languages that are named, and those that the labels are in."""
    found = dict.fromkeys(["en", *languages, *languages_of(labels)])
    return _speech(tuple(found))


@lru_cache(maxsize=32)
def _speech(languages: tuple[str, ...]) -> Speech:
    lexicons = tuple(lexicon(language) for language in languages)
    operators: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    joined: dict[str, tuple[str, ...]] = {}
    for found in lexicons[1:]:
        for written, english_words in found.operators:
            words = _elided(written) if found.elisions else written
            if unspaced(words[0][0]):
                joined.setdefault(words[0], english_words)
            operators.setdefault(words[0], []).append((words, english_words))
    elisions = "|".join(found.elisions for found in lexicons if found.elisions)
    return Speech(
        languages=languages,
        lexicons=lexicons,
        operators={
            first: tuple(sorted(found, key=lambda item: -len(item[0])))
            for first, found in operators.items()
        },
        joined=joined,
        elision=pattern(rf"(?<![^\W_])(?:{elisions})(')(?=[^\W_])") if elisions else None,
        denial_follows=any(found.denial_follows for found in lexicons),
    )


def _elided(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for word in words for part in word.split("'") if part)


def unspaced(char: str) -> bool:
    """A character of Chinese, Japanese or Korean."""
    return "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or char == "\u3005"
