"""The interface of metric families, and functions that work on all of them.

A metric here is a pure function of *totals*: sums over samples of one additive row each (a
confusion cell, the moments of a pair of numbers, the hits of a set). Resampling, slicing and
pairing then need sums of rows only, and each metric is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.metrics.metric import Metric, brought, find_metric, shipped, unknown_metric

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Estimate = Callable[[Floats], Floats]


class MetricFamily(Protocol):
    """One kind of field: how its samples become rows, and how metrics are read off their sums."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names, in the order in which tables show them."""

    @property
    def answered(self) -> Bools:
        """(n,) True where the model gave an answer, right or wrong.

        Strict values use all rows. Answered-only values use ``rows()[answered]``: same family,
        same class set, fewer samples, shown beside the coverage.
        """

    def rows(self) -> Floats:
        """(n, k) one additive row per sample, finite; every call gives a fresh array."""

    def value(self, metric: str, totals: Floats) -> Floats:
        """Read ``metric`` off totals of shape (..., k); the result has shape (...).

        nan where the metric is undefined. Raises HarnessError for an unknown name or wrong k.
        """


def points(
    family: MetricFamily, metrics: Sequence[str] | None = None, *, select: Bools | None = None
) -> dict[str, float]:
    """Metric name to its value (all plain metrics when none are named), nan where undefined.

    Over all samples, or over those where ``select`` (n,) is True.
    """
    rows = family.rows()
    totals = (rows if select is None else rows[select]).sum(axis=0)
    names = family.metrics if metrics is None else metrics
    return {name: float(family.value(name, totals)) for name in names}


def point(family: MetricFamily, metric: str, *, select: Bools | None = None) -> float:
    """One value of :func:`points`."""
    return points(family, [metric], select=select)[metric]


def coverage(family: MetricFamily) -> float:
    """Share of samples with an answer, 0..1; nan without samples."""
    return float(family.answered.mean()) if family.answered.size else float("nan")


def estimates(family: MetricFamily, metrics: Sequence[str] | None = None) -> dict[str, Estimate]:
    """Metric name to its function of totals (all plain metrics when none are named)."""
    names = family.metrics if metrics is None else metrics
    return {name: partial(family.value, name) for name in names}


def ratio(top: Any, bottom: Any) -> Floats:
    """``top / bottom`` elementwise, nan where ``bottom`` is 0; shapes broadcast."""
    top, bottom = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    out = np.full(bottom.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out


def mean_where(values: Floats, keep: Bools) -> Floats:
    """Mean over the last axis of the entries where ``keep``; nan where none is kept."""
    return ratio(np.where(keep, values, 0.0).sum(axis=-1), keep.sum(axis=-1))


def check_pairs(truth: Sequence[object], predicted: Sequence[object]) -> None:
    """Raise HarnessError unless there is one prediction (or None) for each truth."""
    if len(truth) != len(predicted):
        raise HarnessError(
            f"{len(truth)} truths but {len(predicted)} predictions",
            hint="give one prediction per sample, None where there is no answer",
        )


def check_totals(totals: Floats, width: int) -> Floats:
    """``totals`` as float64 of shape (..., width); HarnessError when the width differs."""
    array = np.asarray(totals, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != width:
        raise HarnessError(
            f"totals of shape {array.shape} where the last axis must be {width}",
            hint="sum the rows of this same family over its samples",
        )
    return array


def measure(
    family: object,
    needs: str,
    metric: str,
    totals: Floats,
    *,
    width: int,
    classes: Sequence[str] = (),
) -> Floats:
    """``metric`` of the family called ``needs`` at totals (..., width); ``classes`` are those that names such as
    ``recall[anger]`` may hold.

    Raises HarnessError for an unknown metric or class, totals of another width, and a metric that gives another
    shape than (...).
    """
    found = find_metric(metric, needs)
    own: tuple[Metric, ...] = getattr(family, "own", ())
    totals = check_totals(totals, width + sum(m.columns for m in own))
    if found.compute is None:
        raise HarnessError(
            f"{metric} is not a function of totals", hint="it is computed separately"
        )
    first, last = 0, width
    if found.terms is not None:
        if found not in own:
            raise HarnessError(
                f"{metric} has terms of its own, which these rows lack",
                hint="name it among the field's metrics",
            )
        first = width + sum(m.columns for m in own[: own.index(found)])
        last = first + found.columns
    more: tuple[int, ...] = ()
    if found.of_class:
        label = metric.partition("[")[2][:-1]
        if label not in classes or not metric.endswith("]"):
            raise unknown_metric(metric, [f"{found.name}[{name}]" for name in classes], needs)
        more = (list(classes).index(label),)
    values: Floats = np.asarray(found.compute(family, totals[..., first:last], *more), np.float64)
    if values.shape != totals.shape[:-1]:
        raise HarnessError(
            f"metric {found.name} returns values of shape {values.shape} for totals of shape {totals.shape}",
            hint=f"its function must return shape {totals.shape[:-1]}; report it to the package that provides the metric",
        )
    return values


def with_terms(rows: Floats, family: Any, own: Sequence[Metric]) -> Floats:
    """Rows (n, k) with the own terms of some metrics behind them.

    Raises HarnessError for terms of another shape than (n, columns), or that are not finite.
    """
    if not own:
        return rows
    tables = [rows]
    for metric in own:
        terms = np.asarray(metric.terms(family) if metric.terms else (), dtype=np.float64)
        terms = terms.reshape(len(rows), -1) if terms.ndim == 1 and len(rows) else terms
        if terms.shape != (len(rows), metric.columns) or not np.isfinite(terms).all():
            raise HarnessError(
                f"metric {metric.name} returns terms of shape {terms.shape}, or some that are not finite",
                hint=f"its function is to give shape {(len(rows), metric.columns)}; report it to the package that "
                "brings the metric",
            )
        tables.append(terms)
    return np.hstack(tables)


def plain_names(needs: str, own: Sequence[Metric] = ()) -> tuple[str, ...]:
    """The metrics of a family without those of single classes, in the order of its tables: of a family of this
    package its own, since others may come and go. Of metrics with terms those in `own`."""
    every = (shipped(needs) or brought(needs)).values()
    return tuple(m.name for m in every if not m.of_class and (m.terms is None or m in own))


def class_names(needs: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Names such as ``recall[anger]``, class by class."""
    each = [m.name for m in (shipped(needs) or brought(needs)).values() if m.of_class]
    return tuple(f"{name}[{label}]" for label in classes for name in each)
