"""Join spellings of one class: differences of case, space or Unicode form, and forms of one word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.answers.lexicon import lexicon
from harness.core.errors import HarnessError

_JOINER = re.compile(r"(?<=\w)[_\-\u2010-\u2015](?=\w)")
_QUOTES = " \"'`*\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_STOPS = f"{_QUOTES}.,;:!?"
_INVISIBLE = ("Cf", "Cc", "Cs")

Family = tuple[str, tuple[str, ...]]
"""A label that stands for all its words, or "" where the best spelling is chosen; the words, folded, best first."""


@dataclass(frozen=True, slots=True)
class JoinedSpellings:
    """How the spellings of one label field become classes."""

    labels: Mapping[str, str]
    """Every spelling -> its class; most stand for themselves."""
    notes: tuple[str, ...]
    """What was joined, a line a class."""


def fold(label: str) -> str:
    """The label without case, without spaces, stops and quotes at its ends, in one Unicode form (NFKC); `_` and `-` are
    spaces. A label of nothing but stops stays as it is."""
    text = unicodedata.normalize("NFKC", label)
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or not _hidden(c))
    tidy = " ".join(_JOINER.sub(" ", text).casefold().split())
    return _bare(tidy)


def _bare(text: str) -> str:
    """A text without quotes around it and stops behind it; as it is where nothing else is there."""
    return text.rstrip(_STOPS).lstrip(_QUOTES) or text


def join_twins(
    counts: Mapping[str, int], synonyms: Mapping[str, Sequence[str]], *, words: bool = True
) -> JoinedSpellings:
    """Spellings with how often they occur -> classes.

    Joined are spellings that `fold` makes equal, the task's own synonyms and, where `words` is true, forms of one
    word of the vocabulary (happy, happiness). A class that is joined is called as the task or the vocabulary calls it,
    else in small letters if that is one of the spellings, else by the commonest. Raises HarnessError where a spelling might
    mean either of two classes, and for single characters that differ in case, which are codes more often than words.
    """
    groups: dict[str, list[str]] = {}
    for spelling in sorted(counts):
        groups.setdefault(fold(spelling), []).append(spelling)
    for key, spellings in groups.items():
        if len(key) == 1 and len({s.strip() for s in spellings}) > 1:
            raise _ambiguous(spellings, "they may be two codes, or one class")
    families = _families(groups, synonyms, words=words)
    merged: dict[int, list[str]] = {}
    alone: list[list[str]] = []
    for key, spellings in groups.items():
        place = _place(key, spellings, families, groups)
        if place is None:
            alone.append(spellings)
        else:
            merged.setdefault(place, []).extend(spellings)
    labels: dict[str, str] = {}
    notes: list[str] = []
    for family, spellings in [
        *(((("", ()), each)) for each in alone),
        *((families[place], each) for place, each in merged.items()),
    ]:
        name = family[0] or _best(spellings, family[1], counts)
        labels |= dict.fromkeys(spellings, name)
        if len(spellings) > 1:
            notes.append(_note(spellings, name, counts))
    return JoinedSpellings(labels, tuple(sorted(notes)))


def _families(
    keys: Iterable[str], synonyms: Mapping[str, Sequence[str]], *, words: bool
) -> list[Family]:
    """The task's own synonyms, then the vocabulary's words, where any of their forms occurs."""
    known = set(keys)
    own: list[Family] = [
        (label, tuple(map(fold, (label, *forms)))) for label, forms in synonyms.items()
    ]
    claimed = {form for _, forms in own for form in forms}
    vocabulary: list[Family] = [
        ("", forms)
        for families in (lexicon("en").affect.values() if words else ())
        for forms in families
        if not claimed & set(forms)
    ]
    return [family for family in (*own, *vocabulary) if known & set(family[1])]


def _place(
    key: str, spellings: Sequence[str], families: Sequence[Family], groups: Mapping[str, object]
) -> int | None:
    """The place of the family that a spelling belongs to; None for none. Raises HarnessError for two of them."""
    places = [place for place, (_, forms) in enumerate(families) if key in forms]
    if len(places) > 1:
        heads = [families[place][0] or families[place][1][0] for place in places]
        raise _ambiguous([*spellings, *heads], f"{spellings[0]!r} is one name for several of them")
    return places[0] if places else None


def _best(spellings: Sequence[str], forms: Sequence[str], counts: Mapping[str, int]) -> str:
    def rank(spelling: str) -> tuple[int, bool, bool, int, str]:
        key = fold(spelling)
        form = forms.index(key) if key in forms else 0
        tidy = " ".join(unicodedata.normalize("NFC", spelling).split())
        untidy = spelling != _bare(tidy)
        return (form, untidy, spelling != spelling.lower(), -counts[spelling], spelling)

    best = min(spellings, key=rank)
    return fold(best) if forms and len(spellings) > 1 else best


def _note(spellings: Sequence[str], name: str, counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{spelling!r} ({counts[spelling]:,})" for spelling in sorted(spellings))
    same = all(fold(spelling) == fold(name) for spelling in spellings)
    why = "equal apart from case, space, stops or Unicode form" if same else "forms of one word"
    return f"{told} counted as {name!r}: {why}"


def _ambiguous(spellings: Iterable[str], why: str) -> HarnessError:
    named = ", ".join(map(repr, dict.fromkeys(spellings)))
    return HarnessError(
        f"labels that may be one class or several: {named} ({why})",
        hint="map them: --set 'source.labels={SPELLING: LABEL, ...}'",
    )


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE
