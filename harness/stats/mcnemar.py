"""The exact McNemar test."""

from __future__ import annotations

import math

from harness.core.errors import HarnessError


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p of ``b`` against ``c`` discordant pairs (McNemar 1947, binomial form).

    Twice the smaller tail of a binomial of b + c trials with share one half, at most 1; without
    discordant pairs 1. Pairs are taken as independent. Raises HarnessError for negative counts.
    """
    if b < 0 or c < 0:
        raise HarnessError(f"discordant counts {b} and {c}", hint="pass counts of 0 and up")
    n, fewer = b + c, min(b, c)
    term = math.exp(
        math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2)
    )
    tail = 0.0
    for count in range(fewer, -1, -1):
        tail += term
        if term <= tail * 1e-17:
            break
        term *= count / (n - count + 1)
    return min(1.0, 2 * tail)
