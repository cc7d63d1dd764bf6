"""Metrics of ages in years: numbers whose field has the kind `age`.

A missing answer, in the strict values: for the errors it is the error of the median of the true ages that are scored
(what a model that says nothing may be replaced by), since the largest error of a scale of 116 years would be of no use;
for cumulative scores it is not within; for bias, slope and heaping, which describe what was said, it is left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.metrics.family import Floats, mean_where, ratio
from harness.metrics.metric import Metric

if TYPE_CHECKING:
    from harness.metrics.numbers import NumberFamily

NEEDS = "number"
_STEP = 0.5
"""Years between two errors that the median tells apart."""
_BINS = 121
"""Errors of 0 to 60 years in such steps; the last one holds everything above."""
DECADES = 12
"""0-9, 10-19, ..., 110 and above."""
_FIRST, _LAST = 23, 62
"""Whipple's index counts answers of these ages."""
_NOISE = 1e-9


def errors(family: NumberFamily) -> Floats:
    """(n,) |answer - truth| in years; of a missing answer |median of the truths - truth|."""
    instead = float(np.median(family.truth)) if family.truth.size else 0.0
    said = np.where(family.answered, family.predicted, instead)
    return np.abs(said - family.truth)


def decade_of(ages: Floats) -> Any:
    """(n,) the place of the decade of each age, 0 to `DECADES` - 1."""
    return np.clip(ages // 10, 0, DECADES - 1).astype(np.int64)


def _error_terms(family: NumberFamily) -> Floats:
    found = errors(family)
    return np.column_stack([found, np.ones(found.size)])


def _mean(family: NumberFamily, sums: Floats) -> Floats:
    return ratio(sums[..., 0], sums[..., 1])


def _bin_terms(family: NumberFamily) -> Floats:
    """(n, bins) one where the error falls."""
    place = np.minimum(np.rint(errors(family) / _STEP), _BINS - 1).astype(np.int64)
    return np.eye(_BINS, dtype=np.float64)[place]


def _median(family: NumberFamily, sums: Floats) -> Floats:
    """The middle error; the mean of the two middle ones where their number is even; nan without samples."""
    reached = np.cumsum(sums, axis=-1)
    total = reached[..., -1:]
    low = (reached < np.floor((total - 1) / 2) + 1 - _NOISE).sum(axis=-1)
    high = (reached < np.floor(total / 2) + 1 - _NOISE).sum(axis=-1)
    value = (np.minimum(low, _BINS - 1) + np.minimum(high, _BINS - 1)) / 2 * _STEP
    return np.where(total[..., 0] > 0, value, np.nan)


def _close(years: float) -> Any:
    def terms(family: NumberFamily) -> Floats:
        near = family.answered & (np.abs(family.predicted - family.truth) <= years + _NOISE)
        return np.column_stack([near, np.ones(near.size)]).astype(np.float64)

    return terms


def _pair_terms(family: NumberFamily) -> Floats:
    """(n, 5) of the answered: one, t, y, tt, ty."""
    there = family.answered
    t = np.where(there, family.truth - family.centre[0], 0.0)
    y = np.where(there, family.predicted - family.centre[0], 0.0)
    return np.column_stack([there, t, y, t * t, t * y]).astype(np.float64)


def _bias(family: NumberFamily, sums: Floats) -> Floats:
    return ratio(sums[..., 2] - sums[..., 1], sums[..., 0])


def _slope(family: NumberFamily, sums: Floats) -> Floats:
    n, t, y, tt, ty = (sums[..., place] for place in range(5))
    spread = n * tt - t * t
    flat = spread <= _NOISE * np.maximum(n * tt, 1.0)
    return np.where(flat, np.nan, ratio(n * ty - t * y, np.where(flat, 1.0, spread)))


def _heap_terms(family: NumberFamily) -> Floats:
    """(n, 2) whether an answer of 23 to 62 is a multiple of five; whether it is of 23 to 62."""
    said = np.where(family.answered, family.predicted, -1.0)
    inside = (said >= _FIRST) & (said <= _LAST)
    return np.column_stack([inside & (said % 5 == 0), inside]).astype(np.float64)


def _whipple(family: NumberFamily, sums: Floats) -> Floats:
    return 500.0 * ratio(sums[..., 0], sums[..., 1])


def _decade_terms(family: NumberFamily) -> Floats:
    """(n, 24) the error in the column of its decade, and one in that of the count."""
    place, rows = decade_of(family.truth), np.arange(family.truth.size)
    found = np.zeros((family.truth.size, 2 * DECADES))
    found[rows, place] = errors(family)
    found[rows, DECADES + place] = 1.0
    return found


def _decades(family: NumberFamily, sums: Floats) -> Floats:
    error, count = sums[..., :DECADES], sums[..., DECADES:]
    return mean_where(ratio(error, count), count > 0)


_ERROR = (0.0, math.inf)
_INSTEAD = "has the error of the median of the true ages"
_MISS = f"a missing answer {_INSTEAD}"
_LEFT_OUT = "is left out"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="age_mae", title="MAE, years", needs=NEEDS, terms=_error_terms, columns=2, compute=_mean,
        range=_ERROR, better="lower",
        formula="(1/n) Σ_i |y_i - t_i|, y_i the median of t where there is no answer",
        source="standard definition; the treatment of missing answers is this project's",
        estimator=f"mean absolute error in years, {_MISS}",
        missing=_INSTEAD, imputes=True,
    ),
    Metric(
        name="age_median_error", title="Median error", needs=NEEDS, terms=_bin_terms, columns=_BINS,
        compute=_median, range=_ERROR, better="lower", smooth=False,
        formula="median of |y_i - t_i|, to half a year, at most 60",
        source="standard definition",
        estimator=f"median absolute error in years, to half a year, at most 60; {_MISS}",
        missing=_INSTEAD, imputes=True,
    ),
    *(
        Metric(
            name=f"cs{years}", title=f"CS({years})", needs=NEEDS, terms=_close(years), columns=2, compute=_mean,
            formula=f"(1/n) Σ_i [|y_i - t_i| ≤ {years}]",
            source="Geng, Zhou & Smith-Miles 2007, IEEE TPAMI 29(12)",
            estimator=f"share of answers at most {years} years from the truth, a missing answer is not",
        )
        for years in (3, 5, 10)
    ),
    Metric(
        name="age_bias", title="Bias", needs=NEEDS, terms=_pair_terms, columns=5, compute=_bias,
        range=(-math.inf, math.inf), better="none",
        formula="(1/v) Σ_i (y_i - t_i) over the v answered",
        source="standard definition",
        estimator="mean of answer minus truth in years over the answered: above 0 too old",
        missing=_LEFT_OUT,
    ),
    Metric(
        name="age_slope", title="Slope", needs=NEEDS, terms=_pair_terms, columns=5, compute=_slope,
        range=(-math.inf, math.inf), better="none",
        formula="s_ty / s_t² over the answered",
        source="standard definition",
        estimator="least-squares slope of answer on truth over the answered: below 1 the old are said too young and "
        "the young too old",
        missing=_LEFT_OUT,
    ),
    Metric(
        name="whipple", title="Whipple", needs=NEEDS, terms=_heap_terms, columns=2, compute=_whipple,
        range=(0.0, 500.0), better="none",
        formula="500 · (answers of 25, 30, ..., 60) / (answers of 23 to 62)",
        source="United Nations 1955, Manual II: Methods of appraisal of quality of basic data",
        estimator="heaping of answers on multiples of five: 100 none (of whole years), 500 all of them",
        missing=_LEFT_OUT,
    ),
    Metric(
        name="decade_mae", title="MAE of decades", needs=NEEDS, terms=_decade_terms,
        columns=2 * DECADES, compute=_decades, range=_ERROR, better="lower",
        formula="mean over decades of true age of their MAE",
        source="this project; the mean of classes of UAR, for ages",
        estimator=f"mean over the decades of true age that are there of their mean absolute error, {_MISS}",
        missing=_INSTEAD, imputes=True,
    ),
)  # fmt: skip
