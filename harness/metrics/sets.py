"""Metrics of a field whose answer is a set of names, such as the action units seen in a face.

Sample average, micro and macro are three different numbers, so each has its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    check_totals,
    mean_where,
    ratio,
    unknown_metric,
)

SET_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "set_f1": "mean over samples of the F1 of the two sets, both empty counts 1",
        "set_jaccard": "mean over samples of intersection over union, both empty counts 1",
        "micro_f1": "2TP/(2TP+FP+FN) over all samples and names together",
        "macro_f1": "mean of 2TP/(2TP+FP+FN) over the names that occur in the truth",
        "exact_match": "share of samples whose two sets are equal",
    }
)
UNIT_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "f1": "2TP/(2TP+FP+FN) of one name over all samples, present or not in each",
        "precision": "TP/(TP+FP) of one name",
        "recall": "TP/(TP+FN) of one name",
    }
)
"""Each name as a yes-or-no of its own, which is how action units are reported (DISFA, BP4D): `f1[AU12]`."""
_HEAD = 5
"""Columns before the per-name ones: n, F1, Jaccard, exact, false positives of other names."""


@dataclass(frozen=True, slots=True, eq=False)
class SetFamily:
    """True and predicted sets of n samples over m names; see :func:`set_family`."""

    names: tuple[str, ...]
    """The m names that occur in the truth of the full scored set, sorted."""
    truth: tuple[frozenset[str], ...]
    predicted: tuple[frozenset[str] | None, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return tuple(SET_METRICS)

    @property
    def class_metrics(self) -> tuple[str, ...]:
        """Names such as ``f1[AU12]``, which ``value`` understands as well."""
        return tuple(f"{metric}[{name}]" for name in self.names for metric in UNIT_METRICS)

    @property
    def answered(self) -> Bools:
        """(n,) False where there was no answer; the empty set is an answer."""
        return np.array([answer is not None for answer in self.predicted], dtype=np.bool_)

    def rows(self) -> Floats:
        """(n, 5+3m): n, F1, Jaccard, exact, other false positives, then TP, FP, FN per name."""
        column = {name: _HEAD + 3 * position for position, name in enumerate(self.names)}
        rows = np.zeros((len(self.truth), _HEAD + 3 * len(self.names)))
        for row, true, answer in zip(rows, self.truth, self.predicted, strict=True):
            row[0] = 1.0
            given = frozenset() if answer is None else answer
            if answer is not None:
                row[1:4] = _agreement(true, given)
            row[4] = sum(name not in column for name in given)
            for offset, part in enumerate((true & given, given - true, true - given)):
                for name in part:
                    if name in column:
                        row[column[name] + offset] = 1.0
        return rows

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 5+3m), 0..1; shape (...), nan where undefined.

        ``micro_f1`` counts predicted names outside the truth's as false positives; ``macro_f1``
        skips names without a true case in the totals. Both are nan when nothing was true (and,
        for micro, nothing predicted). A missing answer scores 0 in the sample averages and is a
        false negative for each true name. ``f1[NAME]`` and its like are nan for a name without a
        true case in the totals, ``precision[NAME]`` also for one that was never answered.
        """
        table = check_totals(totals, _HEAD + 3 * len(self.names))
        direct = {"set_f1": 1, "set_jaccard": 2, "exact_match": 3}
        if metric in direct:
            return ratio(table[..., direct[metric]], table[..., 0])
        hits, extra, missed = (table[..., _HEAD + part :: 3] for part in range(3))
        if metric == "micro_f1":
            twice = 2 * hits.sum(axis=-1)
            wrong = extra.sum(axis=-1) + missed.sum(axis=-1) + table[..., 4]
            return ratio(twice, twice + wrong)
        if metric == "macro_f1":
            return mean_where(ratio(2 * hits, 2 * hits + extra + missed), hits + missed > 0)
        name, bracket, rest = metric.partition("[")
        if bracket and rest.endswith("]") and rest[:-1] in self.names and name in UNIT_METRICS:
            at = self.names.index(rest[:-1])
            return _one_name(name, hits[..., at], extra[..., at], missed[..., at])
        raise unknown_metric(metric, (*SET_METRICS, "f1[NAME]", "recall[NAME]"), "set")


def set_family(
    truth: Sequence[frozenset[str]], predicted: Sequence[frozenset[str] | None]
) -> SetFamily:
    """Sets of n samples; None is "not an answer". Raises HarnessError for unequal lengths."""
    check_pairs(truth, predicted)
    return SetFamily(
        names=tuple(sorted(frozenset[str]().union(*truth))),
        truth=tuple(truth),
        predicted=tuple(predicted),
    )


def _one_name(metric: str, hits: Floats, extra: Floats, missed: Floats) -> Floats:
    if metric == "precision":
        return ratio(hits, hits + extra)
    if metric == "recall":
        return ratio(hits, hits + missed)
    f1: Floats = np.where(hits + missed > 0, ratio(2 * hits, 2 * hits + extra + missed), np.nan)
    return f1


def _agreement(true: frozenset[str], given: frozenset[str]) -> tuple[float, float, float]:
    """F1, Jaccard and equality of two sets; two empty sets agree fully."""
    if not true and not given:
        return 1.0, 1.0, 1.0
    shared = len(true & given)
    return (
        2 * shared / (len(true) + len(given)),
        shared / len(true | given),
        float(true == given),
    )
