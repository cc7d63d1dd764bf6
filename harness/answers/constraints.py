"""Constraints on replies for the channels `choice` and `logprob`, built from the fields of a prompt.

A kind gives the JSON schema of its own values. It may use: `{"type": "string"}` with `enum`, or with an anchored
`pattern` (`^...$`) of texts that need no escape in JSON; `{"type": "number"}` with `minimum` and `maximum`;
`{"type": "array"}` with `items` and `maxItems`; and `anyOf` such. (An object without `properties` is any object.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.answers.verdict import Form
from harness.core.cell import Channel
from harness.core.constraint import Constraint, Need
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.text import with_article

PLACES = 3
"""Most decimal places of a number."""
MOST_STEPS = 200
"""A scale of whole-number ends no further apart than this is held to exactly."""

_SPECIAL = frozenset("\\.^$*+?{}[]|()-")


class Unfit(ValueError):
    """A channel cannot take these fields from one reply; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one reply besides text."""

    constraint: Constraint | None = None
    candidates: tuple[str, ...] = ()

    @property
    def need(self) -> Need | None:
        """What the model must be able to do for it."""
        if self.candidates:
            return "logprob"
        return None if self.constraint is None else self.constraint.kind


def wanted(channel: Channel, fields: Mapping[str, FieldSpec], form: Form) -> Wanted:
    """What a channel wants of a reply that fills `fields`. Raises Unfit."""
    if channel == "choice":
        return Wanted(constraint=constraint_for(fields, form))
    if channel == "logprob":
        return Wanted(candidates=candidates_for(fields, form))
    return Wanted()


def candidates_for(fields: Mapping[str, FieldSpec], form: Form) -> tuple[str, ...]:
    """The labels of the one field, or the words of a number's scale, as whole replies. Raises Unfit for others.

    A reply in which the label stands behind reasoning or inside JSON is no label alone, and the labels'
    probabilities as whole replies would say nothing about it.
    """
    name, spec = _only(fields)
    found = kind_of(spec).candidates(spec)
    if not found:
        raise Unfit(
            f"{name} is {with_article(spec.kind)}, which has no list of labels or words to score"
        )
    if form != "text":
        raise Unfit(f"the prompt asks for more than the label (answer: {form})")
    return found


def constraint_for(fields: Mapping[str, FieldSpec], form: Form) -> Constraint:
    """What holds a reply to the admissible values of `fields`. Raises Unfit.

    text: a label or yes-no is one of its labels, a number or set a regular expression; json: an object
    with every field, in their order; final: any text, then a last line `Answer: VALUE`; percentages: an object with
    a number from 0 to 100 for every label (that they add up to 100 is not held to).
    """
    if form == "json":
        return Constraint("json", text=json.dumps(_schema(fields), ensure_ascii=False))
    name, spec = _only(fields)
    if form == "percentages":
        if not spec.one_label:
            raise Unfit(
                f"{name} is {with_article(spec.kind)}, which has no labels to share percentages among"
            )
        shares = {label: FieldSpec(kind="number", low=0, high=100) for label in spec.classes}
        return Constraint("json", text=json.dumps(_schema(shares), ensure_ascii=False))
    pattern = kind_of(spec).pattern(spec)
    if pattern is None:
        raise Unfit(f"{name} is free text")
    if form == "final":
        return Constraint("regex", text=rf"((.|\n)*\n)?Answer: ({pattern})")
    if spec.categorical:
        return Constraint("choice", choices=spec.classes)
    return Constraint("regex", text=pattern)


def obeys(text: str, constraint: Constraint) -> bool:
    """Whether a whole reply is what the constraint allows; white space around it is passed over."""
    text = text.strip()
    if constraint.kind == "choice":
        return text in constraint.choices
    if constraint.kind == "regex":
        return re.fullmatch(constraint.text, text) is not None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return _fits(value, json.loads(constraint.text))


def object_keys(text: str) -> tuple[str, ...]:
    """The keys of a reply that is one JSON object and nothing else; none of any other."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(value) if isinstance(value, dict) else ()


def _only(fields: Mapping[str, FieldSpec]) -> tuple[str, FieldSpec]:
    if len(fields) != 1:
        raise Unfit(f"one reply answers {len(fields)} fields at once ({', '.join(fields)})")
    return next(iter(fields.items()))


def number_pattern(low: float, high: float) -> str:
    """Decimals of at most PLACES places in [low, high].

    Where the ends are no whole numbers, or far apart, only the sign and the number of digits are held to.
    """
    if not (low.is_integer() and high.is_integer() and high - low <= MOST_STEPS):
        more = len(str(int(max(abs(low), abs(high))))) - 1
        whole = rf"(0|[1-9][0-9]{{0,{more}}})"
        return rf"{'-?' if low < 0 else ''}{whole}(\.[0-9]{{1,{PLACES}}})?"
    ends = int(low), int(high)
    if ends[0] >= 0:
        return _magnitudes(*ends)
    if ends[1] <= 0:
        return rf"-({_magnitudes(-ends[1], -ends[0])})"
    return rf"{_magnitudes(0, ends[1])}|-({_magnitudes(0, -ends[0])})"


def _magnitudes(low: int, high: int) -> str:
    whole = "|".join(str(n) for n in range(low, high))
    return rf"({whole})(\.[0-9]{{1,{PLACES}}})?|{high}(\.0{{1,{PLACES}}})?"


def escaped(text: str) -> str:
    """A text as a pattern of itself. Only what every dialect takes for special is escaped: some servers know no escaped blank."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in text)


def _schema(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """JSON Schema of an object with every field; generators write keys in the order of `properties`."""
    return {
        "type": "object",
        "properties": {name: kind_of(spec).schema(spec) for name, spec in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def json_pattern(schema: Mapping[str, Any]) -> str:  # noqa: PLR0911 - by type
    """A pattern of the objects that a schema of the words used above allows, their keys in order, with one
    blank behind each comma and colon.

    Every match is JSON that fits the schema. Unlike a schema it leaves no room for endless white space or
    digits, in which weak models lose themselves.
    """
    if "anyOf" in schema:
        return f"({'|'.join(json_pattern(one) for one in schema['anyOf'])})"
    kind = schema["type"]
    if kind == "object":
        pairs = (f'"{escaped(k)}": {json_pattern(v)}' for k, v in schema["properties"].items())
        return rf"\{{{', '.join(pairs)}\}}"
    if kind == "array":
        one, more = json_pattern(schema["items"]), max(schema["maxItems"] - 1, 0)
        return rf"\[({one}(, {one}){{0,{more}}})?\]"
    if kind == "number":
        return f"({number_pattern(schema['minimum'], schema['maximum'])})"
    if "pattern" in schema:
        return f'"({_whole(schema["pattern"])})"'
    if "enum" not in schema:
        return r'"[^"\\\n\r\t]*"'
    return f"({'|'.join(escaped(json.dumps(one, ensure_ascii=False)) for one in schema['enum'])})"


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a JSON value fits a schema of the words used above."""
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    if schema["type"] == "object":
        known = schema.get("properties")
        return isinstance(value, dict) and (
            known is None
            or (
                set(value) == set(schema["required"])
                and all(_fits(value[name], below) for name, below in known.items())
            )
        )
    if schema["type"] == "array":
        return (
            isinstance(value, list)
            and len(value) <= schema["maxItems"]
            and all(_fits(item, schema["items"]) for item in value)
        )
    if schema["type"] == "number":
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return known and bool(schema["minimum"] <= value <= schema["maximum"])
    if not isinstance(value, str) or value not in schema.get("enum", (value,)):
        return False
    return "pattern" not in schema or re.fullmatch(_whole(schema["pattern"]), value) is not None


def _whole(pattern: str) -> str:
    """A schema's pattern without its anchors: where one is matched here, all of a text is."""
    return pattern.removeprefix("^").removesuffix("$")
