"""An age in years: a number that replies put in words of their own ("early 30s", "26-31", "34yo")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from harness.answers.age import age_from_json, read_age
from harness.answers.anchors import key_pattern
from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply
from harness.answers.number import quick_number
from harness.answers.speech import speech_for
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import no_options
from harness.core.sample import Value
from harness.kinds.number import NUMBER, number_from_json

if TYPE_CHECKING:
    from harness.core.kind import Kind

OLDEST = 130
"""Years: no field may have a scale beyond."""


def _check(spec: FieldSpec) -> None:
    no_options(spec)
    if not 0 <= spec.low < spec.high <= OLDEST:
        raise ValueError(
            f"low ({spec.low}) and high ({spec.high}) of an age are years, 0 <= low < high <= {OLDEST}: write low: 0 "
            "and high: 116"
        )


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    keys = key_pattern(name)

    def quick(raw: str) -> Answer | None:
        return quick_number(raw, spec.low, spec.high)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        return read_age(reply, spec.low, spec.high, form=form, keys=keys)

    def from_json(value: Loose) -> Answer | None:
        return age_from_json(value) or number_from_json(value)

    return ValueReader(read=read, quick=quick, json=from_json, speech=speech_for(spec.languages))


def _median(values: Sequence[Value], counts: Sequence[int]) -> Value:
    """The median that stands for missing answers in the errors of `harness.metrics.ages`, so that a model without answers has
    the errors of this baseline: of an even number of ages the mean of the middle two."""
    pairs = zip(values, counts, strict=True)
    return median(
        float(value) for value, n in pairs if not isinstance(value, tuple) for _ in range(n)
    )


AGE: Kind = replace(
    NUMBER,
    name="age",
    title="an age in years; ranges, decades and number words are read by stated rules",
    metrics=("age_mae", "age_median_error", "cs5", "age_bias", "decade_mae"),
    unused=("labels", "member_of", "words", "tolerance"),
    check=_check,
    reader=_reader,
    example=lambda spec: 34,
    baselines=dict.fromkeys(("age_mae", "age_median_error", "decade_mae"), ("median", _median)),
)
