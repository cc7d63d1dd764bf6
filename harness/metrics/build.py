"""From the kind of a field to its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.core.errors import HarnessError
from harness.core.field import FieldKind, FieldSpec
from harness.core.sample import Value
from harness.metrics.family import Family, unknown_metric
from harness.metrics.label import CLASS_METRICS, LABEL_METRICS, label_family
from harness.metrics.numbers import NUMBER_METRICS, number_family
from harness.metrics.sets import SET_METRICS, UNIT_METRICS, set_family
from harness.metrics.soft import SOFT_METRICS
from harness.metrics.text import TEXT_METRICS, text_family

METRICS: Mapping[FieldKind, Mapping[str, str]] = MappingProxyType(
    {
        "label": LABEL_METRICS,
        "yes-no": LABEL_METRICS,
        "set": SET_METRICS,
        "number": NUMBER_METRICS,
        "text": TEXT_METRICS,
    }
)
"""Field kind -> metric name -> one line on its estimator."""


def metrics_for(kind: FieldKind) -> tuple[str, ...]:
    """The plain metric names of a kind of field."""
    return tuple(METRICS[kind])


def estimator(kind: FieldKind, metric: str) -> str:
    """One line on how ``metric`` is computed; understands ``recall[anger]``, the soft metrics of labels
    (``js``) and, of sets, ``f1[AU12]``.

    Raises HarnessError for a metric the kind does not have.
    """
    name, bracket, _ = metric.partition("[")
    lines = METRICS[kind]
    if bracket and lines is LABEL_METRICS and name in CLASS_METRICS:
        return CLASS_METRICS[name]
    if kind == "label" and metric in SOFT_METRICS:
        return SOFT_METRICS[metric]
    if bracket and kind == "set" and name in UNIT_METRICS:
        return UNIT_METRICS[name]
    if metric not in lines:
        raise unknown_metric(metric, lines, kind)
    return lines[metric]


def family_for(
    field: FieldSpec, truth: Sequence[Value], predicted: Sequence[Value | None]
) -> Family:
    """The family that scores ``field`` over n samples; None is "not an answer".

    ``yes-no`` values may be booleans or the words yes and no; set values any collection of names.
    Raises HarnessError where a value is not of the field's kind, naming the sample's position.
    """
    if field.kind in ("label", "yes-no"):
        order = None if isinstance(field.labels, str) and field.kind == "label" else field.classes
        return label_family(
            [_word(value, at) for at, value in enumerate(truth)],
            [None if value is None else _word(value, at) for at, value in enumerate(predicted)],
            classes=order,
        )
    if field.kind == "set":
        return set_family(
            [_names(value, at) for at, value in enumerate(truth)],
            [None if value is None else _names(value, at) for at, value in enumerate(predicted)],
        )
    if field.kind == "number":
        return number_family(
            [_number(value, at) for at, value in enumerate(truth)],
            [None if value is None else _number(value, at) for at, value in enumerate(predicted)],
            low=field.low,
            high=field.high,
        )
    return text_family(
        [_word(value, at) for at, value in enumerate(truth)],
        [None if value is None else _word(value, at) for at, value in enumerate(predicted)],
    )


def _word(value: Value, at: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    raise _wrong(value, at, "a word")


def _number(value: Value, at: int) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _wrong(value, at, "a number")


def _names(value: Value, at: int) -> frozenset[str]:
    if isinstance(value, tuple | list | frozenset | set):
        return frozenset(value)
    raise _wrong(value, at, "a set of names")


def _wrong(value: Value, at: int, wanted: str) -> HarnessError:
    return HarnessError(
        f"value {value!r} of sample {at} is not {wanted}",
        hint="check the kind of the field in the task against the column it reads",
    )
