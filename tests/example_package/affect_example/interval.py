"""A kind of field: an interval of whole numbers, such as the age group `25-32`.

A value is written `LOW-HIGH`. The field's `low` and `high` are the ends of the scale; its option `widest` is the most
numbers that an answer may hold: `0-100` is never wrong as an age and says nothing.

    fields:
      age: {kind: interval, low: 0, high: 100, options: {widest: 20}}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.answers.anchors import key_pattern, own_anchors
from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.refusals import find_declines, ruling
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered, lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import Kind
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.metrics.family import Bools, Floats, check_pairs, measure, plain_names, ratio
from harness.metrics.metric import Metric

NEEDS = "interval"
"""The name of the family."""
_PAIR = re.compile(
    r"(?<![\w.,-])[(\[]?\s{0,2}(\d{1,4})(?: years?)?\s{0,3}(?:-|to\b|and\b|,|through\b)\s{0,3}(\d{1,4})(?![\w-]|\.\d)",
    re.ASCII,
)
_LOWER, _UPPER = frozenset({"low", "lower", "from", "min", "start"}), frozenset({"high", "upper", "to", "max", "end"})  # fmt: skip
_WIDTH = 5


def ends(value: object) -> tuple[int, int]:
    """Both ends of `25-32`, `(25, 32)` or a list of two. Raises ValueError."""
    pair = value
    if isinstance(value, str):
        found = _PAIR.search(value)
        pair = None if found is None or not _alone(value, found) else found.groups()
    if isinstance(pair, list | tuple) and len(pair) == 2:
        try:
            low, high = (int(str(end)) for end in pair)
        except ValueError:
            low, high = 1, 0
        if 0 <= low <= high:
            return low, high
    raise ValueError(f"{value!r} is not an interval such as 25-32")


def _alone(text: str, found: re.Match[str]) -> bool:
    return not (text[: found.start()] + text[found.end() :]).strip(" ()[]")


def written(low: int, high: int) -> str:
    """The one spelling of an interval."""
    return f"{low}-{high}"


@dataclass(frozen=True, slots=True, eq=False)
class IntervalFamily:
    """True and answered intervals of n samples."""

    truth: Floats
    """(n, 2) both ends, which belong to the interval."""
    predicted: Floats
    """(n, 2) the same, nan where there was no answer."""
    low: float
    high: float

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric names."""
        return plain_names(NEEDS)

    @property
    def answered(self) -> Bools:
        """(n,) False where there was no answer."""
        return np.asarray(~np.isnan(self.predicted[:, 0]))

    def rows(self) -> Floats:
        """(n, 5): one; intersection over union; whether the truth's middle is held; mean error of the two ends, of a
        missing answer the largest of the scale; whether both ends are right."""
        there = self.answered
        said = np.where(there[:, None], self.predicted, self.truth)
        shared = np.minimum(said[:, 1], self.truth[:, 1]) - np.maximum(said[:, 0], self.truth[:, 0])
        shared = np.maximum(shared + 1, 0)
        sizes = (said[:, 1] - said[:, 0]) + (self.truth[:, 1] - self.truth[:, 0]) + 2
        middle = self.truth.mean(axis=1)
        held = (said[:, 0] <= middle) & (middle <= said[:, 1])
        worst = np.maximum(self.truth - self.low, self.high - self.truth).mean(axis=1)
        error = np.where(there, np.abs(said - self.truth).mean(axis=1), worst)
        equal = (said == self.truth).all(axis=1)
        iou = shared / (sizes - shared)
        return np.column_stack(
            [np.ones(len(there)), iou * there, held & there, error, equal & there]
        )

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 5), shape (...)."""
        return measure(self, NEEDS, metric, totals, width=_WIDTH)


def _mean_of(column: int) -> Any:
    return lambda family, totals: ratio(totals[..., column], totals[..., 0])


METRICS = (
    Metric(
        name="iou", title="IoU", needs=NEEDS, compute=_mean_of(1),
        estimator="mean intersection over union of whole numbers, a missing answer is 0",
    ),
    Metric(
        name="middle_held", title="middle held", needs=NEEDS, compute=_mean_of(2), proportion=True,
        estimator="share of answers that hold the middle of the true interval, a missing answer does not",
    ),
    Metric(
        name="end_error", title="error of the ends", needs=NEEDS, compute=_mean_of(3), better="lower",
        range=(0.0, float("inf")),
        estimator="mean absolute error of both ends, a missing answer is the largest error of the scale",
    ),
    Metric(
        name="exact_interval", title="exact", needs=NEEDS, compute=_mean_of(4),
        estimator="share of answers with both ends right",
    ),
)  # fmt: skip


def _family(
    spec: FieldSpec, truth: Sequence[Value], said: Sequence[Value | None]
) -> IntervalFamily:
    check_pairs(truth, said)
    rows = np.full((len(truth), 4), np.nan)
    for at, (true, given) in enumerate(zip(truth, said, strict=True)):
        try:
            rows[at, :2] = ends(true)
        except ValueError as error:
            raise HarnessError(f"sample {at}: {error}", hint="correct the label") from None
        if given is not None:
            rows[at, 2:] = ends(given)
    return IntervalFamily(rows[:, :2], rows[:, 2:], spec.low, spec.high)


def _widest(spec: FieldSpec) -> int:
    return int(spec.options.get("widest", spec.high - spec.low + 1))


def _check(spec: FieldSpec) -> None:
    if not (0 <= spec.low < spec.high and spec.low.is_integer() and spec.high.is_integer()):
        raise ValueError("low and high of an interval are whole numbers, 0 <= low < high")
    unknown = [name for name in spec.options if name != "widest"]
    if unknown:
        raise ValueError(f"options: {unknown[0]} is none of an interval's (widest)")
    widest = spec.options.get("widest", 1)
    if not isinstance(widest, int) or isinstance(widest, bool) or widest < 1:
        raise ValueError("options: widest is a whole number from 1")


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    keys = key_pattern(name)

    def verdict(low: int, high: int, rule: str, span: tuple[int, int] | None = None) -> Answer:
        if not spec.low <= low <= high <= spec.high:
            return lacking(Outcome.OFF_LIST, f"{rule}/off-scale", span)
        if high - low + 1 > _widest(spec):
            return lacking(Outcome.OFF_LIST, f"{rule}/too-wide", span)
        return answered(written(low, high), f"{rule}/interval", span)

    def read(reply: NormalizedReply, form: Form) -> Answer:
        quiet = wordless(reply)
        if quiet is not None:
            return quiet
        declined = ruling(find_declines(reply.text))
        for anchor in reversed(own_anchors(reply.text, keys)[-32:]):
            found = _PAIR.search(reply.text, anchor.end, anchor.end + 40)
            if found is not None:
                return _of(reply, found, anchor.level)
        pairs = list(_PAIR.finditer(reply.text))
        if not pairs or form == "final":
            return nothing(reply, "none")
        if declined:
            return lacking(Outcome.REFUSED, declined)
        if len({pair.groups() for pair in pairs}) > 1:
            return lacking(Outcome.AMBIGUOUS, "mention/ambiguous")
        return _of(reply, pairs[0], "mention")

    def _of(reply: NormalizedReply, found: re.Match[str], rule: str) -> Answer:
        if reply.truncated and not reply.text[found.end() :].strip():
            return lacking(Outcome.TRUNCATED, "truncated")  # more digits might have followed
        span = reply.span(found.start(1), found.end(2))
        return verdict(int(found[1]), int(found[2]), rule, span)

    def json(value: Loose) -> Answer | None:
        if not isinstance(value, Node):
            return None
        parts = [part for _, part in value.pairs]
        if value.is_object:
            named = {key.casefold(): part for key, part in value.pairs}
            parts = [named[key] for side in (_LOWER, _UPPER) for key in named if key in side]
        if len(parts) != 2 or not all(type(part) is int for part in parts):
            return lacking(Outcome.UNPARSED, "json/type")
        return verdict(int(str(parts[0])), int(str(parts[1])), "json")

    return ValueReader(read=read, json=json)


def _target(cell: Any, spec: FieldSpec) -> Value:
    low, high = ends(cell)
    if not spec.low <= low <= high <= spec.high:
        raise ValueError(f"{cell} is outside the field's scale, {spec.low:g} to {spec.high:g}")
    return written(low, high)


def _pattern(spec: FieldSpec) -> str:
    end = "|".join(str(number) for number in range(int(spec.low), int(spec.high) + 1))
    return rf"({end})-({end})"


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{_pattern(spec)}$"}


INTERVAL = Kind(
    name="interval",
    title="an interval of whole numbers on a scale, such as an age group",
    family_name=NEEDS,
    metrics=("iou", "middle_held", "end_error"),
    family=_family,
    reader=_reader,
    target=_target,
    check=_check,
    pattern=_pattern,
    schema=_schema,
    example=lambda spec: written(int(spec.low), int(spec.high)),
)
