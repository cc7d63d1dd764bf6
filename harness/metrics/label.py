"""Metrics of a field whose answer is one label out of several.

The class set is the set of labels that occur in the ground truth of the *full* scored set; a
slice or a resample keeps it. What is not one of these classes (no answer, or a label that never
occurs in the truth) falls into one extra column: a miss for the true class, a false positive for
none, so that a stray answer cannot add a class to a macro average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    check_totals,
    mean_where,
    ratio,
    unknown_metric,
)

Codes = NDArray[np.int64]

LABEL_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "share right of all samples, a missing answer is wrong",
        "uar": "unweighted mean of class recalls over the classes of the truth",
        "war": "recall weighted by class size, which is accuracy by another name",
        "macro_f1": "mean of class F1 = 2TP/(2TP+FP+FN) over the classes of the truth",
        "uf1": "mean of class F1 = 2TP/(2TP+FP+FN) over the classes of the truth, pooled counts",
        "weighted_f1": "class F1 weighted by class size",
        "kappa": "Cohen (1960) kappa, a missing answer is a category of its own",
    }
)
CLASS_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "recall": "TP/(TP+FN) of one class",
        "precision": "TP/(TP+FP) of one class",
        "f1": "2TP/(2TP+FP+FN) of one class",
    }
)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of true class by answer.

    ``counts`` is (C, C+1) int64, rows in the order of ``classes``; its last column holds what is
    no class of the truth (no answer, or another label).
    """

    classes: tuple[str, ...]
    counts: Codes


@dataclass(frozen=True, slots=True, eq=False)
class LabelFamily:
    """Truth and prediction codes of n samples over C classes; see :func:`label_family`."""

    classes: tuple[str, ...]
    """The C classes of the full scored set, in table order."""
    truth: Codes
    """(n,) codes 0..C-1."""
    predicted: Codes
    """(n,) codes 0..C-1, or C for what is no class of the truth."""
    answered: Bools
    """(n,) False where there was no answer at all."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return tuple(LABEL_METRICS)

    @property
    def class_metrics(self) -> tuple[str, ...]:
        """Names such as ``recall[anger]``, which ``value`` understands as well."""
        return tuple(f"{name}[{label}]" for label in self.classes for name in CLASS_METRICS)

    def rows(self) -> Floats:
        """(n, C*(C+1)) one-hot confusion cells, true class major."""
        count = len(self.classes)
        rows = np.zeros((self.truth.size, count * (count + 1)))
        rows[np.arange(self.truth.size), self.truth * (count + 1) + self.predicted] = 1.0
        return rows

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., C*(C+1)); shape (...), nan where undefined.

        A class without a sample in the totals is skipped in ``uar``, ``uf1`` and ``macro_f1``;
        its own recall and F1 are nan. War is recall weighted by class size and so equals
        accuracy (DFEW, Jiang et al. 2020, reports it under that name); likewise UF1 (MEGC 2019,
        See et al.) is macro F1 from counts pooled over folds. Both names are kept because
        readers look for the one their field uses.
        """
        count = len(self.classes)
        table = check_totals(totals, count * (count + 1))
        table = table.reshape(*table.shape[:-1], count, count + 1)
        if metric in LABEL_METRICS:
            return _overall(metric, table)
        name, bracket, rest = metric.partition("[")
        if bracket and rest.endswith("]") and rest[:-1] in self.classes and name in CLASS_METRICS:
            return _of_class(name, table, self.classes.index(rest[:-1]))
        raise unknown_metric(metric, (*LABEL_METRICS, "recall[CLASS]", "f1[CLASS]"), "label")

    def present(self, totals: Floats) -> Codes:
        """How many of the C classes have a sample in totals (..., C*(C+1)); shape (...)."""
        count = len(self.classes)
        table = check_totals(totals, count * (count + 1))
        table = table.reshape(*table.shape[:-1], count, count + 1)
        found: Codes = np.sum(table.sum(axis=-1) > 0, axis=-1, dtype=np.int64)
        return found

    def confusion(self, *, select: Bools | None = None) -> Confusion:
        """Counts over all samples, or over those where ``select`` (n,) is True."""
        count = len(self.classes)
        cells = self.truth * (count + 1) + self.predicted
        chosen = cells if select is None else cells[select]
        counts = np.bincount(chosen, minlength=count * (count + 1)).astype(np.int64)
        return Confusion(classes=self.classes, counts=counts.reshape(count, count + 1))


def label_family(
    truth: Sequence[str],
    predicted: Sequence[str | None],
    *,
    classes: Sequence[str] | None = None,
) -> LabelFamily:
    """Codes for n pairs; None is "not an answer".

    ``classes`` gives the table order and may list more labels than occur; those that do not
    occur in ``truth`` are left out. Without it the classes are sorted by name. Raises
    HarnessError for unequal lengths, for a truth outside ``classes`` and for a class listed twice.
    """
    check_pairs(truth, predicted)
    occurring = set(truth)
    if classes is not None:
        if len(set(classes)) != len(classes):
            raise HarnessError("a class is listed twice", hint="list each label once")
        stray = sorted(occurring - set(classes))
        if stray:
            raise HarnessError(
                f"true label {stray[0]!r} is not among the classes given",
                hint="add it to the labels of the field, or map it to one of them",
            )
    order = tuple(c for c in (sorted(occurring) if classes is None else classes) if c in occurring)
    code = {label: position for position, label in enumerate(order)}
    miss = len(order)
    return LabelFamily(
        classes=order,
        truth=np.array([code[label] for label in truth], dtype=np.int64),
        predicted=np.array(
            [miss if label is None else code.get(label, miss) for label in predicted],
            dtype=np.int64,
        ),
        answered=np.array([label is not None for label in predicted], dtype=np.bool_),
    )


def _parts(table: Floats) -> tuple[Floats, Floats, Floats]:
    """True positives, class sizes and prediction counts, each (..., C)."""
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    return hits, table.sum(axis=-1), table.sum(axis=-2)[..., :-1]


def _f1(hits: Floats, sizes: Floats, named: Floats) -> Floats:
    """2TP + FP + FN is class size plus times named; without a true sample F1 says nothing."""
    return np.where(sizes > 0, ratio(2 * hits, sizes + named), np.nan)


def _of_class(name: str, table: Floats, place: int) -> Floats:
    """Recall, precision or F1 of one class, (...)."""
    hits, sizes = table[..., place, place], table[..., place, :].sum(axis=-1)
    if name == "recall":
        return ratio(hits, sizes)
    named = table[..., place].sum(axis=-1)
    if name == "precision":
        return ratio(hits, named)
    return _f1(hits, sizes, named)


def _overall(metric: str, table: Floats) -> Floats:
    hits, sizes, named = _parts(table)
    count = sizes.sum(axis=-1)
    if metric in ("accuracy", "war"):
        return ratio(hits.sum(axis=-1), count)
    if metric == "kappa":
        agreed = ratio(hits.sum(axis=-1), count)
        chance = ratio((sizes * named).sum(axis=-1), count * count)
        return ratio(agreed - chance, 1.0 - chance)
    if metric == "uar":
        return mean_where(ratio(hits, sizes), sizes > 0)
    scores = _f1(hits, sizes, named)
    if metric == "weighted_f1":
        return ratio(np.where(sizes > 0, scores * sizes, 0.0).sum(axis=-1), count)
    return mean_where(scores, sizes > 0)
