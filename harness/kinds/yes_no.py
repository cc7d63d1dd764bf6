"""Yes or no: two labels with the same spelling in every task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.answers.anchors import key_pattern
from harness.answers.from_json import read_text
from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply
from harness.answers.speech import speech_for
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered
from harness.answers.yes_no import quick_yes_no, read_yes_no
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import Kind
from harness.core.sample import Value
from harness.kinds.cells import plain
from harness.kinds.label import enum, family_of_words, one_of

if TYPE_CHECKING:
    from harness.metrics import LabelFamily

CLASSES = ("yes", "no")
_CELLS: Mapping[str, str] = {
    **dict.fromkeys(("yes", "y", "true", "1", "1.0"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "0.0"), "no"),
}


def _family(spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]) -> LabelFamily:
    return family_of_words(truth, said, CLASSES)


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    keys, speech = key_pattern(name), speech_for(spec.languages)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        return read_yes_no(reply, keys=keys)

    def json(value: Loose) -> Answer | None:
        if isinstance(value, bool):
            return read_text("yes" if value else "no", ValueReader(read, speech=speech))
        if isinstance(value, int | float) and value in (0, 1):
            return answered("yes" if value else "no", "json/yes-no")
        return None

    return ValueReader(read=read, quick=quick_yes_no, json=json, speech=speech)


def _target(cell: Any, spec: FieldSpec) -> Value:
    value = _CELLS.get(plain(cell).lower())
    if value is None:
        raise ValueError(f"{plain(cell)!r} is neither yes nor no")
    return value


def _said(value: Value) -> bool:
    return value if isinstance(value, bool) else str(value).casefold() == "yes"


YES_NO = Kind(
    name="yes-no",
    title="yes or no",
    family_name="label",
    metrics=("accuracy", "uar", "war", "macro_f1", "uf1"),
    main="uar",
    categorical=True,
    unused=("labels", "low", "high", "words", "synonyms", "tolerance"),
    family=_family,
    reader=_reader,
    target=_target,
    classes=lambda spec: CLASSES,
    candidates=lambda spec: CLASSES,
    pattern=lambda spec: one_of(CLASSES),
    schema=lambda spec: enum(CLASSES),
    example=lambda spec: CLASSES[0],
    same=lambda a, b: _said(a) == _said(b),
    python=_said,
)
