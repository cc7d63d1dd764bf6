"""How often a nominal 95% percentile interval holds the true value when clusters are few."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SMALL = 30
"""Fewer clusters than this are a small sample."""

SIMULATED_LEVEL = 0.95
"""The nominal coverage of the simulated intervals."""

SIMULATED: Mapping[int, tuple[float, float]] = MappingProxyType(
    {
        5: (0.76, 0.82),
        8: (0.77, 0.88),
        12: (0.83, 0.91),
        17: (0.88, 0.93),
        24: (0.90, 0.93),
        29: (0.91, 0.94),
    }
)
"""Clusters -> lowest and highest coverage over UAR and UF1 in four populations (three and four
classes, even and skewed, one sample a cluster; 2,000 repetitions of 1,000 draws, so a standard
error of at most .01). tests/stats/test_coverage.py holds the populations and repeats a part."""


def small_sample_coverage(clusters: int) -> tuple[float, float] | None:
    """Simulated coverage (lowest, highest) of a 95% interval; None from 30 clusters on.

    Between simulated counts the next smaller one stands; below the smallest, (0, its highest).
    """
    if clusters >= SMALL:
        return None
    known = [count for count in SIMULATED if count <= clusters]
    return SIMULATED[max(known)] if known else (0.0, SIMULATED[min(SIMULATED)][1])
