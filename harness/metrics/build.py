"""Build the metrics of a field from its kind."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import KINDS, kind_named, kind_of
from harness.core.registry import Listed
from harness.core.sample import Value
from harness.metrics.family import MetricFamily
from harness.metrics.metric import (
    Metric,
    broken,
    every_metric,
    find_metric,
    metrics_of,
    unknown_metric,
    written,
)


def metrics_for(kind: str) -> tuple[str, ...]:
    """The metric names that a field of a kind may be scored by; those of single classes stand beside anyway."""
    return tuple(
        m.name for m in metrics_of(kind_named(kind).family_name) if not m.of_class and m.compute
    )


def metric_of(spec: FieldSpec, name: str) -> Metric:
    """What a field's metric is. Raises HarnessError for one that its kind does not have."""
    return find_metric(name, kind_of(spec).family_name)


def check_metrics(spec: FieldSpec, *, where: str) -> None:
    """Raises HarnessError, with `where` before it, for a metric that the field's kind does not have."""
    known = metrics_for(spec.kind) if spec.metrics else ()
    for metric in spec.metrics:
        if metric not in known:
            error = unknown_metric(metric, known, spec.kind)
            raise HarnessError(f"{where}: {error.message}", hint=error.hint)


def main_metric(spec: FieldSpec) -> str:
    """The one number that a field is judged by: the first metric that its task names, else the main one of its kind
    (UAR of labels, CCC of numbers)."""
    kind = kind_of(spec)
    return spec.metrics[0] if spec.metrics else kind.main or kind.metrics[0]


def estimator(kind: str, metric: str) -> str:
    """One line on how ``metric`` is computed; understands ``recall[anger]`` and ``f1[AU12]``.

    Raises HarnessError for a metric the kind does not have.
    """
    return find_metric(metric, kind_named(kind).family_name).estimator


def family_for(
    field: FieldSpec, truth: Sequence[Value], predicted: Sequence[Value | None]
) -> MetricFamily:
    """The family that scores ``field`` over n samples; None is "not an answer".

    ``yes-no`` values may be booleans or the words yes and no; set values any collection of names.
    Raises HarnessError where a value is not of the field's kind, naming the sample's position.
    """
    found: Any = kind_of(field).family(field, truth, predicted)
    own = [metric for name in field.shown_metrics if (metric := metric_of(field, name)).terms]
    if own and not hasattr(found, "own"):
        raise HarnessError(
            f"metric {own[0].name}: rows of {own[0].needs} fields have no terms of a metric",
            hint="compute it from the family's totals; report it to the package that provides the metric",
        )
    made: MetricFamily = dataclasses.replace(found, own=tuple(own)) if own else found
    return made


def describe_metrics() -> Iterator[Listed]:
    """Every metric with what it is, those of one family together; of broken packages what is wrong."""
    for metric in every_metric():
        kinds = [name for name in KINDS.names() if _family_of(name) == metric.needs]
        ends = "..".join("" if math.isinf(end) else f"{end:g}" for end in metric.range)
        way = "neither end better" if metric.better == "none" else f"{metric.better} is better"
        same = f"; {metric.same_as} by another name" if metric.same_as else ""
        asked = f"{', '.join(kinds)} fields" if kinds else f"{metric.needs}, shown beside"
        line = f"{metric.title} [{asked}; {ends}, {way}{same}]: {metric.estimator}"
        yield Listed(written(metric), line)
    yield from broken()


def _family_of(kind: str) -> str:
    try:
        return kind_named(kind).family_name
    except HarnessError:
        return ""  # `harness list kinds` says what is wrong with it
