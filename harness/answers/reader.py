"""From a reply to one Answer a field.

A `Reader` is built once per (task, prompt) and called per reply. In text and final form a reply
that names several asked fields ("the fine-grained expression class is X, and the coarse ...") is
parted at those names and each part read by itself; in json form the last object that has the
field's key gives the value, which is then read by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.answers.anchors import key_pattern
from harness.answers.from_json import read_object
from harness.answers.label import quick_label, read_label
from harness.answers.loose_json import Node, find_objects
from harness.answers.normal import Reply, keep_case, plain
from harness.answers.number import quick_number, read_number
from harness.answers.percentages import read_percentages
from harness.answers.refusals import find_declines
from harness.answers.sets import read_set
from harness.answers.table import LabelTable, label_table
from harness.answers.verdict import Form, answered, lacking, nothing, wordless
from harness.answers.yes_no import quick_yes_no, read_yes_no
from harness.core.answer import Answer
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome

PARSER_VERSION = "1"
"""Recorded with every run; raised whenever a reply may be read differently."""


@dataclass(frozen=True, slots=True)
class FieldReader:
    """How one field is read."""

    name: str
    spec: FieldSpec
    table: LabelTable | None
    keys: re.Pattern[str]
    letters: bool

    def quick(self, raw: str) -> Answer | None:
        """The verdict on a plain one-word reply, or None."""
        if self.spec.kind == "label" and self.table is not None:
            return quick_label(raw, self.table)
        if self.spec.kind == "number":
            found = quick_label(raw, self.table) if self.table is not None else None
            if found is not None:
                return self._number_of(found)
            return quick_number(raw, self.spec.low, self.spec.high)
        return quick_yes_no(raw) if self.spec.kind == "yes-no" else None

    def share(self, reply: Reply, objects: Sequence[Node]) -> Answer:
        """The verdict on a reply of percentages, which only a label field can have."""
        if self.spec.kind != "label" or self.table is None:
            return lacking(Outcome.UNPARSED, "percentages/kind")
        return read_percentages(reply, objects, self.table)

    def read(self, reply: Reply, form: Form) -> Answer:
        """The verdict on a reply that is about this field alone."""
        if self.spec.kind == "text":
            return _read_text(reply)
        if self.spec.kind == "number":
            return self._read_number(reply, form)
        if self.spec.kind == "yes-no" or self.table is None:
            return read_yes_no(reply, keys=self.keys)
        if self.spec.kind == "set":
            return read_set(reply, self.table, keys=self.keys)
        found = read_label(reply, self.table, form=form, letters=self.letters, keys=self.keys)
        if found.outcome is not Outcome.ANSWERED and {"yes", "no"} <= self.table.spellings.keys():
            other = read_yes_no(reply, keys=self.keys)
            if other.outcome is Outcome.ANSWERED:
                return replace(other, value=self.table.label(str(other.value)))
        return found

    def _read_number(self, reply: Reply, form: Form) -> Answer:
        """A number, or a word that stands for one; a number that is written goes before a word."""
        number = read_number(reply, self.spec.low, self.spec.high, form=form, keys=self.keys)
        if self.table is None or number.outcome is Outcome.ANSWERED:
            return number
        word = read_label(reply, self.table, form=form, letters=False, keys=self.keys)
        return self._number_of(word) if word.outcome is Outcome.ANSWERED else number

    def _number_of(self, found: Answer) -> Answer:
        """The answer with its word's number as value."""
        if found.outcome is not Outcome.ANSWERED:
            return found
        return replace(found, value=float(self.spec.words[str(found.value)]))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads replies to one prompt. Build with `Reader.build`; call with a reply's text."""

    form: Form
    fields: tuple[FieldReader, ...]

    @classmethod
    def build(
        cls, fields: Mapping[str, FieldSpec], *, form: Form = "text", letters: bool = False
    ) -> Reader:
        """Compile the asked fields. `letters`: the prompt offers the labels as options A, B, C ...

        Raises HarnessError where a field's labels are still a name.
        """
        return cls(form, tuple(_field(name, spec, letters) for name, spec in fields.items()))

    def __call__(self, text: str, *, truncated: bool = False) -> dict[str, Answer]:
        """One Answer a field. Never raises; time is linear in the length of the text."""
        if self.form == "percentages":
            reply = plain(text, truncated=truncated)
            objects = find_objects(_visible(reply))
            return {f.name: f.share(reply, objects) for f in self.fields}
        if len(self.fields) == 1 and len(text) < 64 and self.form != "json" and not truncated:
            quick = self.fields[0].quick(text)
            if quick is not None:
                return {self.fields[0].name: quick}
        reply = plain(text, truncated=truncated)
        if self.form == "json" or (reply.text.lstrip()[:1] == "{" and len(self.fields) > 0):
            found = self._from_json(reply)
            if found is not None:
                return found
        if len(self.fields) == 1:
            only = self.fields[0]
            return {only.name: only.read(reply, "text" if self.form == "json" else self.form)}
        return _read_parts(reply, self.fields, self.form)

    def _from_json(self, reply: Reply) -> dict[str, Answer] | None:
        quiet = wordless(reply)
        if quiet is not None:
            return {field.name: quiet for field in self.fields}
        visible = _visible(reply)
        objects = find_objects(visible)
        found: dict[str, Answer] = {}
        for field in self.fields:
            answer = read_object(
                objects,
                field.name,
                field.spec.kind,
                field.read,
                alone=len(self.fields) == 1,
                truncated=reply.truncated,
            )
            if answer is not None:
                found[field.name] = answer
        if found or (objects and self.form == "json"):
            missing = lacking(Outcome.UNPARSED, "json/no-key")
            if reply.truncated and any(not o.closed for o in objects):
                missing = lacking(Outcome.TRUNCATED, "json/truncated")
            return {field.name: found.get(field.name, missing) for field in self.fields}
        if self.form != "json":
            return None
        return _without_object(reply, self.fields)


def read(
    text: str,
    field: FieldSpec,
    *,
    form: Form = "text",
    name: str = "answer",
    truncated: bool = False,
    letters: bool = False,
) -> Answer:
    """Read one field from one reply. For many replies build a `Reader`.

    Raises HarnessError where the field's labels are still a name.
    """
    return Reader.build({name: field}, form=form, letters=letters)(text, truncated=truncated)[name]


def read_all(
    text: str,
    fields: Mapping[str, FieldSpec],
    *,
    form: Form = "text",
    truncated: bool = False,
    letters: bool = False,
) -> dict[str, Answer]:
    """Read every field from one reply. For many replies build a `Reader`.

    Raises HarnessError where a field's labels are still a name.
    """
    return Reader.build(fields, form=form, letters=letters)(text, truncated=truncated)


def _field(name: str, spec: FieldSpec, letters: bool) -> FieldReader:
    table = None
    if spec.kind in ("label", "set"):
        if isinstance(spec.labels, str):
            raise HarnessError(
                f"field {name}: labels are still a name, {spec.labels!r}",
                hint="resolve them first (harness.answers.resolve_labels, or the source for from-data)",
            )
        table = label_table(spec.labels, spec.synonyms)
    elif spec.kind == "number" and spec.words:
        table = label_table(tuple(spec.words), spec.synonyms)
    return FieldReader(name, spec, table, key_pattern(name), letters and spec.kind == "label")


def _read_text(reply: Reply) -> Answer:
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    if any(d.rule == "refusal" for d in find_declines(reply.text[:400])) and len(reply.text) < 600:
        return lacking(Outcome.REFUSED, "refusal")
    if reply.truncated:
        return lacking(Outcome.TRUNCATED, "truncated")
    return answered(keep_case(reply.raw), "text")


def _visible(reply: Reply) -> str:
    """The raw reply from where its visible text begins."""
    start = len(reply.text) - len(reply.text.lstrip())
    at, _ = reply.span(start, min(start + 1, len(reply.text)))
    return reply.raw[at:]


def _part(reply: Reply, start: int, end: int, *, truncated: bool) -> Reply:
    whole = reply.offsets if reply.offsets is not None else range(len(reply.text) + 1)
    offsets = whole[start : end + 1]
    return Reply(reply.raw, reply.text[start:end], offsets, truncated, False, False)


def _keyed(reply: Reply, fields: Sequence[FieldReader]) -> dict[str, Reply]:
    """For each field whose name stands as a key, the part behind the last such key."""
    marks: list[tuple[int, int, str]] = []
    for field in fields:
        marks += [(m.start(), m.end(), field.name) for m in field.keys.finditer(reply.text)]
    marks.sort()
    parts: dict[str, Reply] = {}
    for number, (_, end, name) in enumerate(marks):
        last = number + 1 == len(marks)
        stop = len(reply.text) if last else max(end, marks[number + 1][0])
        part = _part(reply, end, stop, truncated=reply.truncated and last)
        if part.text.strip(" .,;:\n") or name not in parts:
            parts[name] = part
    return parts


def _read_parts(reply: Reply, fields: Sequence[FieldReader], form: Form) -> dict[str, Answer]:
    quiet = wordless(reply)
    if quiet is not None:
        return {field.name: quiet for field in fields}
    parts = _keyed(reply, fields)
    if parts:
        missing = nothing(reply, "parts/missing")
        return {
            f.name: f.read(parts[f.name], "text") if f.name in parts else missing for f in fields
        }
    found = {field.name: field.read(reply, form) for field in fields}
    spans = [a.span for a in found.values() if a.span is not None]
    shared = lacking(Outcome.UNPARSED, "parts/shared")
    return {
        name: shared if answer.span is not None and spans.count(answer.span) > 1 else answer
        for name, answer in found.items()
    }


def _without_object(reply: Reply, fields: Sequence[FieldReader]) -> dict[str, Answer]:
    """JSON was asked for and there is none: `key: value` lines are read, prose is not."""
    parts = _keyed(reply, fields)
    if parts and len(parts) * 2 >= len(fields):
        return {
            f.name: f.read(parts[f.name], "text")
            if f.name in parts
            else nothing(reply, "json/no-key")
            for f in fields
        }
    if len(fields) == 1:
        whole = fields[0].quick(reply.raw.strip())
        if whole is not None:
            return {fields[0].name: whole}
    missing = nothing(reply, "json/no-object")
    return {field.name: missing for field in fields}
