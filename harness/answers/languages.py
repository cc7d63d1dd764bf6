"""Detect the languages of a label set and of a reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from harness.answers.folding import words_of
from harness.answers.lexicon import function_words, lexicon, mentions_any
from harness.core.languages import LANGUAGES

_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("\u0370\u03ff", "el"), ("\u0400\u052f", "ru"), ("\u0530\u058f", "hy"), ("\u0590\u05ff", "he"),
    ("\u0600\u06ff", "ar"), ("\u0900\u097f", "hi"), ("\u0980\u09ff", "bn"), ("\u0a00\u0a7f", "pa"),
    ("\u0a80\u0aff", "gu"), ("\u0b80\u0bff", "ta"), ("\u0c00\u0c7f", "te"), ("\u0c80\u0cff", "kn"),
    ("\u0d00\u0d7f", "ml"), ("\u0e00\u0e7f", "th"), ("\u0e80\u0eff", "lo"), ("\u1000\u109f", "my"),
    ("\u10a0\u10ff", "ka"), ("\u1200\u137f", "am"), ("\u1780\u17ff", "km"), ("\u3040\u30ff", "ja"),
    ("\u3400\u9fff", "zh"), ("\uac00\ud7a3", "ko"),
)  # fmt: skip
"""First and last letter of a script, and the language mostly written in it."""
_SAMPLE = 2000
"""Letters of a reply that are looked at."""
_WORDS = 160
_FEW = 3
"""Words of a reply of which one that is frequent in a language may tell it."""
_SIBLINGS = frozenset(("es", "pt", "it"))
_OF_OTHERS = {"ru": ("\u0456\u0457\u0454\u0491", "uk"), "ar": ("\u067e\u0686\u06af\u06cc", "fa")}
"""Letters that tell another language of the same script."""
UNKNOWN = "unknown"


def languages_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The languages besides English whose lexicons know the labels that English does not."""
    if not labels:
        return ()
    english = _known("en")
    words = [" ".join(words_of(label)) for label in labels[:64]]
    strange = frozenset(w for w in words if len(w) > 1 and not w[0].isdigit() and w not in english)
    strange = frozenset(w for w in strange if any(c.isalpha() for c in w))
    strange |= frozenset(w for w in words if w and ord(w[0]) > 0x2E80)
    if not strange:
        return ()
    hits = {}
    for language in LANGUAGES:
        if language != "en" and mentions_any(language, strange):
            known = _known(language)
            hits[language] = sum(w in known for w in words)
    best = max(hits.values(), default=0)
    if best < 2 and 2 * best < len(strange):
        return ()
    return tuple(language for language, count in hits.items() if count == best > 0)


@lru_cache(maxsize=16)
def _known(language: str) -> frozenset[str]:
    """Every form of a class or a cue."""
    found = lexicon(language)
    families = [*found.cues, *(f for families in found.affect.values() for f in families)]
    return frozenset(" ".join(words_of(form)) for family in families for form in family)


def language_of(text: str, words: Iterable[str], read: Collection[str]) -> str | None:
    """The language of a plain text, `unknown` for one that cannot be told and is not English, or
    None where nothing speaks for one. What is read is preferred where two fit alike."""
    if not text.isascii():
        script = _by_script(text[:_SAMPLE], read)
        if script is not None:
            return script
    table = function_words()
    counts: Counter[str] = Counter()
    number = 0
    for number, word in enumerate(dict.fromkeys(words), start=1):
        if number > _WORDS:
            break
        counts.update(table.get(word, ()))
    if not counts:
        return None
    top = max(counts.values())
    best = [language for language, count in counts.items() if count == top]
    mine = max((counts[language] for language in read), default=0)
    if mine >= top:
        fitting = [code for code in best if code in read]
        second = max((counts[code] for code in read if code != fitting[0]), default=0)
        return fitting[0] if len(fitting) == 1 and mine > second + 1 else None
    near = bool(_SIBLINGS & set(read)) and any(code in _SIBLINGS for code in best)
    if top < mine + (3 if near else 1) or (top < 2 and not _tells(text, number, read)):
        return None
    return best[0] if len(best) == 1 else UNKNOWN


def _tells(text: str, number: int, read: Collection[str]) -> bool:
    """Whether one frequent word tells the language: among several words, in letters that English lacks, where English
    alone is read."""
    return number >= _FEW and len(read) == 1 and not text.isascii()


def _by_script(text: str, read: Collection[str]) -> str | None:
    """The language of a text that is mostly in another script than Latin."""
    counts: Counter[str] = Counter()
    latin = 0
    for char in text:
        if char < "\u0370":
            latin += char.isalpha()
        elif char.isalpha() or "\u0900" <= char <= "\u0e7f":
            counts[_script(char)] += 1
    others = sum(counts.values())
    # A character of Chinese or Korean says about as much as three letters.
    heavy = 3 * (counts["zh"] + counts["ja"] + counts["ko"])
    if not others or heavy + others <= latin:
        return None
    if counts["ja"] and counts["ja"] + counts["zh"] > others // 2:
        return "ja"
    found = counts.most_common(1)[0][0]
    if found == "zh" and "zh" not in read and "ja" in read:
        return "ja"
    letters, other = _OF_OTHERS.get(found, ("", ""))
    return other if any(c in letters for c in text) else found


def _script(char: str) -> str:
    return next((code for ends, code in _SCRIPTS if ends[0] <= char <= ends[-1]), UNKNOWN)
