"""A number on a scale, such as valence, or a word that stands for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.answers.anchors import key_pattern
from harness.answers.constraints import escaped, number_pattern
from harness.answers.label import quick_label, read_label
from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply
from harness.answers.number import quick_number, read_number
from harness.answers.speech import speech_for
from harness.answers.table import label_table
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, lacking
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import Kind, no_options
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.kinds.cells import finite, plain
from harness.kinds.values import answers, converted, number

if TYPE_CHECKING:
    from harness.metrics import NumberFamily

_MOST = 10**15
"""A whole number beyond this is on no scale; as a float it would lose digits."""


def _check(spec: FieldSpec) -> None:
    no_options(spec)
    if not spec.low < spec.high:
        raise ValueError(f"low ({spec.low}) must be below high ({spec.high})")


def _family(spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]) -> NumberFamily:
    from harness.metrics.numbers import number_family

    return number_family(
        converted(truth, number),
        answers(said, number),
        low=spec.low,
        high=spec.high,
        tolerance=spec.tolerance,
    )


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    table = label_table(tuple(spec.words), spec.synonyms, spec.languages) if spec.words else None
    keys = key_pattern(name)

    def valued(found: Answer) -> Answer:
        """The answer with its word's number as value."""
        if found.outcome is not Outcome.ANSWERED:
            return found
        return replace(found, value=float(spec.words[str(found.value)]))

    def quick(raw: str) -> Answer | None:
        word = quick_label(raw, table) if table is not None else None
        return quick_number(raw, spec.low, spec.high) if word is None else valued(word)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        """A number that is written goes before a word."""
        found = read_number(reply, spec.low, spec.high, form=form, keys=keys)
        if table is None or found.outcome is Outcome.ANSWERED:
            return found
        word = read_label(reply, table, form=form, letters=False, keys=keys)
        return valued(word) if word.outcome is Outcome.ANSWERED else found

    return ValueReader(
        read=read, quick=quick, json=number_from_json, speech=speech_for(spec.languages)
    )


def number_from_json(value: Loose) -> Answer | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > _MOST:
        return lacking(Outcome.OFF_LIST, "json/out-of-range")
    return None if math.isfinite(value) else lacking(Outcome.UNPARSED, "json/not-finite")


def _target(cell: Any, spec: FieldSpec) -> Value:
    found = finite(cell)
    if not spec.low <= found <= spec.high:
        raise ValueError(f"{plain(cell)} is outside the field's scale, {spec.low} to {spec.high}")
    return found


def _pattern(spec: FieldSpec) -> str:
    return "|".join([number_pattern(spec.low, spec.high), *map(escaped, spec.words)])


def _schema(spec: FieldSpec) -> dict[str, Any]:
    found = {"type": "number", "minimum": spec.low, "maximum": spec.high}
    if not spec.words:
        return found
    return {"anyOf": [found, {"type": "string", "enum": list(spec.words)}]}


def _mean(values: Sequence[Value], counts: Sequence[int]) -> Value:
    pairs = zip(values, counts, strict=True)
    weighted = [float(value) * count for value, count in pairs if not isinstance(value, tuple)]
    return sum(weighted) / sum(counts)


def _median(values: Sequence[Value], counts: Sequence[int]) -> Value:
    """The least of the best: of an even number of truths the lower middle one."""
    ordered = sorted(
        (float(value), count)
        for value, count in zip(values, counts, strict=True)
        if not isinstance(value, tuple)
    )
    half, seen = sum(counts) / 2, 0
    for value, count in ordered:
        seen += count
        if seen >= half:
            return value
    return ordered[-1][0]


NUMBER = Kind(
    name="number",
    title="a number on a scale from low to high, or a word that stands for one",
    family_name="number",
    metrics=("ccc", "rmse", "mae", "pcc", "sagr"),
    numeric=True,
    unused=("labels", "member_of"),
    check=_check,
    family=_family,
    reader=_reader,
    target=_target,
    candidates=lambda spec: tuple(spec.words),
    pattern=_pattern,
    schema=_schema,
    example=lambda spec: spec.low,
    same=lambda a, b: None,
    baseline=_mean,
    baseline_word="mean",
    baselines={"mae": ("median", _median)},
    python=lambda value: number(value, 0),
)
