"""True values as the text of an answer, in the form that a prompt asks for and its reader reads back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.answers.constraints import PLACES
from harness.answers.megc_sentences import COMBINED, sentence_for
from harness.answers.reader import Reader
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import alike, plain_number
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.sample import Value
from harness.core.task import Task

_SENTENCE = frozenset({"coarse", "fine", "action_units"})
"""Fields that the challenge's sentence holds."""
_SLACK = 10**-PLACES / 2 + 1e-12
TIED = "percentages/tied"


def written(
    truths: Mapping[str, Value],
    fields: Mapping[str, FieldSpec],
    head: PromptHead,
    *,
    asked: str,
    shares: Mapping[str, float] | None = None,
) -> str:
    """The text of an answer.

    Args:
        truths: field -> true value, of the fields that the reply fills.
        fields: the task's fields.
        head: the head of the prompt, which says where values stand in a reply.
        asked: text of the turn that is answered. Where it names every word of a scale, the word is written; where it
            names the fields as keys of JSON, JSON is.
        shares: label -> share of the one field, where they are known; for `percentages`.
    """
    if head.answer == "percentages":
        ((name, value),) = truths.items()
        return json.dumps(_percentages(fields[name].classes, value, shares), ensure_ascii=False)
    if head.answer == "json" or _asks_for_json(truths, asked):
        keys = sorted(truths, key=lambda name: _place(name, asked))
        found = {name: _as_json(truths[name], fields[name], asked) for name in keys}
        return json.dumps(found, ensure_ascii=False)
    if head.answer == "text" and truths.keys() == _SENTENCE:
        return sentence_for(COMBINED, truths, question=asked)
    if len(truths) == 1:
        ((name, value),) = truths.items()
        text = _as_text(value, fields[name], asked)
    else:
        text = "\n".join(f"{n}: {_as_text(v, fields[n], asked)}" for n, v in truths.items())
    return f"Final answer: {text}" if head.answer == "final" else text


def fault_of(
    text: str,
    truths: Mapping[str, Value],
    task: Task,
    head: PromptHead,
    *,
    asks: Sequence[str],
    shares: Mapping[str, float] | None = None,
) -> str:
    """Why an answer, read as a reply to the prompt is, does not give the true values; empty where it does."""
    fields = {name: task.fields[name] for name in asks}
    languages = (*task.languages, *head.languages)
    read = Reader.build(fields, form=head.answer, languages=languages)(text)
    for name, truth in truths.items():
        found = read[name]
        if found.outcome is Outcome.AMBIGUOUS and found.rule == TIED and shares:
            continue
        if not _says(
            found, truth, task.fields[name], shares if head.answer == "percentages" else None
        ):
            told = found.value if found.outcome is Outcome.ANSWERED else found.outcome.value
            return f"{name} {truth!r} is read back as {told!r}"
    return ""


def is_rounded(text: str, truths: Mapping[str, Value], task: Task, head: PromptHead) -> bool:
    """Whether a number was written as the nearest word of its scale."""
    read = Reader.build({name: task.fields[name] for name in truths}, form=head.answer)(text)
    return any(
        task.fields[name].words
        and isinstance(read[name].value, int | float)
        and not _close(read[name].value, truth)
        for name, truth in truths.items()
    )


def _says(found: Answer, truth: Value, spec: FieldSpec, shares: Mapping[str, float] | None) -> bool:
    """Whether an answer is the true value: numbers to the places that are written, or the nearest word."""
    if found.outcome is not Outcome.ANSWERED or found.value is None:
        return False
    if shares:
        return True  # the label with the greatest share, which the truth need not be
    if alike(spec, found.value, truth) or _close(found.value, truth):
        return True
    return bool(spec.words) and found.value == spec.words[nearest_word(spec, truth)]


def _close(a: Value | None, b: Value) -> bool:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return numbers and abs(float(a) - float(b)) <= _SLACK  # type: ignore[arg-type]


def nearest_word(spec: FieldSpec, value: Value) -> str:
    """The word of a scale whose number is nearest, the first of ties."""
    number = float(value) if isinstance(value, int | float) else math.nan
    return min(spec.words, key=lambda word: abs(spec.words[word] - number))


def _offers_words(spec: FieldSpec, asked: str) -> bool:
    return bool(spec.words) and all(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", asked, re.IGNORECASE) for word in spec.words
    )


def _as_text(value: Value, spec: FieldSpec, asked: str) -> str:
    found = _as_json(value, spec, asked)
    return (", ".join(found) or "none") if isinstance(found, list) else str(found)


def _as_json(value: Value, spec: FieldSpec, asked: str) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, str):
        return value
    if _offers_words(spec, asked):
        return nearest_word(spec, value)
    return plain_number(round(value, PLACES))


def _asks_for_json(truths: Mapping[str, Value], asked: str) -> bool:
    return "json" in asked.casefold() and all(f'"{name}"' in asked for name in truths)


def _place(name: str, asked: str) -> tuple[bool, int]:
    at = asked.rfind(f'"{name}"')
    return at < 0, at


def _percentages(
    classes: Sequence[str], value: Value, shares: Mapping[str, float] | None
) -> dict[str, int]:
    """Whole numbers that add up to 100, by largest remainders."""
    given = {label: (shares or {str(value): 1.0}).get(label, 0.0) for label in classes}
    total = math.fsum(given.values())
    exact = {label: 100 * share / total for label, share in given.items()}
    whole = {label: math.floor(percent) for label, percent in exact.items()}
    left = sorted(classes, key=lambda label: whole[label] - exact[label])
    for label in left[: 100 - sum(whole.values())]:
        whole[label] += 1
    return whole
