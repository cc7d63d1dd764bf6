"""Read one Answer per field from a reply.

A `Reader` is built once per (task, prompt) and called per reply. In text and final form a reply
that names several asked fields ("the fine-grained expression class is X, and the coarse ...") is
parted at those names and each part read by itself; in json form the last object that has the
field's key gives the value, which is then read by the same rules. Of a reply with more than
`normal.LONGEST` visible characters the end is read, and only a marked final answer counts (else
`too-long`), or a JSON object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.answers.anchors import key_pattern
from harness.answers.cut_short import settled
from harness.answers.from_json import read_object, read_unnamed
from harness.answers.loose_json import find_objects, members_of_array, without_cut_value
from harness.answers.normal import NormalizedReply, plain
from harness.answers.speech import Speech, speech_for
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, lacking, nothing, read_whole, wordless
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.languages import known_languages
from harness.core.outcome import Outcome

PARSER_VERSION = "6"
"""Recorded with every run; raised whenever a reply may be read differently."""


@dataclass(frozen=True, slots=True)
class FieldReader:
    """How one field is read."""

    name: str
    keys: re.Pattern[str]
    """Where the field's name stands as a key."""
    value: ValueReader


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads replies to one prompt. Build with `Reader.build`; call with a reply's text."""

    form: Form
    fields: tuple[FieldReader, ...]
    speech: Speech
    """The languages that replies are read in."""

    @classmethod
    def build(
        cls,
        fields: Mapping[str, FieldSpec],
        *,
        form: Form = "text",
        letters: bool = False,
        languages: Sequence[str] = (),
    ) -> Reader:
        """Compile the asked fields. `letters`: the prompt offers the labels as options A, B, C ...
        `languages`: codes that are read besides English and the languages of the labels.

        Raises HarnessError where a field's labels are still a name, ValueError for a code that is
        not in `core.languages.LANGUAGES`.
        """
        labels = [label for spec in fields.values() for label in _labels(spec)]
        speech = speech_for(known_languages(languages), labels)
        read = tuple(_field(name, spec, letters, speech) for name, spec in fields.items())
        return cls(form, read, speech)

    def __call__(self, text: str, *, truncated: bool = False) -> dict[str, Answer]:
        """One Answer a field. Never raises; time is linear in the length of the text."""
        if self.form == "percentages":
            reply = plain(text, truncated=truncated, speech=self.speech)
            objects = find_objects(_visible(reply))
            return {f.name: f.value.share(reply, objects) for f in self.fields}
        if len(self.fields) == 1 and len(text) < 64 and self.form != "json" and not truncated:
            quick = self.fields[0].value.quick(text)
            if quick is not None:
                return {self.fields[0].name: quick}
        reply = plain(text, truncated=truncated, speech=self.speech)
        if self.form == "json" or _opens_object(reply):
            found = self._from_json(reply)
            if found is not None:
                return found
        if len(self.fields) == 1:
            only = self.fields[0]
            form = "text" if self.form == "json" else self.form
            read = {only.name: read_whole(only.value.read(reply, form), reply)}
        else:
            read = _read_parts(reply, self.fields, self.form)
        return {n: settled(a, reply) for n, a in read.items()} if truncated else read

    def _from_json(self, reply: NormalizedReply) -> dict[str, Answer] | None:
        quiet = wordless(reply)
        if quiet is not None:
            return {field.name: quiet for field in self.fields}
        visible = _visible(reply)
        if reply.truncated:
            visible = without_cut_value(visible)
        objects = members_of_array(visible, find_objects(visible))
        found: dict[str, Answer] = {}
        for field in self.fields:
            answer = read_object(
                objects,
                field.name,
                field.value,
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
            only = self.fields[0].value
            unnamed = (
                read_unnamed(objects[0], only) if len(objects) == len(self.fields) == 1 else None
            )
            return None if unnamed is None else {self.fields[0].name: unnamed}
        return _without_object(reply, self.fields)


def read(
    text: str,
    field: FieldSpec,
    *,
    form: Form = "text",
    name: str = "answer",
    truncated: bool = False,
    letters: bool = False,
    languages: Sequence[str] = (),
) -> Answer:
    """Read one field from one reply. For many replies build a `Reader`.

    Raises HarnessError where the field's labels are still a name.
    """
    reader = Reader.build({name: field}, form=form, letters=letters, languages=languages)
    return reader(text, truncated=truncated)[name]


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


def _labels(spec: FieldSpec) -> Sequence[str]:
    """What the field's labels are called, as far as words are read."""
    listed = () if isinstance(spec.labels, str) or not kind_of(spec).labelled else spec.labels
    return (*listed, *spec.words)


def _field(name: str, spec: FieldSpec, letters: bool, speech: Speech) -> FieldReader:
    value: ValueReader = kind_of(spec).reader(name, spec.read_in(speech.languages), letters)
    return FieldReader(name, key_pattern(name), value)


def _visible(reply: NormalizedReply) -> str:
    """The raw reply from where its visible text begins."""
    if reply.cut:
        return reply.raw[reply.begin :]
    start = len(reply.text) - len(reply.text.lstrip())
    at, _ = reply.span(start, min(start + 1, len(reply.text)))
    return reply.raw[at:]


def _opens_object(reply: NormalizedReply) -> bool:
    """Whether a reply begins with a JSON object, or with an array of them, perhaps in a fence."""
    head = reply.raw[reply.begin : reply.begin + 64] if reply.cut else reply.text
    head = head.lstrip("` \n")
    if head[:4].casefold() == "json":
        head = head[4:].lstrip()
    return head[:1] == "{" or (head[:1] == "[" and head[1:].lstrip()[:1] == "{")


def _part(reply: NormalizedReply, start: int, end: int, *, truncated: bool) -> NormalizedReply:
    whole = reply.offsets if reply.offsets is not None else range(len(reply.text) + 1)
    offsets = whole[start : end + 1]
    return NormalizedReply(
        reply.raw, reply.text[start:end], offsets, truncated, False, False, reply.speech
    )


def _keyed(reply: NormalizedReply, fields: Sequence[FieldReader]) -> dict[str, NormalizedReply]:
    """For each field whose name stands as a key, the part behind the last such key."""
    marks: list[tuple[int, int, str]] = []
    for field in fields:
        marks += [(m.start(), m.end(), field.name) for m in field.keys.finditer(reply.text)]
    marks.sort()
    parts: dict[str, NormalizedReply] = {}
    for number, (_, end, name) in enumerate(marks):
        last = number + 1 == len(marks)
        stop = len(reply.text) if last else max(end, marks[number + 1][0])
        part = _part(reply, end, stop, truncated=reply.truncated and last)
        if part.text.strip(" .,;:\n") or name not in parts:
            parts[name] = part
    return parts


def _read_parts(
    reply: NormalizedReply, fields: Sequence[FieldReader], form: Form
) -> dict[str, Answer]:
    quiet = wordless(reply)
    if quiet is not None:
        return {field.name: quiet for field in fields}
    parts = _keyed(reply, fields)
    if parts:
        missing = read_whole(nothing(reply, "parts/missing"), reply)
        return {
            f.name: f.value.read(parts[f.name], "text") if f.name in parts else missing
            for f in fields
        }
    found = {field.name: read_whole(field.value.read(reply, form), reply) for field in fields}
    spans = [a.span for a in found.values() if a.span is not None]
    shared = lacking(Outcome.UNPARSED, "parts/shared")
    return {
        name: shared if answer.span is not None and spans.count(answer.span) > 1 else answer
        for name, answer in found.items()
    }


def _without_object(reply: NormalizedReply, fields: Sequence[FieldReader]) -> dict[str, Answer]:
    """JSON was asked for and there is none: `key: value` lines are read, prose is not."""
    parts = _keyed(reply, fields)
    if parts and len(parts) * 2 >= len(fields):
        return {
            f.name: f.value.read(parts[f.name], "text")
            if f.name in parts
            else read_whole(nothing(reply, "json/no-key"), reply)
            for f in fields
        }
    if len(fields) == 1:
        whole = fields[0].value.quick(reply.raw.strip())
        if whole is not None:
            return {fields[0].name: whole}
    missing = read_whole(nothing(reply, "json/no-object"), reply)
    return {field.name: missing for field in fields}
