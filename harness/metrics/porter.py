"""Porter's stemmer with the extensions of NLTK, which ROUGE scores use.

M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980; the amendments are those of NLTK's
stemmer in its usual mode, so that stems are equal to its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

_IRREGULAR: Mapping[str, str] = MappingProxyType(
    {
        "skies": "sky", "sky": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news",
        "innings": "inning", "inning": "inning", "outings": "outing", "outing": "outing",
        "cannings": "canning", "canning": "canning", "howe": "howe", "proceed": "proceed",
        "exceed": "exceed", "succeed": "succeed",
    }
)  # fmt: skip

_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"),
    ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"),
    ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
    ("fulli", "ful"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The stem of a word in lower case; words of one or two letters stay as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    return _last(_fourth(_third(_second(_y_to_i(_past(_plural(word)))))))


def _consonants(word: str) -> list[bool]:
    flags: list[bool] = []
    for at, letter in enumerate(word):
        if letter == "y":
            flags.append(at == 0 or not flags[at - 1])
        else:
            flags.append(letter not in "aeiou")
    return flags


def _measure(word: str) -> int:
    """How often a consonant follows a vowel: the paper's m."""
    flags = _consonants(word)
    return sum(not a and b for a, b in pairwise(flags))


def _ends_cvc(word: str) -> bool:
    flags = _consonants(word)
    if len(word) == 2:
        return not flags[0] and flags[1]
    return len(word) >= 3 and flags[-3:] == [True, False, True] and word[-1] not in "wxy"


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        body = word[: -len(ending)]
        if word.endswith(ending) and not all(_consonants(body)):
            return _mended(body)
    return word


def _mended(body: str) -> str:
    """What is left before -ed or -ing, with the e or the single letter it had."""
    if body.endswith(("at", "bl", "iz")):
        return body + "e"
    if len(body) >= 2 and body[-1] == body[-2] and _consonants(body)[-1]:
        return body if body[-1] in "lsz" else body[:-1]
    return body + "e" if _measure(body) == 1 and _ends_cvc(body) else body


def _y_to_i(word: str) -> str:
    if word.endswith("y") and len(word) > 2 and _consonants(word[:-1])[-1]:
        return word[:-1] + "i"
    return word


def _second(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]) > 0:
        return _second(word[:-2])
    for ending, put in _STEP_2:
        if word.endswith(ending):
            body = word[: -len(ending)]
            return body + put if _measure(body) > 0 else word
    if word.endswith("logi"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    return word


def _third(word: str) -> str:
    for ending, put in _STEP_3:
        if word.endswith(ending):
            body = word[: -len(ending)]
            return body + put if _measure(body) > 0 else word
    return word


def _fourth(word: str) -> str:
    for ending in _STEP_4:
        if word.endswith(ending):
            body = word[: -len(ending)]
            kept = _measure(body) > 1 and (ending != "ion" or body[-1] in "st")
            return body if kept else word
    return word


def _last(word: str) -> str:
    if word.endswith("e"):
        body = word[:-1]
        size = _measure(body)
        if size > 1 or (size == 1 and not _ends_cvc(body)):
            word = body
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
