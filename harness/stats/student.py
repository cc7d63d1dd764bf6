"""Quantiles and tails of Student's t, without a numerical library."""

from __future__ import annotations

import math
from statistics import NormalDist

from harness.core.errors import HarnessError

_MANY = 200
"""Degrees of freedom from which the expansion is exact to ten digits."""


def t_quantile(share: float, df: int) -> float:
    """The value below which a t variable with ``df`` degrees of freedom lies with ``share``.

    Up to 200 degrees by bisection of the finite series of Abramowitz and Stegun (1964), 26.7.3
    and 26.7.4; above by their expansion 26.7.5. Raises HarnessError unless 0 < share < 1 and
    df >= 1.
    """
    if not 0 < share < 1 or df < 1:
        raise HarnessError(
            f"no t quantile at {share} with {df} degrees of freedom",
            hint="use 0 < share < 1 and at least two clusters",
        )
    if share < 0.5:
        return -t_quantile(1 - share, df)
    if df > _MANY:
        return _expansion(NormalDist().inv_cdf(share), df)
    wanted, low, high = 2 * share - 1, 0.0, math.pi / 2
    for _ in range(80):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, df) < wanted else (low, angle)
    return math.sqrt(df) * math.tan((low + high) / 2)


def two_sided_p(t: float, df: int) -> float:
    """The chance that a t variable with ``df`` degrees of freedom is at least as far from 0 as ``t``.

    Above 200 degrees by the normal transform of Wallace (1959), right to seven digits there.
    """
    if df > _MANY:
        z = math.sqrt(df * math.log1p(t * t / df)) * (8 * df + 1) / (8 * df + 3)
        return 2 * NormalDist().cdf(-z)
    return max(0.0, 1 - _within(math.atan(abs(t) / math.sqrt(df)), df))


def _within(angle: float, df: int) -> float:
    """P(|T| < t) where ``angle`` is atan(t / sqrt(df))."""
    sine, cosine = math.sin(angle), math.cos(angle)
    total, term = 0.0, 1.0 if df % 2 == 0 else cosine
    start = 0 if df % 2 == 0 else 1
    for power in range(start, df - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    if df % 2 == 0:
        return sine * total
    return 2 / math.pi * (angle + sine * total)


def _expansion(x: float, df: int) -> float:
    """Abramowitz and Stegun 26.7.5, from the normal quantile ``x``."""
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(float(term / df**power) for power, term in enumerate(terms, start=1))
