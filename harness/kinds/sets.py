"""A set of names, such as the action units shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.answers.anchors import key_pattern
from harness.answers.from_json import members, read_text
from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.sets import read_set
from harness.answers.speech import speech_for
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered, lacking
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import Kind
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.kinds.cells import is_blank, plain
from harness.kinds.label import enum, listed, one_of, table_of
from harness.kinds.values import answers, converted, names

if TYPE_CHECKING:
    from harness.metrics import SetFamily

_BETWEEN = re.compile(r"[,;+]")
_MOST = 200
"""Names read from one JSON list."""


def _family(spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]) -> SetFamily:
    from harness.metrics.sets import set_family

    return set_family(converted(truth, names), answers(said, names))


def set_reader(name: str, spec: FieldSpec, *, closed: bool = True) -> ValueReader:
    """Reads names of the field's labels; where the set is not closed, lists of other names too."""
    table, keys, speech = table_of(name, spec), key_pattern(name), speech_for(spec.languages)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        return read_set(reply, table, keys=keys, closed=closed)

    def json(value: Loose) -> Answer | None:
        if isinstance(value, Node):
            items = members(value)
            if items is None:
                return lacking(Outcome.UNPARSED, "json/type")
            value = ", ".join(item.replace(",", " ") for item in items[:_MOST])
        if isinstance(value, str):
            if not value.strip():
                return answered((), "json/none")
            return read_text(value, ValueReader(read, speech=speech))
        return None

    return ValueReader(read=read, json=json, speech=speech)


def _target(cell: Any, spec: FieldSpec) -> Value:
    """A sorted tuple of names, from a list or parted by `,` `;` `+`; the word `none` is the empty set."""
    if isinstance(cell, list | tuple):
        found = [plain(member) for member in cell if not is_blank(member)]
    elif plain(cell).lower() == "none":
        found = []
    else:
        found = [member.strip() for member in _BETWEEN.split(plain(cell))]
    return tuple(sorted({member for member in found if member}))


def _pattern(spec: FieldSpec) -> str:
    one = one_of(spec.classes)
    return rf"none|({one})(, ({one})){{0,{max(len(spec.classes) - 1, 0)}}}"


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "array", "items": enum(spec.classes), "maxItems": len(spec.classes)}


def _same(a: Value, b: Value) -> bool | None:
    return names(a, 0) == names(b, 0)


SET = Kind(
    name="set",
    title="any number of names from a list, such as action units",
    family_name="set",
    metrics=("set_f1", "micro_f1", "macro_f1", "exact_match"),
    labelled=True,
    unused=("low", "high", "words", "member_of", "tolerance"),
    family=_family,
    reader=lambda name, spec, letters: set_reader(name, spec),
    target=_target,
    classes=listed,
    pattern=_pattern,
    schema=_schema,
    example=lambda spec: tuple(spec.classes[:1]),
    same=_same,
)
