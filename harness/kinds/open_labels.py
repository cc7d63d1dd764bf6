"""Emotions in a model's own words, any number of them, compared by the basic emotions that wheels place them under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply
from harness.answers.sets import read_prose
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form
from harness.answers.wheels import wheel_words
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import no_candidates, no_classes, no_pattern, text_schema
from harness.core.outcome import Outcome
from harness.kinds.label import table_of
from harness.kinds.sets import SET

if TYPE_CHECKING:
    from harness.core.kind import Kind


_DENIED = frozenset({"not", "no", "never", "without", "neither", "nor"})
_WORDS = 3
"""Words that an item of a list may have and still be a name; longer ones are prose."""


@cache
def _closed() -> FieldSpec:
    """The words of the wheels as a set of names, other forms as their synonyms."""
    known = wheel_words()
    forms = {word: forms for word, forms in known.items() if forms}
    return FieldSpec(kind="set", labels=tuple(known), synonyms=forms)


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    """A list is kept word for word, known words in one form; prose is searched for the words of the wheels."""
    inner: ValueReader = SET.reader(name, _closed(), letters)
    table = table_of(name, _closed())

    def read(reply: NormalizedReply, form: Form) -> Answer:
        found = inner.read(reply, form)
        if (
            found.outcome is Outcome.OFF_LIST
        ):  # no list of names, perhaps a sentence that names some
            found = read_prose(reply, table)
        return _tidied(found)

    def json(value: Loose) -> Answer | None:
        found = inner.json(value) if inner.json is not None else None
        return None if found is None else _tidied(found)

    return replace(inner, read=read, json=json)


def _tidied(answer: Answer) -> Answer:
    """The answer with items that are sentences in place of their known words."""
    if not isinstance(answer.value, tuple):
        return answer
    names = {name for item in answer.value for name in _names(str(item))}
    return replace(answer, value=tuple(sorted(names)))


@cache
def _base() -> Mapping[str, str]:
    """Each form of a word that is on a wheel -> the word."""
    return {form: word for word, forms in wheel_words().items() for form in (word, *forms)}


def _names(item: str) -> tuple[str, ...]:
    words = item.lower().split()
    if item in wheel_words() or len(words) == 1:
        return (item,)
    base = _base()
    inside = tuple(
        base[word]
        for at, word in enumerate(words)
        if word in base and not _DENIED & set(words[:at])
    )
    return inside or ((item,) if len(words) <= _WORDS and not _DENIED & set(words) else ())


OPEN_LABELS: Kind = replace(
    SET,
    name="open-labels",
    title="any number of emotions in free words, compared by emotion wheels",
    metrics=("wheel_f1", "wheel_precision", "wheel_recall", "on_wheel"),
    labelled=False,
    unused=("labels", "low", "high", "words", "member_of", "tolerance", "definitions", "synonyms"),
    reader=_reader,
    classes=no_classes,
    candidates=no_candidates,
    pattern=no_pattern,
    schema=text_schema,
    example=lambda spec: ("happiness", "relief"),
)
