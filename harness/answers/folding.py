"""Fold letters: case, Unicode forms, combining accents and markup. Positions are kept."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Sequence

from harness.answers.pattern import pattern

BLANK = str.maketrans(
    {
        **{c: " " for c in range(32) if c != 10},
        127: " ",
        13: "\n",
        **dict.fromkeys(map(ord, '*_`#"~|'), " "),
    }
)
_FOLD = {
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201b": "'",
    "\u201c": " ", "\u201d": " ", "\u00ab": " ", "\u00bb": " ", "\u201e": " ", "\u00bf": " ", "\u00a1": " ",
    "\u300c": " ", "\u300d": " ", "\u300e": " ", "\u300f": " ", "\u300a": " ", "\u300b": " ",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-", "\ufe63": "-",
    "\u2014": ";", "\u2015": ";", "\u3002": ".", "\u3001": ",", "\u2028": "\n", "\u2029": "\n",
    "\u2022": "\n", "\u00d7": " ", "\u2044": "/", "\u30fb": ",",
}  # fmt: skip
_WORD = pattern(r"\d+(?:\.\d+)?(?![^\W_])|[^\W_]+(?:'[^\W_]+)*")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_PLAIN = pattern(r"[\x00-\x7f]+(?![^\x00-\x7f])")
"""A run of ASCII, without the letter that a mark behind it may belong to."""
_CLUSTER = 8
"""Marks that are put together with the letter before them; more of them are read one by one."""


def words_of(text: str) -> list[str]:
    """The words of a short text, folded as replies are."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return text.lower().split()
    return _WORD.findall(fold(text)[0].translate(BLANK))


def fold(text: str) -> tuple[str, Sequence[int] | None]:
    """The plain text, and for each of its characters the place it came from (one more at the end).

    None in place of the places where they are those of the text itself.
    """
    if text.isascii():
        return text.lower(), None
    parts: list[str] = []
    offsets = array("l")
    index, count = 0, len(text)
    while index < count:
        plain = _PLAIN.match(text, index)
        if plain is not None:
            parts.append(plain.group().lower())
            offsets.extend(range(index, plain.end()))
            index = plain.end()
            continue
        char = text[index]
        end = index + 1
        while end < count and end - index < _CLUSTER and _joins(text[end]):
            end += 1
        if end > index + 1:
            folded = unicodedata.normalize("NFKC", text[index:end]).casefold()
        elif char.isascii():
            folded = char.lower()
        elif char in _FOLD:
            folded = _FOLD[char]
        elif invisible(char):
            folded = ""
        else:
            folded = unicodedata.normalize("NFKC", char).casefold()
        parts.append(folded)
        offsets.extend([index] * len(folded))
        index = end
    offsets.append(count)
    return "".join(parts), offsets


def invisible(char: str) -> bool:
    """Control and format characters, which nobody sees."""
    return unicodedata.category(char) in ("Cf", "Cs", "Cc") and char not in "\n\t"


def bare(word: str) -> tuple[str, ...]:
    """The word as it is typed where a keyboard has no accents: uberrascht, ueberrascht."""
    if word.isascii():
        return ()
    parts = unicodedata.normalize("NFD", word)
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    long = word.translate(_UMLAUTS)
    return tuple(w for w in dict.fromkeys((plain, long)) if w != word)


def _joins(char: str) -> bool:
    """A combining accent, or a Korean vowel or final consonant written by itself."""
    if char < "\u0300":
        return False
    return "\u1160" <= char <= "\u11ff" or unicodedata.combining(char) > 0
