"""Label tables: every accepted spelling of every label, and words that count as off the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.answers import action_units
from harness.answers.lexicon import AFFECT, CUES, IDIOMS, NOT_ALONE, OTHER_AFFECT, Family
from harness.answers.normal import words_of

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


def _groups(labels: Sequence[str]) -> dict[str, str]:
    """Label -> affect group it names."""
    by_word = {
        form: group for group, families in AFFECT.items() for family in families for form in family
    }
    keys = {label: " ".join(words_of(label)) for label in labels}
    return {label: by_word[key] for label, key in keys.items() if key in by_word}


def _family(key: str, families: Iterable[Family]) -> Family:
    for family in families:
        if key in (" ".join(words_of(form)) for form in family):
            return family
    return ()


def _words_for(labels: Sequence[str]) -> dict[str, list[str]]:
    """Label -> further words: the whole group, or the own family where two labels share a group."""
    groups = _groups(labels)
    shared = list(groups.values())
    found: dict[str, list[str]] = {}
    for label in labels:
        key = " ".join(words_of(label))
        group = groups.get(label)
        if group is None:
            found[label] = list(_family(key, CUES))
        elif shared.count(group) > 1:
            found[label] = list(_family(key, AFFECT[group]))
        else:
            found[label] = [form for family in AFFECT[group] for form in family]
    return found


def label_table(labels: tuple[str, ...], synonyms: Mapping[str, Sequence[str]]) -> LabelTable:
    """The table for a label set. A word claimed by two labels belongs to neither, unless it is the
    very name of one; a task's own synonyms go before the lexicon's."""
    units = action_units.is_action_unit_set(labels)
    spellings: dict[str, str] = {}
    for label in labels:
        spellings.setdefault(" ".join(words_of(label)) or label, label)
    own = set(spellings)
    lexicon = dict(action_units.synonyms(labels)) if units else _words_for(labels)
    for source in (synonyms, lexicon):
        claims: dict[str, set[str]] = {}
        for label, words in source.items():
            if label not in labels:
                continue
            for word in words:
                claims.setdefault(" ".join(words_of(word)), set()).add(label)
        fresh = {w: next(iter(ls)) for w, ls in claims.items() if len(ls) == 1 and w}
        for word, label in fresh.items():
            if word not in own:
                spellings.setdefault(word, label)
    affect_labels = {group for group in _groups(labels).values() if group != "neutral"}
    short = frozenset(key for key in spellings if len(key) == 1 or key.isdigit())
    return LabelTable(
        labels=labels,
        spellings=spellings,
        phrases=_phrases(spellings, short, affect=bool(affect_labels)),
        short=short,
        affect=bool(affect_labels),
        units=units,
    )


def _phrases(
    spellings: Mapping[str, str], short: frozenset[str], *, affect: bool
) -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    entries = {tuple(key.split(" ")): label for key, label in spellings.items() if key not in short}
    if affect:
        for family in (f for families in AFFECT.values() for f in families):
            for form in family:
                if form not in NOT_ALONE:
                    entries.setdefault(tuple(form.split(" ")), OFF)
        for word in OTHER_AFFECT:
            entries.setdefault((word,), OFF)
        for idiom in IDIOMS:
            entries.setdefault(tuple(idiom.split(" ")), NULL)
    grouped: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for words, label in entries.items():
        grouped.setdefault(words[0], []).append((words, label))
    return {
        first: tuple(sorted(found, key=lambda item: -len(item[0])))
        for first, found in grouped.items()
    }
