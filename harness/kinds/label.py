"""One label from a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.answers.anchors import key_pattern
from harness.answers.constraints import escaped
from harness.answers.from_json import read_text
from harness.answers.label import quick_label, read_label
from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.percentages import read_percentages
from harness.answers.speech import speech_for
from harness.answers.table import LabelTable, label_table
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, lacking
from harness.answers.yes_no import read_yes_no
from harness.core.answer import Answer
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import Kind
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.kinds.cells import plain
from harness.kinds.values import answers, converted, word

if TYPE_CHECKING:
    from harness.metrics import LabelFamily


def listed(spec: FieldSpec) -> tuple[str, ...]:
    """The labels as a list. Raises ValueError before planning has fixed them."""
    if isinstance(spec.labels, str):
        raise ValueError(f"labels must be resolved, not a name: {spec.labels}")
    return spec.labels


def table_of(name: str, spec: FieldSpec) -> LabelTable:
    """Every spelling of a field's labels. Raises HarnessError where they are still a name."""
    if isinstance(spec.labels, str):
        raise HarnessError(
            f"field {name}: labels must be resolved, not a name: {spec.labels!r}",
            hint="resolve them first (harness.answers.resolve_labels, or the source for from-data)",
        )
    return label_table(spec.labels, spec.synonyms, spec.languages)


def family_of_words(
    truth: Sequence[Value], said: Sequence[Value | None], classes: Sequence[str] | None
) -> LabelFamily:
    """The family of n truths and answers; `classes` gives the order of the tables."""
    from harness.metrics.label import label_family

    return label_family(converted(truth, word), answers(said, word), classes=classes)


def one_of(classes: Sequence[str]) -> str:
    """A pattern of the labels."""
    return "|".join(map(escaped, classes))


def enum(classes: Sequence[str]) -> dict[str, Any]:
    """A schema of the labels."""
    return {"type": "string", "enum": list(classes)}


def _family(spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]) -> LabelFamily:
    return family_of_words(truth, said, None if isinstance(spec.labels, str) else spec.labels)


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    table, keys, speech = table_of(name, spec), key_pattern(name), speech_for(spec.languages)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        found = read_label(reply, table, form=form, letters=letters, keys=keys)
        if found.outcome is not Outcome.ANSWERED and {"yes", "no"} <= table.spellings.keys():
            other = read_yes_no(reply, keys=keys)
            if other.outcome is Outcome.ANSWERED:
                return replace(other, value=table.label(str(other.value)))
        return found

    def json(value: Loose) -> Answer | None:
        if value is None or isinstance(value, Node):
            return None
        if isinstance(value, bool):
            value = "yes" if value else "no"
        text = value if isinstance(value, str) else repr(value)
        found = read_text(text, ValueReader(read, speech=speech))
        if found.outcome is Outcome.UNPARSED and found.rule == "json/none":
            return lacking(Outcome.OFF_LIST, "json/off-list")
        return found

    return ValueReader(
        read=read,
        quick=partial(quick_label, table=table),
        share=partial(read_percentages, table=table),
        json=json,
        speech=speech,
    )


def _target(cell: Any, spec: FieldSpec) -> Value:
    if isinstance(cell, list | tuple | dict | bytes):
        raise ValueError(f"a {type(cell).__name__} is not a label")
    return plain(cell)


LABEL = Kind(
    name="label",
    title="one label from a list: a vocabulary, the task's labels or the labels in the data",
    family_name="label",
    metrics=("accuracy", "uar", "war", "macro_f1", "uf1"),
    main="uar",
    categorical=True,
    labelled=True,
    unused=("low", "high", "words", "member_of", "tolerance"),
    family=_family,
    reader=_reader,
    target=_target,
    classes=listed,
    candidates=listed,
    pattern=lambda spec: one_of(spec.classes),
    schema=lambda spec: enum(spec.classes),
    example=lambda spec: spec.classes[0],
    same=lambda a, b: str(a) == str(b),
)
