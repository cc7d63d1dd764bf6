"""Bounds of an interval from resampled values: percentile, expanded percentile, BCa, t, and for unequal clusters."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.stats.jackknife import LeftOut
from harness.stats.student import t_quantile

Floats = NDArray[np.float64]
Method = Literal["percentile", "expanded", "bca", "t", "unequal"]
"""Ways to bounds; :func:`harness.stats.bootstrap_many` says when to use which."""

NAMES: dict[Method, str] = {
    "percentile": "percentile bootstrap over clusters",
    "expanded": "expanded percentile bootstrap over clusters",
    "bca": "BCa bootstrap over clusters",
    "t": "t interval, jackknife over clusters",
    "unequal": "expanded percentile bootstrap and jackknife t over unequal clusters, the wider bounds",
}


def percentile_bounds(values: Floats, *, level: float) -> tuple[float, float]:
    """Quantiles of the resampled values (Efron and Tibshirani 1993, ch. 13)."""
    return _quantiles(values, (1 - level) / 2, (1 + level) / 2)


def expanded_bounds(values: Floats, *, clusters: int, level: float) -> tuple[float, float]:
    """Quantiles moved outwards to what t instead of normal tails would ask.

    Hesterberg 2015 (What teachers should know about the bootstrap, The American Statistician
    69(4), sec. 4.4): the tail is Phi(-sqrt(n / (n - 1)) t), since resamples of n clusters spread
    by (n - 1) / n too little and their quantiles are those of a normal.
    """
    t = t_quantile((1 + level) / 2, clusters - 1)
    tail = NormalDist().cdf(-math.sqrt(clusters / (clusters - 1)) * t)
    return _quantiles(values, tail, 1 - tail)


def bca_bounds(values: Floats, left: LeftOut, *, level: float) -> tuple[float, float] | None:
    """Bias-corrected and accelerated quantiles (Efron 1987; Efron and Tibshirani 1993, eq. 14.9).

    Values equal to the estimate count half, as metrics of few samples have many ties. None where
    the correction is undefined: the metric is undefined without some cluster, or the estimate
    lies outside all resampled values.
    """
    if not left.known:
        return None
    noise = 1e-12 * max(1.0, abs(left.whole))
    below = float(np.mean(values < left.whole - noise))
    share = below + float(np.mean(np.abs(values - left.whole) <= noise)) / 2
    if not 0 < share < 1:
        return None
    normal = NormalDist()
    bias, pull = normal.inv_cdf(share), left.acceleration
    tails = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + normal.inv_cdf(tail)
        if pull * shifted >= 1:
            return None
        tails.append(normal.cdf(bias + shifted / (1 - pull * shifted)))
    return _quantiles(values, tails[0], tails[1])


def t_bounds(left: LeftOut, *, level: float) -> tuple[float, float] | None:
    """Estimate plus and minus t times the jackknife standard error, with Satterthwaite's degrees of freedom.

    For the mean of clusters of one size this is all but the ordinary t interval. The bounds do not
    know the metric's range. None where the metric is undefined without some cluster.
    """
    if not left.known:
        return None
    half = t_quantile((1 + level) / 2, left.degrees) * left.standard_error
    return left.whole - half, left.whole + half


def unequal_bounds(
    values: Floats, left: LeftOut, *, alike: float, level: float
) -> tuple[float, float]:
    """For clusters of unequal sizes: of expanded percentile and t, whichever reaches further on each side.

    Both with Satterthwaite's degrees of freedom (Bell and McCaffrey 2002 for clusters), or with
    Kish's effective number of clusters where the metric is undefined without some cluster. A few
    large clusters carry such a score, so that its spread is known less well than their number
    says. No bound lies beyond all resampled values, which keeps it in the metric's range.
    """
    if not left.known:
        few = max(2, math.floor(alike * int(left.sizes.sum())))
        return expanded_bounds(values, clusters=few, level=level)
    low, high = expanded_bounds(values, clusters=left.degrees + 1, level=level)
    t_low, t_high = t_bounds(left, level=level) or (low, high)
    return (
        max(min(low, t_low), float(values.min())),
        min(max(high, t_high), float(values.max())),
    )


def _quantiles(values: Floats, low: float, high: float) -> tuple[float, float]:
    found = np.quantile(values, [low, high])
    return float(found[0]), float(found[1])
