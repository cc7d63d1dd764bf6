"""Metrics of a field whose answer is one label.

The class set is the set of labels that occur in the ground truth of the *full* scored set; a
slice or a resample keeps it. What is not one of these classes (no answer, or a label that never
occurs in the truth) falls into one extra column: a miss for the true class, a false positive for
none, so that a stray answer cannot add a class to a macro average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    check_totals,
    class_names,
    mean_where,
    measure,
    plain_names,
    ratio,
)
from harness.metrics.metric import Metric

Codes = NDArray[np.int64]

NEEDS = "label"
"""The family's name."""


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
        return plain_names(NEEDS)

    @property
    def class_metrics(self) -> tuple[str, ...]:
        """Names such as ``recall[anger]``, which ``value`` understands as well."""
        return class_names(NEEDS, self.classes)

    @property
    def right_by(self) -> str:
        """The metric that says of single samples whether they are right."""
        return "accuracy"

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
        width = len(self.classes) * (len(self.classes) + 1)
        return measure(self, NEEDS, metric, totals, width=width, classes=self.classes)

    def table(self, totals: Floats) -> Floats:
        """Totals (..., C*(C+1)) as counts (..., C, C+1), true class by answer; the last column is no class."""
        count = len(self.classes)
        table = check_totals(totals, count * (count + 1))
        return table.reshape(*table.shape[:-1], count, count + 1)

    def class_sizes(self, rows: Floats) -> Floats:
        """Samples of each true class in rows or totals (..., C*(C+1)); shape (..., C)."""
        sizes: Floats = self.table(rows).sum(axis=-1)
        return sizes

    def present(self, totals: Floats) -> Codes:
        """How many of the C classes have a sample in totals (..., C*(C+1)); shape (...)."""
        found: Codes = np.sum(self.table(totals).sum(axis=-1) > 0, axis=-1, dtype=np.int64)
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


def _parts(family: LabelFamily, totals: Floats) -> tuple[Floats, Floats, Floats]:
    """True positives, class sizes and prediction counts, each (..., C)."""
    table = family.table(totals)
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    return hits, table.sum(axis=-1), table.sum(axis=-2)[..., :-1]


def _recall(family: LabelFamily, totals: Floats, place: int) -> Floats:
    table = family.table(totals)
    return ratio(table[..., place, place], table[..., place, :].sum(axis=-1))


def _precision(family: LabelFamily, totals: Floats, place: int) -> Floats:
    table = family.table(totals)
    return ratio(table[..., place, place], table[..., place].sum(axis=-1))


def _f1_of(family: LabelFamily, totals: Floats, place: int) -> Floats:
    table = family.table(totals)
    sizes, named = table[..., place, :].sum(axis=-1), table[..., place].sum(axis=-1)
    return _f1(table[..., place, place], sizes, named)


def _f1(hits: Floats, sizes: Floats, named: Floats) -> Floats:
    """2TP + FP + FN is class size plus times named; without a true sample F1 says nothing."""
    return np.where(sizes > 0, ratio(2 * hits, sizes + named), np.nan)


def _accuracy(family: LabelFamily, totals: Floats) -> Floats:
    hits, sizes, _ = _parts(family, totals)
    return ratio(hits.sum(axis=-1), sizes.sum(axis=-1))


def _uar(family: LabelFamily, totals: Floats) -> Floats:
    hits, sizes, _ = _parts(family, totals)
    return mean_where(ratio(hits, sizes), sizes > 0)


def _macro_f1(family: LabelFamily, totals: Floats) -> Floats:
    hits, sizes, named = _parts(family, totals)
    return mean_where(_f1(hits, sizes, named), sizes > 0)


def _weighted_f1(family: LabelFamily, totals: Floats) -> Floats:
    hits, sizes, named = _parts(family, totals)
    weighed = np.where(sizes > 0, _f1(hits, sizes, named) * sizes, 0.0)
    return ratio(weighed.sum(axis=-1), sizes.sum(axis=-1))


def _kappa(family: LabelFamily, totals: Floats) -> Floats:
    hits, sizes, named = _parts(family, totals)
    count = sizes.sum(axis=-1)
    agreed = ratio(hits.sum(axis=-1), count)
    chance = ratio((sizes * named).sum(axis=-1), count * count)
    return ratio(agreed - chance, 1.0 - chance)


def _mcc(family: LabelFamily, totals: Floats) -> Floats:
    """(c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2)(s^2 - sum t_k^2)); Gorodkin 2004, eq. 8 in counts."""
    hits, sizes, named = _parts(family, totals)
    count = sizes.sum(axis=-1)
    none = count - named.sum(axis=-1)
    together = hits.sum(axis=-1) * count - (sizes * named).sum(axis=-1)
    of_truth = count * count - (sizes * sizes).sum(axis=-1)
    of_answers = count * count - (named * named).sum(axis=-1) - none * none
    value = ratio(together, np.sqrt(np.maximum(of_truth * of_answers, 0.0)))
    return np.where((of_truth > 0) & (of_answers <= 0), 0.0, value)


_F1 = "2TP/(2TP+FP+FN)"
_SOKOLOVA = "Sokolova & Lapalme 2009, Information Processing & Management 45(4)"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="accuracy", title="Accuracy", needs=NEEDS, compute=_accuracy, proportion=True,
        formula="Σ_k TP_k / n",
        source=_SOKOLOVA,
        estimator="share right of all samples, a missing answer is wrong",
    ),
    Metric(
        name="uar", title="UAR", needs=NEEDS, compute=_uar,
        formula="(1/C) Σ_k TP_k / (TP_k + FN_k)",
        source="Schuller, Steidl & Batliner 2009, The INTERSPEECH 2009 Emotion Challenge",
        estimator="unweighted mean of class recalls over the classes of the truth",
    ),
    Metric(
        name="war", title="WAR", needs=NEEDS, compute=_accuracy, same_as="accuracy", proportion=True,
        formula="Σ_k (n_k / n) TP_k / n_k = Σ_k TP_k / n",
        source="Schuller, Steidl & Batliner 2009, The INTERSPEECH 2009 Emotion Challenge",
        estimator="recall weighted by class size, which is accuracy by another name",
    ),
    Metric(
        name="macro_f1", title="macro-F1", needs=NEEDS, compute=_macro_f1,
        formula="(1/C) Σ_k 2TP_k / (2TP_k + FP_k + FN_k)",
        source="Opitz & Burst 2019, Macro F1 and Macro F1 (the averaged F1), arXiv:1911.03347",
        estimator=f"mean of class F1 = {_F1} over the classes of the truth",
    ),
    Metric(
        name="uf1", title="UF1", needs=NEEDS, compute=_macro_f1, same_as="macro_f1",
        formula="(1/C) Σ_k 2TP_k / (2TP_k + FP_k + FN_k)",
        source="See, Yap, Li, Hong & Wang 2019, MEGC 2019, IEEE FG",
        estimator=f"mean of class F1 = {_F1} over the classes of the truth, pooled counts",
    ),
    Metric(
        name="weighted_f1", title="weighted F1", needs=NEEDS, compute=_weighted_f1,
        formula="Σ_k (n_k / n) 2TP_k / (2TP_k + FP_k + FN_k)",
        source='scikit-learn, f1_score with average="weighted"',
        estimator="class F1 weighted by class size",
    ),
    Metric(
        name="kappa", title="Cohen's κ", needs=NEEDS, compute=_kappa, range=(-1.0, 1.0),
        formula="(p_o - p_e) / (1 - p_e), p_o = Σ_k TP_k / n, p_e = Σ_k n_k m_k / n²",
        source="Cohen 1960, Educational and Psychological Measurement 20(1)",
        estimator="Cohen (1960) kappa, a missing answer is a category of its own",
        missing="is a category of its own",
    ),
    Metric(
        name="mcc", title="MCC", needs=NEEDS, compute=_mcc, range=(-1.0, 1.0),
        formula="(c n - Σ_k n_k m_k) / √((n² - Σ_k m_k²)(n² - Σ_k n_k²)), c = Σ_k TP_k",
        source="Gorodkin 2004, Computational Biology and Chemistry 28, eq. 8",
        estimator="Matthews correlation of K classes (Gorodkin 2004), a missing answer is a category of its own, "
        "0 where all answers are one",
        missing="is a category of its own",
    ),
    Metric(
        name="recall", title="recall", needs=NEEDS, compute=_recall, of_class=True, proportion=True,
        formula="TP_k / (TP_k + FN_k)",
        source=_SOKOLOVA,
        estimator="TP/(TP+FN) of one class",
    ),
    Metric(
        name="precision", title="precision", needs=NEEDS, compute=_precision, of_class=True,
        formula="TP_k / (TP_k + FP_k)",
        source=_SOKOLOVA,
        estimator="TP/(TP+FP) of one class",
    ),
    Metric(
        name="f1", title="F1", needs=NEEDS, compute=_f1_of, of_class=True,
        formula="2TP_k / (2TP_k + FP_k + FN_k)",
        source=_SOKOLOVA,
        estimator=f"{_F1} of one class",
    ),
)  # fmt: skip
