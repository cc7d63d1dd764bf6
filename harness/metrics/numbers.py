"""Metrics of a field whose answer is a number on a scale, such as valence, arousal or age.

Strict values and missing answers
    A label that is missing scores as a wrong one, which makes strict accuracy equal to coverage
    times the accuracy of the answered. A number has no such natural miss, and any value put in
    its place would be a guess on the model's behalf (the scale's midpoint rewards silence, the
    far end turns silence into disagreement). So each metric gets the reading that is to it what
    a miss is to accuracy:

    - ``mae``, ``rmse``: a missing answer is the largest error the scale allows for that truth,
      max(truth - low, high - truth). Silence never beats an answer.
    - ``sagr``, ``accuracy``, ``within``: a missing answer does not agree.
    - ``ccc``, ``pcc``: a missing answer adds no agreement: coverage times the value over the
      answered samples where that is positive, the value itself where it is negative, and 0 (the
      score of a constant answer) where fewer than two samples were answered.

    The answered-only value and the coverage are to be shown beside the strict one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.errors import HarnessError
from harness.metrics.ages import METRICS as AGES
from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    measure,
    plain_names,
    ratio,
    with_terms,
)
from harness.metrics.metric import Metric
from harness.metrics.pairs import METRICS as PAIRS

NEEDS = "number"
"""The family's name."""
_WIDTH = 11
_NOISE = 1e-13
"""A variance below this share of the mean square is rounding, not spread."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberFamily:
    """Truths and predictions of n samples on [low, high]; see :func:`number_family`."""

    truth: Floats
    """(n,) finite, within [low, high]."""
    predicted: Floats
    """(n,) within [low, high], nan where there was no answer."""
    low: float
    high: float
    neutral: float
    """The point at which a value changes sign for SAGR."""
    tolerance: float
    """The greatest |truth - answer| that counts as right for ``within``, in units of the scale."""
    centre: tuple[float, float]
    """Subtracted from truths and predictions before their moments are taken, for precision."""
    own: tuple[Metric, ...] = ()
    """Metrics with terms of their own, which stand behind the rows."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return plain_names(NEEDS, self.own)

    @property
    def answered(self) -> Bools:
        """(n,) False where there was no answer."""
        return ~np.isnan(self.predicted)

    def rows(self) -> Floats:
        """(n, 11): n, answered, x, y, xx, yy, xy over the answered; |error|, error^2, same sign, equal; then
        the terms of `own` metrics."""
        there = self.answered
        x = np.where(there, self.truth - self.centre[0], 0.0)
        y = np.where(there, self.predicted - self.centre[1], 0.0)
        worst = np.maximum(self.truth - self.low, self.high - self.truth)
        error = np.where(there, np.abs(self.truth - self.predicted), worst)
        same = np.sign(self.truth - self.neutral) == np.sign(self.predicted - self.neutral)
        equal = self.truth == self.predicted
        moments = [np.ones(x.size), there, x, y, x * x, y * y, x * y]
        rows = np.column_stack([*moments, error, error**2, same, equal])
        return with_terms(rows.astype(np.float64), self, self.own)

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals of such rows; shape (...), nan where undefined.

        ``ccc`` = 2 cov / (var x + var y + (mean x - mean y)^2) with population moments (Lin
        1989, eq. 1; the n-1 form differs on small sets whose means differ). Both are -1..1. A
        constant prediction has CCC 0 and no PCC (nan); two equal constants have no CCC either.
        Both need two samples. ``rmse`` and ``mae`` are in units of the scale, 0 and up. ``sagr``
        (Nicolaou et al. 2011) is 0..1, and nan unless low < neutral < high, since then no sign
        can differ. ``accuracy`` is 0..1 and meant for counts; ``within`` is 0..1, the share of answers at most
        ``tolerance`` away from the truth (for ages the cumulative score CS of Geng et al. 2007).
        """
        return measure(self, NEEDS, metric, totals, width=_WIDTH)


def number_family(
    truth: Sequence[float],
    predicted: Sequence[float | None],
    *,
    low: float,
    high: float,
    neutral: float = 0.0,
    tolerance: float = 0.0,
) -> NumberFamily:
    """Numbers of n samples on the scale [low, high]; None is "not an answer".

    A prediction that is not finite or lies off the scale counts as no answer: it is to a number
    what an off-list word is to a label. Raises HarnessError for unequal lengths, a scale that is
    not low < high, and a truth that is not a number on the scale.
    """
    check_pairs(truth, predicted)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise HarnessError(f"the scale {low}..{high} is empty", hint="give finite low < high")
    true = np.array(truth, dtype=np.float64)
    bad = np.flatnonzero(~((true >= low) & (true <= high)))
    if bad.size:
        raise HarnessError(
            f"true value {true[bad[0]]} of sample {bad[0]} is not on the scale {low}..{high}",
            hint="correct the label or widen low and high of the field",
        )
    given = np.array([math.nan if p is None else p for p in predicted], dtype=np.float64)
    given = np.where((given >= low) & (given <= high), given, math.nan)
    there = ~np.isnan(given)
    centre = (float(true[there].mean()), float(given[there].mean())) if there.any() else (0.0, 0.0)
    return NumberFamily(
        truth=true,
        predicted=given,
        low=low,
        high=high,
        neutral=neutral,
        tolerance=tolerance,
        centre=centre,
    )


def _spread(square: Floats, mean: Floats) -> Floats:
    """Population variance from the mean square and the mean, exactly 0 where it is rounding."""
    variance = square - mean * mean
    return np.where(variance <= _NOISE * square, 0.0, variance)


def _mae(family: NumberFamily, totals: Floats) -> Floats:
    return ratio(totals[..., 7], totals[..., 0])


def _rmse(family: NumberFamily, totals: Floats) -> Floats:
    return np.sqrt(ratio(totals[..., 8], totals[..., 0]))


def _sagr(family: NumberFamily, totals: Floats) -> Floats:
    share = ratio(totals[..., 9], totals[..., 0])
    return share if family.low < family.neutral < family.high else np.full(share.shape, np.nan)


def _accuracy(family: NumberFamily, totals: Floats) -> Floats:
    return ratio(totals[..., 10], totals[..., 0])


def _near(family: NumberFamily) -> Floats:
    """(n, 2) whether the answer is at most the tolerance off, which a missing one is not; and one."""
    slack = family.tolerance * _NOISE + _NOISE * (family.high - family.low)
    near = np.abs(family.truth - family.predicted) <= family.tolerance + slack
    return np.column_stack([near, np.ones(near.size)]).astype(np.float64)


def _within(family: NumberFamily, sums: Floats) -> Floats:
    return ratio(sums[..., 0], sums[..., 1])


def _ccc(family: NumberFamily, totals: Floats) -> Floats:
    mean_x, mean_y, var_x, var_y, cov = _moments(totals)
    gap = (mean_x + family.centre[0]) - (mean_y + family.centre[1])
    gap = np.where(np.abs(gap) <= _NOISE * (family.high - family.low), 0.0, gap)
    return _of_all(ratio(2 * cov, var_x + var_y + gap * gap), totals)


def _pcc(family: NumberFamily, totals: Floats) -> Floats:
    _, _, var_x, var_y, cov = _moments(totals)
    return _of_all(ratio(cov, np.sqrt(var_x * var_y)), totals)


def _moments(totals: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Means of x and y about the centre, variances, covariance, over the answered."""
    mean_x, mean_y, xx, yy, xy = (ratio(totals[..., i], totals[..., 1]) for i in range(2, 7))
    var_x, var_y = _spread(xx, mean_x), _spread(yy, mean_y)
    cov = np.where((var_x == 0) | (var_y == 0), 0.0, xy - mean_x * mean_y)
    return mean_x, mean_y, var_x, var_y, cov


def _of_all(value: Floats, totals: Floats) -> Floats:
    """A correlation over the answered as one over all: times coverage where it is positive."""
    count, given = totals[..., 0], totals[..., 1]
    value = np.clip(value, -1.0, 1.0)
    strict = np.where(value > 0, value * ratio(given, count), value)
    strict = np.where(given < 2, np.where(given < count, 0.0, np.nan), strict)
    return np.where(count < 2, np.nan, strict)


_ERROR = (0.0, math.inf)
METRICS: tuple[Metric, ...] = (
    Metric(
        name="ccc", title="CCC", needs=NEEDS, compute=_ccc, range=(-1.0, 1.0),
        formula="v · 2 s_ty / (s_t² + s_y² + (t̄ - ȳ)²), v the coverage",
        source="Lin 1989, Biometrics 45",
        estimator="concordance correlation, population form (Lin 1989), times coverage",
        missing="is left out, and a value above 0 is multiplied by the share answered",
    ),
    Metric(
        name="pcc", title="PCC", needs=NEEDS, compute=_pcc, range=(-1.0, 1.0),
        formula="v · s_ty / (s_t s_y), v the coverage",
        source="Pearson 1895, Proceedings of the Royal Society 58",
        estimator="Pearson correlation, times coverage",
        missing="is left out, and a value above 0 is multiplied by the share answered",
    ),
    Metric(
        name="rmse", title="RMSE", needs=NEEDS, compute=_rmse, range=_ERROR, better="lower",
        formula="√((1/n) Σ_i (y_i - t_i)²)",
        source="standard definition",
        estimator="root mean squared error, a missing answer is the largest error of the scale",
        missing="has the largest error of the scale", imputes=True,
    ),
    Metric(
        name="mae", title="MAE", needs=NEEDS, compute=_mae, range=_ERROR, better="lower",
        formula="(1/n) Σ_i |y_i - t_i|",
        source="standard definition",
        estimator="mean absolute error, a missing answer is the largest error of the scale",
        missing="has the largest error of the scale", imputes=True,
    ),
    Metric(
        name="sagr", title="SAGR", needs=NEEDS, compute=_sagr,
        formula="(1/n) Σ_i [sign(y_i) = sign(t_i)]",
        source="Nicolaou, Gunes & Pantic 2011, IEEE Transactions on Affective Computing 2(2)",
        estimator="share of equal signs, zero equals only zero, a missing answer does not agree",
    ),
    Metric(
        name="accuracy", title="Accuracy", needs=NEEDS, compute=_accuracy,
        formula="(1/n) Σ_i [y_i = t_i]",
        source="standard definition",
        estimator="share of answers equal to the truth, a missing answer is wrong",
    ),
    Metric(
        name="within", title="Within tolerance", needs=NEEDS, terms=_near, columns=2, compute=_within,
        formula="(1/n) Σ_i [|y_i - t_i| ≤ tolerance]",
        source="standard definition",
        estimator="share of answers at most the field's tolerance from the truth, a missing answer is wrong",
    ),
    *AGES,
    *PAIRS,
)  # fmt: skip
