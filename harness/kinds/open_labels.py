"""Emotions in a model's own words, any number of them, compared by the basic emotions that wheels place them under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from harness.answers.folding import words_of
from harness.answers.from_json import read_text
from harness.answers.lexicon import lexicon
from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply, plain
from harness.answers.pattern import pattern
from harness.answers.sets import read_prose
from harness.answers.speech import Speech, unspaced
from harness.answers.table import LabelTable
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered, lacking
from harness.answers.wheels import wheel_words
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import no_candidates, no_classes, no_pattern, text_schema
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.kinds.label import table_of
from harness.kinds.sets import SET, set_reader

if TYPE_CHECKING:
    from harness.core.kind import Kind


_DENIED = frozenset({"not", "no", "never", "without", "neither", "nor"})
_WORDS = 3
"""Words that an item of a list may have and still be a name; longer ones are prose."""
_DEGREES = frozenset(
    [
        "a",
        "an",
        "the",
        "some",
        "very",
        "extremely",
        "really",
        "so",
        "quite",
        "rather",
        "fairly",
        "pretty",
        "somewhat",
        "slightly",
        "mildly",
        "moderately",
        "strongly",
        "deeply",
        "highly",
        "incredibly",
        "totally",
        "completely",
        "utterly",
        "bit",
        "little",
        "hint",
        "touch",
        "trace",
        "sense",
        "feeling",
        "feelings",
        "of",
        "mild",
        "slight",
        "strong",
        "deep",
        "intense",
        "extreme",
        "subtle",
        "faint",
        "high",
        "low",
        "moderate",
        "great",
        "visible",
        "possible",
        "possibly",
        "perhaps",
        "maybe",
        "probably",
        "likely",
        "clearly",
        "genuinely",
        "truly",
    ]
)
"""Words before an emotion that say how much of it, or how sure."""
_EMOTION = frozenset({"emotion", "emotions", "feeling", "feelings", "mood", "affect"})
_NONE_OF_THEM = _EMOTION | frozenset(
    [
        "yes",
        "ok",
        "okay",
        "sure",
        "image",
        "picture",
        "photo",
        "face",
        "man",
        "woman",
        "person",
        "people",
        "expression",
        "expressions",
        "mixed",
        "reason",
        "reasons",
        "reasoning",
        "explanation",
        "note",
        "notes",
        "evidence",
        "description",
        "analysis",
        "confidence",
        "valence",
        "arousal",
        "intensity",
        "context",
        "cues",
        "answer",
        "label",
        "labels",
        "output",
        "result",
    ]
)
"""Words that replies put where an emotion would stand, and that are none."""
_LINE = pattern(r"([a-z][a-z0-9 -]{1,40}?) {0,3}(?:\([^()\n]{0,40}\))? {0,3}: {0,3}(\S.*)")
_BULLET = pattern(r"[ \t]*(?:[-+]|\(?\d{1,2}[.)])[ \t]+|[ \t]+(?=\S)")
_SAID_NOT = pattern(r"(?:not|no|none|absent|false|n/?a|0(?:\.0+)?|never)\b")
_SPLIT = pattern(r"[,;/+&]|\band\b")
_NOTE = pattern(r"\([^()\n]{0,80}\)")


@cache
def _closed(languages: tuple[str, ...]) -> FieldSpec:
    """The words of the wheels as a set of names, other forms as their synonyms, those of basic emotions in other languages
    too; neutral is a word as well, on no wheel."""
    forms = {word: list(forms) for word, forms in wheel_words().items()} | {"neutral": []}
    for language in languages:
        for emotion, families in lexicon(language).affect.items() if language != "en" else ():
            forms.get(emotion, []).extend(form for family in families for form in family)
    spec = FieldSpec(
        kind="set", labels=tuple(forms), synonyms={w: tuple(f) for w, f in forms.items() if f}
    )
    return spec.read_in(languages)


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    """A list is kept word for word; prose is searched for the words of the wheels."""
    known = _closed(spec.languages)
    inner, table = set_reader(name, known, closed=False), table_of(name, known)

    def names(items: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({name for item in items for name in _names(item, table, inner.speech)}))

    def tidied(answer: Answer) -> Answer | None:
        if not isinstance(answer.value, tuple) or not answer.value:
            return answer
        value = names(map(str, answer.value))
        return replace(answer, value=value) if value else None

    def read(reply: NormalizedReply, form: Form) -> Answer:
        lines = () if reply.truncated else names(_by_lines(reply.text))
        if lines:
            return answered(lines, "list/lines")
        found = inner.read(reply, form)
        prose = found.rule.startswith("mention")
        decided = None if prose else tidied(found)
        return decided or _as_written(found if prose else read_prose(reply, table), reply.text)

    def json(value: Loose) -> Answer | None:
        if isinstance(value, str):
            return read_text(value, ValueReader(read, speech=inner.speech))
        found = None if inner.json is None else inner.json(value)
        return found and (tidied(found) or lacking(Outcome.UNPARSED, "json/none"))

    return replace(inner, read=read, json=json)


def _by_lines(text: str) -> list[str]:
    """The emotions of "fear: the eyes are wide" or "emotion 1: fear", a line each; empty where lines are no such list."""
    found: list[tuple[str, str, bool]] = []
    for line in text.split("\n"):
        bullet = _BULLET.match(line)
        match = _LINE.fullmatch(line[bullet.end() if bullet else 0 :].strip())
        if match:
            found.append((match[1], match[2], bullet is not None))
    asked = [tail for head, tail, _ in found if _EMOTION & set(head.split())]
    if len(asked) > 1:
        parts = [part for tail in asked for part in _SPLIT.split(tail)]
        return parts if all(len(part.split()) <= _WORDS for part in parts) else []
    if len(found) < 2 or any(_NONE_OF_THEM & set(head.split()) for head, _, _ in found):
        return []
    known = any(word in _forms() for head, _, _ in found for word in head.split())
    if not known and not all(bullet for _, _, bullet in found):
        return []
    return [head for head, tail, _ in found if not _SAID_NOT.match(tail)]


@cache
def _forms() -> Mapping[str, str]:
    """Form of a word that is on a wheel -> the word."""
    return {form: word for word, forms in wheel_words().items() for form in (word, *forms)}


def _as_written(found: Answer, text: str) -> Answer:
    """The words that were found, in the form in which a text has them first; one in another language in English."""
    if not isinstance(found.value, tuple):
        return found
    base = _forms()
    said: dict[str, str] = {}
    for word in words_of(text):
        said.setdefault(base.get(word, ""), word)
    return replace(
        found, value=tuple(sorted({said.get(str(name), str(name)) for name in found.value}))
    )


def _names(item: str, table: LabelTable, speech: Speech | None) -> tuple[str, ...]:
    """The emotions that an item of a list names: words of the wheels, else its own words without their degree."""
    if item in _forms():
        return (item,)
    found = read_prose(plain(item, truncated=False, speech=speech), table)
    found = _as_written(found, item)
    if isinstance(found.value, tuple) and found.value:
        return tuple(map(str, found.value))
    words = _without_degree(item)
    letters = sum(character.isalpha() for word in words for character in word)
    enough = letters > 2 or (letters > 0 and unspaced(words[0][0]))  # a Chinese word has two
    fit = enough and len(words) <= _WORDS and not (_DENIED | _NONE_OF_THEM) & set(words)
    return (" ".join(words),) if fit and not found.rule.endswith("denied") else ()


def _without_degree(item: str) -> list[str]:
    words = _NOTE.sub(" ", item.lower()).split()
    while len(words) > 1 and words[0] in _DEGREES:
        words.pop(0)
    return words


def _same(a: Value, b: Value) -> bool | None:
    """Whether two answers name the same words, in whatever form and degree."""
    return _words(a) == _words(b)


def _words(value: Value) -> set[str]:
    items = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
    plain_words = (" ".join(_without_degree(str(item))) for item in items)
    return {_forms().get(word, word) for word in plain_words}


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
    same=_same,
)
