"""Label tables: every accepted spelling of every label, and words that count as off the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.answers import action_units
from harness.answers.folding import bare, words_of
from harness.answers.lexicon import Family, Lexicon, lexicon
from harness.answers.speech import unspaced

OFF = "\0off"
"""Stands for an affect word outside the label set."""
NULL = "\0null"
"""Stands for a phrase that is no mention at all."""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Spellings of one label set. Build with `label_table`."""

    labels: tuple[str, ...]
    spellings: Mapping[str, str]
    """Normalised words joined by one blank -> label."""
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    """First word -> (words, label or OFF or NULL), longest first."""
    short: frozenset[str]
    """Spellings of one character or only digits: read in answer position only."""
    affect: bool
    """The labels are emotions, so that affect words outside them are off-list."""
    units: bool
    """The labels are action units, so that `AU12` and `R12A` are read as codes."""
    alone: frozenset[str]
    """Words that are off-list where they are the whole reply, and only there."""
    pieces: frozenset[str]
    """Words written without blanks around them (Chinese, Japanese, Korean), those that do a job among them."""
    parts: frozenset[str]
    """Nouns that "neutral" describes without saying anything of the emotion."""

    def label(self, text: str) -> str | None:
        """The label that the whole text spells, or None."""
        found = self.spellings.get(text)
        if found is None:
            found = self.spellings.get(" ".join(words_of(text)))
        if found is None and self.units:
            number = action_units.number_of(text)
            if number is not None:
                found = self.spellings.get(f"au{number}")
        return found


def _groups(labels: Sequence[str], lexicons: Sequence[Lexicon]) -> dict[str, str]:
    """Label -> affect class it names; the first lexicon that knows it decides."""
    by_word: dict[str, str] = {}
    for known in lexicons:
        for group, families in known.affect.items():
            for family in families:
                for form in family:
                    by_word.setdefault(_key(form), group)
    keys = {label: _key(label) for label in labels}
    return {label: by_word[key] for label, key in keys.items() if key in by_word}


def _key(text: str) -> str:
    return " ".join(words_of(text))


def _family(key: str, families: Iterable[Family]) -> Family:
    for family in families:
        if key in map(_key, family):
            return family
    return ()


def _words_for(labels: Sequence[str], lexicons: Sequence[Lexicon]) -> dict[str, list[str]]:
    """Label -> further words: the whole class, or the own family where two labels share a class."""
    groups = _groups(labels, lexicons)
    shared = list(groups.values())
    found: dict[str, list[str]] = {}
    for label in labels:
        key = _key(label)
        group = groups.get(label)
        found[label] = []
        for known in lexicons:
            families = known.affect.get(group, ()) if group else known.cues
            if group is None or shared.count(group) > 1:
                found[label] += _family(key, families)
            else:
                found[label] += [form for family in families for form in family]
    return found


def label_table(
    labels: tuple[str, ...],
    synonyms: Mapping[str, Sequence[str]],
    languages: Sequence[str] = (),
) -> LabelTable:
    """The table for a label set. A word claimed by two labels belongs to neither, unless it is the
    very name of one; a task's own synonyms go before the lexicons', and words as they are written
    before those without their accents."""
    units = action_units.is_action_unit_set(labels)
    lexicons = [lexicon(language) for language in dict.fromkeys(("en", *languages))]
    spellings: dict[str, str] = {}
    for label in labels:
        spellings.setdefault(_key(label) or label, label)
    own = set(spellings)
    known = dict(action_units.synonyms(labels)) if units else _words_for(labels, lexicons)
    written = [synonyms, known]
    if len(lexicons) > 1:
        written.append(
            {
                label: [plain for word in (label, *known[label]) for plain in bare(word)]
                for label in labels
            }
        )
    for source in written:
        for word, label in _claims(source, labels).items():
            if word not in own:
                spellings.setdefault(word, label)
    affect = any(group != "neutral" for group in _groups(labels, lexicons).values())
    short = frozenset(key for key in spellings if len(key) == 1 or key.isdigit())
    phrases = _phrases(spellings, short, lexicons if affect else ())
    return LabelTable(
        labels=labels,
        spellings=spellings,
        phrases=phrases,
        short=short,
        affect=affect,
        units=units,
        alone=frozenset(w for found in lexicons for w in found.not_alone) - set(spellings)
        if affect
        else frozenset(),
        pieces=_pieces(phrases, lexicons),
        parts=frozenset(part for found in lexicons for part in found.parts)
        if affect
        else frozenset(),
    )


def _pieces(
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], str]]], lexicons: Sequence[Lexicon]
) -> frozenset[str]:
    written = [words for found in phrases.values() for words, _ in found]
    written += [words for known in lexicons for words, _ in known.operators]
    return frozenset(word for words in written for word in words if unspaced(word[0]))


def _claims(source: Mapping[str, Sequence[str]], labels: Sequence[str]) -> dict[str, str]:
    """Word -> the one label that claims it."""
    claims: dict[str, set[str]] = {}
    for label, words in source.items():
        if label in labels:
            for word in words:
                claims.setdefault(_key(word), set()).add(label)
    return {word: next(iter(found)) for word, found in claims.items() if len(found) == 1 and word}


def _phrases(
    spellings: Mapping[str, str], short: frozenset[str], lexicons: Sequence[Lexicon]
) -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    entries = {tuple(key.split(" ")): label for key, label in spellings.items() if key not in short}
    for known in lexicons:
        for family in (f for families in known.affect.values() for f in families):
            for form in family:
                if form not in known.not_alone:
                    entries.setdefault(tuple(words_of(form)), OFF)
        for word in known.other - known.not_alone:
            entries.setdefault(tuple(word.split(" ")), OFF)
        for idiom in known.idioms:
            entries.setdefault(tuple(idiom.split(" ")), NULL)
    entries.pop((), None)
    grouped: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for words, label in entries.items():
        grouped.setdefault(words[0], []).append((words, label))
    return {
        first: tuple(sorted(found, key=lambda item: -len(item[0])))
        for first, found in grouped.items()
    }
