"""Free text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.answers.normal import NormalizedReply, keep_case
from harness.answers.refusals import find_declines
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered, lacking, wordless
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import Kind
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.kinds.cells import plain
from harness.kinds.values import answers, converted, word

if TYPE_CHECKING:
    from harness.metrics import TextFamily

_HEAD = 400
_SHORT = 600
"""Characters: a longer text that declines at its head says something besides."""


def _family(spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]) -> TextFamily:
    from harness.metrics.text import text_family

    return text_family(converted(truth, word), answers(said, word))


def _read(reply: NormalizedReply, form: Form) -> Answer:
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    declines = find_declines(reply.text[:_HEAD], reply.speech)
    if any(d.rule == "refusal" for d in declines) and len(reply.text) < _SHORT:
        return lacking(Outcome.REFUSED, "refusal")
    if reply.truncated:
        return lacking(Outcome.TRUNCATED, "truncated")
    if reply.cut:
        return lacking(Outcome.UNPARSED, "too-long")
    return answered(keep_case(reply.raw), "text")


def _target(cell: Any, spec: FieldSpec) -> Value:
    return plain(cell)


def _folded(value: Value) -> str:
    return " ".join(unicodedata.normalize("NFKC", str(value)).casefold().split())


TEXT = Kind(
    name="text",
    title="free text",
    family_name="text",
    metrics=("exact_match",),
    unused=("labels", "low", "high", "words", "member_of", "synonyms", "tolerance"),
    family=_family,
    reader=lambda name, spec, letters: ValueReader(_read),
    target=_target,
    example=lambda spec: "a text",
    same=lambda a, b: _folded(a) == _folded(b),
)
