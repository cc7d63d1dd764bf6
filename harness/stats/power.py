"""Power of a paired comparison: before a run from its size, after it from its interval.

Accuracy of A and B over n samples differs by delta, and a share psi of samples is discordant
(right under one alone). By Connor 1987 (Biometrics 43, 207-211; after Miettinen 1968) a
two-sided test at alpha finds delta with chance 1 - beta from

    n = (z[1 - alpha/2] sqrt(psi) + z[1 - beta] sqrt(psi - delta^2))^2 / delta^2

samples. Two refinements turn n into independent samples that tell as much:

- Clusters of m samples whose signed differences correlate by rho: n / (1 + (m - 1) rho)
  (Kish 1965, the design effect).
- UAR instead of accuracy: the mean over C classes of means of n_c samples has variance
  psi / C^2 sum(1 / n_c), that of C^2 / sum(1 / n_c) samples, with one psi for all classes.

The exact McNemar test is a little more careful than the formula: add some 1 / delta samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.paired import PairedDifference

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Power:
    """A size of comparison and the smallest difference it finds with the chance ``power``."""

    n: float
    """Samples."""
    difference: float
    """Of accuracy or UAR, 0..1; nan where no difference can be found, see ``reason``."""
    discordance: float
    """Share of samples right under one of the two alone, 0..1."""
    effective: float
    """Independent samples of a difference of accuracy that would tell as much."""
    level: float
    """1 - alpha of the two-sided test."""
    power: float
    """Chance to find the difference, 0..1."""
    reason: str = ""
    """Why there is no difference; else empty."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a finished comparison could have shown, and what would settle it."""

    detectable: float
    """Smallest difference that as many samples find with the chance ``power``; nan if unknown."""
    samples: float
    """Samples of the same kind at which the observed difference would be found; inf at zero."""
    factor: float
    """``samples`` over the samples there are."""
    power: float
    reason: str = ""
    """Why nothing is known; else empty."""


def minimum_difference(
    n: int,
    *,
    discordance: float,
    clusters: int | None = None,
    correlation: float = 0.0,
    class_sizes: Sequence[int] | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Power:
    """Smallest difference of paired accuracy that n samples find with the chance ``power``.

    ``clusters`` (None: n) and ``correlation`` (of signed differences within a cluster, see
    :func:`intraclass_correlation`) give the design effect; with ``class_sizes``, which sum to n,
    the difference is one of UAR. nan with a reason where even A right and B wrong in every
    discordant sample would not be found. Raises HarnessError for sizes or shares out of range.
    """
    _check(discordance, level, power, correlation)
    count = n if clusters is None else clusters
    if n < 1 or not 1 <= count <= n:
        raise HarnessError(f"{n} samples in {count} clusters", hint="use 1 <= clusters <= n")
    effective = n / _design(n / count, correlation)
    if class_sizes is not None:
        if min(class_sizes) < 1 or sum(class_sizes) != n:
            raise HarnessError(
                f"class sizes {list(class_sizes)} do not sum to {n}",
                hint="give the size of each class, 1 and up",
            )
        effective *= _per_class([size / n for size in class_sizes])
    found, reason = _solve(effective, discordance, level, power)
    return Power(n, found, discordance, effective, level, power, reason)


def sample_size(
    difference: float,
    *,
    discordance: float,
    cluster_size: float = 1.0,
    correlation: float = 0.0,
    class_shares: Sequence[float] | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Power:
    """Samples from which a difference of paired accuracy is found with the chance ``power``.

    The inverse of :func:`minimum_difference`; ``cluster_size`` is samples a cluster, and with
    ``class_shares``, which sum to 1, the difference is one of UAR. n is rounded up. Raises
    HarnessError for a difference of 0 or beyond the discordance.
    """
    _check(discordance, level, power, correlation)
    if not 0 < abs(difference) <= discordance:
        raise HarnessError(
            f"a difference of {difference} cannot come from a discordance of {discordance}",
            hint="use 0 < |difference| <= discordance",
        )
    if cluster_size < 1:
        raise HarnessError(f"clusters of {cluster_size} samples", hint="use 1 or more")
    per_sample = 1 / _design(cluster_size, correlation)
    if class_shares is not None:
        if min(class_shares) <= 0 or not math.isclose(sum(class_shares), 1, abs_tol=1e-6):
            raise HarnessError(
                f"class shares {list(class_shares)} do not sum to 1", hint="give each class's share"
            )
        per_sample *= _per_class(class_shares)
    needed = _needed(abs(difference), discordance, level, power)
    n = math.ceil(needed / per_sample - 1e-9)
    return Power(n, abs(difference), discordance, n * per_sample, level, power)


def prospect(found: PairedDifference, *, power: float = 0.8) -> Prospect:
    """What a finished comparison of any metric could show, from the width of its interval.

    Standard error s = width / (2 z[1 - alpha/2]); detectable (z[1 - alpha/2] + z[power]) s, and
    s shrinks with the root of the samples. The samples needed rest on the observed difference
    and are as uncertain as it is.
    """
    if not 0 < power < 1:
        raise HarnessError(f"power {power} is not between 0 and 1", hint="use a value such as 0.8")
    width = found.interval.high - found.interval.low
    if not found.interval.known or width <= 0:
        return Prospect(math.nan, math.nan, math.nan, power, "the interval has no width")
    normal = NormalDist()
    z = normal.inv_cdf((1 + found.interval.level) / 2)
    detectable = (z + normal.inv_cdf(power)) * width / (2 * z)
    if found.difference == 0:
        return Prospect(detectable, math.inf, math.inf, power)
    factor = (detectable / found.difference) ** 2
    return Prospect(detectable, factor * found.n, factor, power)


def intraclass_correlation(values: Sequence[float] | Floats, clusters: Sequence[Any]) -> float:
    """ANOVA estimate of the correlation of samples within a cluster (Donner 1986, eq. 2.2).

    ``values`` (n,), for a comparison right(A) - right(B); ``clusters`` (n,). Negative estimates
    are given as 0; nan with fewer than two clusters, without a cluster of two, or without spread.
    """
    x = np.asarray(values, dtype=np.float64)
    _, code, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    count, n = sizes.size, x.size
    if count < 2 or n == count:
        return math.nan
    means = np.bincount(code, weights=x) / sizes
    between = float(sizes @ (means - x.mean()) ** 2) / (count - 1)
    within = float(np.sum((x - means[code]) ** 2)) / (n - count)
    typical = (n - float(sizes @ sizes) / n) / (count - 1)
    bottom = between + (typical - 1) * within
    return max(0.0, (between - within) / bottom) if bottom > 0 else math.nan


def _needed(difference: float, discordance: float, level: float, power: float) -> float:
    normal = NormalDist()
    null = normal.inv_cdf((1 + level) / 2) * math.sqrt(discordance)
    other = normal.inv_cdf(power) * math.sqrt(max(0.0, discordance - difference**2))
    return ((null + other) / difference) ** 2


def _solve(n: float, discordance: float, level: float, power: float) -> tuple[float, str]:
    if discordance == 0 or _needed(discordance, discordance, level, power) > n:
        return math.nan, f"{n:.4g} independent samples cannot show any difference at this level"
    low, high = 0.0, discordance
    for _ in range(60):
        middle = (low + high) / 2
        enough = middle > 0 and _needed(middle, discordance, level, power) <= n
        low, high = (low, middle) if enough else (middle, high)
    return high, ""


def _design(size: float, correlation: float) -> float:
    return 1 + (size - 1) * correlation


def _per_class(shares: Sequence[float]) -> float:
    return len(shares) ** 2 / sum(1 / share for share in shares)


def _check(discordance: float, level: float, power: float, correlation: float) -> None:
    inside = 0 < level < 1 and 0 < power < 1
    if not (0 <= discordance <= 1 and 0 <= correlation <= 1 and inside):
        raise HarnessError(
            f"discordance {discordance}, correlation {correlation}, level {level}, power {power}",
            hint="use shares within 0..1, level and power strictly between",
        )
