"""Lexicons of words and phrases, one JSON file per language in `lexicons/`.

`affect` holds classes; a class holds families; a family, written `form|form|...`, holds the forms of
one word (`traurig(,e,er)` stands for traurig, traurige and trauriger). A word is in a class only
where it names the same emotion in another form or strength. Words of neighbouring or blended states
(annoyed, excited, gloomy) are no synonyms: they stand in `other` and make an answer off-list.
"Unhappy", "displeased" and the like say which class it is not; several negative classes fit them,
so they stand there too. What a face does (smile, frown, tears) is a cue and names no class.

`operators` maps an English function word (or two) to the words that do the same in the language:
the rules are written over English ones. `refusals`, `abstentions`, `turns`, `verdicts`,
`concessions`, `finals`, `statements` and `corrections` are regular expressions over plain text in lower case: a leading `^`
is the beginning of a sentence or clause, a closing `$` its end, `<name>` a part that `patterns`
defines. Files are read when first needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from harness.answers.folding import words_of
from harness.answers.pattern import pattern

Family: TypeAlias = tuple[str, ...]

_FOLDER = Path(__file__).parent / "lexicons"
_FORMS = re.compile(r"([^|()]*)\(([^()]*)\)|([^|()]+)")
_PART = re.compile(r"<([a-z]+)>")
_UNSPACED = frozenset(("zh", "ja", "ko"))
"""Written without blanks, or with endings that no blank parts."""
_START = r"(?<![^.!?;:,\n)(-])[ -]{0,4}"
_END = r"(?= {0,3}(?:[.!?;,:\n)]|$))"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words and wordings of one language."""

    language: str
    affect: Mapping[str, tuple[Family, ...]]
    """Class -> word families. The first word of the first family is the class's usual name."""
    other: frozenset[str]
    """Affect words of no class."""
    not_alone: frozenset[str]
    """Words too common in other senses to make an answer off-list, unless they are the whole reply."""
    idioms: tuple[str, ...]
    """Phrases whose affect word says nothing about the face; they are read and thrown away."""
    cues: tuple[Family, ...]
    """Forms of cue values."""
    parts: frozenset[str]
    """Nouns that "neutral" describes without saying anything of the emotion."""
    operators: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """Words of the language, and the English function words they stand for (none: left out)."""
    elisions: str
    """What is written before an apostrophe as a word of its own (`l` in l'ira), as `l|d|...`."""
    denial_follows: bool
    """Whether "not" may stand behind what it denies, at the end of the clause."""
    gate: tuple[str, ...]
    """A text without any of these declines nothing; empty: every text is looked through."""
    refusals: re.Pattern[str]
    abstentions: re.Pattern[str]
    turns: re.Pattern[str]
    verdicts: re.Pattern[str]
    concessions: re.Pattern[str]
    """How a clause begins that stands beside the one that counts ("although")."""
    finals: re.Pattern[str]
    statements: re.Pattern[str]
    corrections: re.Pattern[str]
    whole_refusals: frozenset[str]
    whole_abstentions: frozenset[str]
    yes: frozenset[str]
    no: frozenset[str]


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon:
    """The lexicon of a language that `core.languages.LANGUAGES` names."""
    data = _data(language)
    parts = data.get("patterns", {})

    def wordings(name: str) -> re.Pattern[str]:
        return _pattern(data.get(name, ()), parts, spaced=language not in _UNSPACED)

    def words(name: str) -> frozenset[str]:
        return frozenset(" ".join(words_of(w)) for w in forms(data.get(name, "")))

    operators = [
        (tuple(words_of(word)), tuple(_english(meaning)))
        for meaning, found in data.get("operators", {}).items()
        for word in forms("|".join(found))
    ]
    return Lexicon(
        language=language,
        affect={name: tuple(map(forms, found)) for name, found in data["affect"].items()},
        other=words("other"),
        not_alone=words("not_alone"),
        idioms=forms(data.get("idioms", "")),
        cues=tuple(map(forms, data.get("cues", ()))),
        parts=words("parts"),
        operators=tuple((w, e) for w, e in operators if w),
        elisions=data.get("elisions", ""),
        denial_follows=data.get("denial_follows", False),
        gate=tuple(data["gate"].split("|")) if "gate" in data else (),
        refusals=wordings("refusals"),
        abstentions=wordings("abstentions"),
        turns=wordings("turns"),
        verdicts=wordings("verdicts"),
        concessions=wordings("concessions"),
        finals=wordings("finals"),
        statements=wordings("statements"),
        corrections=wordings("corrections"),
        whole_refusals=words("whole_refusals"),
        whole_abstentions=words("whole_abstentions"),
        yes=words("yes"),
        no=words("no"),
    )


@lru_cache(maxsize=1)
def function_words() -> Mapping[str, tuple[str, ...]]:
    """Frequent word -> languages in Latin letters that have it."""
    found: dict[str, list[str]] = {}
    for language, words in _data("function-words")["words"].items():
        for word in dict.fromkeys(words.split()):
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}


def forms(text: str) -> Family:
    """`traurig(,e)|betrübt` -> traurig, traurige, betrübt."""
    return tuple(dict.fromkeys(_forms(text)))


def mentions_any(language: str, words: frozenset[str]) -> bool:
    """Whether the language's file holds one of the words: asked before a lexicon is built."""
    text = _text(language).lower()
    return any(word in text for word in words)


def _forms(text: str) -> Iterator[str]:
    for found in _FORMS.finditer(text):
        if found[3] is not None:
            yield found[3]
        else:
            yield from (found[1] + ending for ending in found[2].split(","))


def _english(meaning: str) -> list[str]:
    return meaning.split()


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.json").read_text(encoding="utf-8")


def _data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text(name))
    return found


def _pattern(wordings: list[str], parts: Mapping[str, str], *, spaced: bool) -> re.Pattern[str]:
    if not wordings:
        return pattern(r"(?!)")

    def part(found: re.Match[str]) -> str:
        return parts[found[1]] if found[1] in parts else found[0]

    starts: list[str] = []
    others: list[str] = []
    for wording in wordings:
        text = _PART.sub(part, _PART.sub(part, wording)).replace("ß", "ss")
        if text.endswith("$"):
            text = text[:-1] + _END
        (starts if text.startswith("^") else others).append(text.removeprefix("^"))
    begin, end = (r"(?<!\w)", r"(?:(?<!\w)|(?!\w))") if spaced else ("", "")
    groups = []
    if others:
        groups.append(f"{begin}(?:{'|'.join(others)}){end}")
    if starts:
        groups.append(f"{_START}(?:{'|'.join(starts)}){end}")
    return pattern("|".join(groups))
