"""Suspicious content in answers with correct structure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.answers.megc_sentences import COMBINED, sentence_for
from harness.answers.vocabulary import canonicaliser
from harness.sources.megc_questions import ASKED, answers_of
from harness.submit.megc.questions import Question
from harness.submit.text import whole_number

Pair = tuple[int, Question, str]
"""Row number, question, answer."""
Labels = Mapping[str, tuple[str, ...]]
NameRows = Callable[[Sequence[int]], str]

LEAST = 5
"""Fewer answers of one kind than this are not judged for their spread."""
SHARE = 0.9
"""One answer to this share of the questions of a kind is a collapse: no published label list is that uneven."""

OUTSIDE = "not one of the known labels"

_LISTS = frozenset({"action_units"})


def content_warnings(pairs: Sequence[Pair], labels: Labels, *, rows: NameRows) -> Iterator[str]:
    """Sentences naming rows: labels outside the lists, other spellings and wordings, other scripts, collapse."""
    found: dict[str, list[int]] = {}
    for row, question, answer in pairs:
        for what in _remarks(question, answer, labels):
            found.setdefault(what, []).append(row)
    yield from (f"{rows(numbers)}: {what}" for what, numbers in found.items())
    yield from _collapse(pairs)


def _remarks(question: Question, answer: str, labels: Labels) -> Iterator[str]:
    script = _other_script(answer)
    if script:
        yield f"letters of another script ({script})"
    if any(unicodedata.category(c) in {"Cc", "Cf"} for c in answer):
        yield "control or invisible characters, such as a line break"
    if question.kind is None:
        yield "a question in an unknown wording: its answer was not checked"
        return
    try:
        values = answers_of(question.kind, answer)
    except ValueError:
        yield "not in the challenge's sentence: action units and classes were not checked"
        return
    for field in ASKED[question.kind]:
        yield from _field_remarks(field, values[field], labels)
    if question.kind == COMBINED and "action unit" in question.question:
        told = sentence_for(COMBINED, values, question=question.question)
        if answer.strip() != told:  # how the open questions of 2026 are answered was not seen
            yield "worded differently from the challenge's sentence"


def _field_remarks(field: str, text: str, labels: Labels) -> Iterator[str]:
    admitted = labels.get(field)
    if admitted is None:
        if whole_number(text.strip()) is None:
            yield f"{field}: not a number in digits: {_short(text)}"
        return
    table = canonicaliser(admitted)
    parts = text.split(", ") if field in _LISTS else [text]
    for part in parts:
        if part in admitted:
            continue
        label = table.label(part)
        if label is None:
            yield f"{field}: {OUTSIDE}: {_short(part)}"
        else:
            yield f"{field}: {_short(part)} instead of {label}"
    if len(set(parts)) < len(parts):
        yield f"{field}: the same name twice"


def _collapse(pairs: Sequence[Pair]) -> Iterator[str]:
    kinds: dict[str, Counter[str]] = {}
    for _, question, answer in pairs:
        if question.kind is not None:
            kinds.setdefault(question.kind, Counter())[answer.strip().lower()] += 1
    for kind, counted in kinds.items():
        total = sum(counted.values())
        top, times = min(counted.items(), key=lambda item: (-item[1], item[0]))
        if total >= LEAST and times >= SHARE * total:
            yield f"{kind}: the same answer to {times} of {total} questions: {_short(top)}"


def _other_script(text: str) -> str:
    """The script of the first letter that is not Latin, such as CJK; empty where all are."""
    for character in text:
        if character.isalpha():
            name = unicodedata.name(character, "unnamed")
            if not name.startswith("LATIN"):
                return name.split(" ")[0]
    return ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")
