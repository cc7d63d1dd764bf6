"""Metrics of a field whose answer is a set of names, such as the action units seen in a face.

Sample average, micro and macro are three different numbers, so each has its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    class_names,
    mean_where,
    measure,
    plain_names,
    ratio,
    with_terms,
)
from harness.metrics.metric import Metric
from harness.metrics.wheels import METRICS as WHEELS

NEEDS = "set"
"""The family's name."""
_HEAD = 5
"""Columns before the per-name ones: n, F1, Jaccard, exact, false positives of other names."""


@dataclass(frozen=True, slots=True, eq=False)
class SetFamily:
    """True and predicted sets of n samples over m names; see :func:`set_family`."""

    names: tuple[str, ...]
    """The m names that occur in the truth of the full scored set, sorted."""
    truth: tuple[frozenset[str], ...]
    predicted: tuple[frozenset[str] | None, ...]
    own: tuple[Metric, ...] = ()
    """Metrics with terms of their own, which stand behind the rows."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return plain_names(NEEDS, self.own)

    @property
    def class_metrics(self) -> tuple[str, ...]:
        """Names such as ``f1[AU12]``, which ``value`` understands as well."""
        return class_names(NEEDS, self.names)

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
        return with_terms(rows, self, self.own)

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 5+3m), 0..1; shape (...), nan where undefined.

        ``micro_f1`` counts predicted names outside the truth's as false positives; ``macro_f1``
        skips names without a true case in the totals. Both are nan when nothing was true (and,
        for micro, nothing predicted). A missing answer scores 0 in the sample averages and is a
        false negative for each true name. ``f1[NAME]`` and its like are nan for a name without a
        true case in the totals, ``precision[NAME]`` also for one that was never answered.
        """
        width = _HEAD + 3 * len(self.names)
        return measure(self, NEEDS, metric, totals, width=width, classes=self.names)


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


def _parts(totals: Floats) -> tuple[Floats, Floats, Floats]:
    """True positives, false positives and false negatives of each name, each (..., m)."""
    return totals[..., _HEAD::3], totals[..., _HEAD + 1 :: 3], totals[..., _HEAD + 2 :: 3]


def _sample_mean(column: int) -> Callable[[SetFamily, Floats], Floats]:
    return lambda family, totals: ratio(totals[..., column], totals[..., 0])


def _micro_f1(family: SetFamily, totals: Floats) -> Floats:
    hits, extra, missed = _parts(totals)
    twice = 2 * hits.sum(axis=-1)
    wrong = extra.sum(axis=-1) + missed.sum(axis=-1) + totals[..., 4]
    return ratio(twice, twice + wrong)


def _macro_f1(family: SetFamily, totals: Floats) -> Floats:
    hits, extra, missed = _parts(totals)
    return mean_where(ratio(2 * hits, 2 * hits + extra + missed), hits + missed > 0)


def _of_one(totals: Floats, place: int) -> tuple[Floats, Floats, Floats]:
    """The same of one name, each (...)."""
    at = _HEAD + 3 * place
    return totals[..., at], totals[..., at + 1], totals[..., at + 2]


def _f1(family: SetFamily, totals: Floats, place: int) -> Floats:
    hits, extra, missed = _of_one(totals, place)
    return np.where(hits + missed > 0, ratio(2 * hits, 2 * hits + extra + missed), np.nan)


def _precision(family: SetFamily, totals: Floats, place: int) -> Floats:
    hits, extra, _ = _of_one(totals, place)
    return ratio(hits, hits + extra)


def _recall(family: SetFamily, totals: Floats, place: int) -> Floats:
    hits, _, missed = _of_one(totals, place)
    return ratio(hits, hits + missed)


_SOKOLOVA = "Sokolova & Lapalme 2009, Information Processing & Management 45(4)"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="set_f1", title="set F1", needs=NEEDS, compute=_sample_mean(1),
        formula="(1/n) Σ_i 2|T_i ∩ A_i| / (|T_i| + |A_i|)",
        source="Godbole & Sarawagi 2004, PAKDD",
        estimator="mean over samples of the F1 of the two sets, both empty counts 1",
    ),
    Metric(
        name="set_jaccard", title="set Jaccard", needs=NEEDS, compute=_sample_mean(2),
        formula="(1/n) Σ_i |T_i ∩ A_i| / |T_i ∪ A_i|",
        source="Godbole & Sarawagi 2004, PAKDD",
        estimator="mean over samples of intersection over union, both empty counts 1",
    ),
    Metric(
        name="micro_f1", title="micro-F1", needs=NEEDS, compute=_micro_f1,
        formula="2 Σ_k TP_k / (2 Σ_k TP_k + Σ_k FP_k + Σ_k FN_k)",
        source=_SOKOLOVA,
        estimator="2TP/(2TP+FP+FN) over all samples and names together",
    ),
    Metric(
        name="macro_f1", title="macro-F1", needs=NEEDS, compute=_macro_f1,
        formula="(1/m) Σ_k 2TP_k / (2TP_k + FP_k + FN_k)",
        source="Opitz & Burst 2019, Macro F1 and Macro F1 (the averaged F1), arXiv:1911.03347",
        estimator="mean of 2TP/(2TP+FP+FN) over the names that occur in the truth",
    ),
    Metric(
        name="exact_match", title="exact match", needs=NEEDS, compute=_sample_mean(3),
        formula="(1/n) Σ_i [T_i = A_i]",
        source="Ghamrawi & McCallum 2005, CIKM (subset accuracy)",
        estimator="share of samples whose two sets are equal",
    ),
    Metric(
        name="f1", title="F1", needs=NEEDS, compute=_f1, of_class=True,
        formula="2TP_k / (2TP_k + FP_k + FN_k)",
        source=_SOKOLOVA,
        estimator="2TP/(2TP+FP+FN) of one name over all samples, present or not in each",
    ),
    Metric(
        name="precision", title="precision", needs=NEEDS, compute=_precision, of_class=True,
        formula="TP_k / (TP_k + FP_k)",
        source=_SOKOLOVA,
        estimator="TP/(TP+FP) of one name",
    ),
    Metric(
        name="recall", title="recall", needs=NEEDS, compute=_recall, of_class=True,
        formula="TP_k / (TP_k + FN_k)",
        source=_SOKOLOVA,
        estimator="TP/(TP+FN) of one name",
    ),
    *WHEELS,
)  # fmt: skip
"""`f1`, `precision` and `recall` take each name as a yes-or-no of its own, as action units are reported (DISFA, BP4D)."""
