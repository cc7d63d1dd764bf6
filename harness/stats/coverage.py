"""Coverage of nominal 95% intervals with few clusters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.stats.bounds import Method

SMALL = 30
"""Fewer clusters than this are a small sample."""

SIMULATED_LEVEL = 0.95
"""The nominal coverage of the simulated intervals."""

Simulated = Mapping[int, tuple[float, float]]

SIMULATED: Mapping[Method, Simulated] = MappingProxyType(
    {
        "percentile": MappingProxyType(
            {
                5: (0.77, 0.82),
                8: (0.76, 0.88),
                12: (0.83, 0.90),
                17: (0.88, 0.92),
                24: (0.89, 0.94),
                29: (0.91, 0.93),
            }
        ),
        "expanded": MappingProxyType(
            {
                5: (0.80, 0.90),
                8: (0.84, 0.95),
                12: (0.86, 0.95),
                17: (0.89, 0.95),
                24: (0.91, 0.95),
                29: (0.93, 0.95),
            }
        ),
        "bca": MappingProxyType(
            {
                5: (0.68, 0.79),
                8: (0.69, 0.92),
                12: (0.76, 0.95),
                17: (0.81, 0.95),
                24: (0.87, 0.96),
                29: (0.88, 0.96),
            }
        ),
        "t": MappingProxyType(
            {
                5: (0.77, 0.90),
                8: (0.79, 0.92),
                12: (0.84, 0.95),
                17: (0.90, 0.94),
                24: (0.92, 0.94),
                29: (0.93, 0.95),
            }
        ),
        "unequal": MappingProxyType(
            {
                5: (0.80, 0.94),
                8: (0.89, 0.97),
                12: (0.91, 0.97),
                17: (0.94, 0.97),
                24: (0.94, 0.97),
                29: (0.94, 0.97),
            }
        ),
    }
)
"""Method -> clusters -> lowest and highest coverage over UAR and UF1 in four populations (three
and four classes, even and skewed, one sample a cluster; ``unequal`` also clusters of 2, 4, 8 and 30;
1,000 to 2,000 repetitions of 1,000 draws, so a standard error of about .01). results/benchmarks/coverage.py makes the table;
tests/stats/simulate.py holds the populations, and a test repeats a part."""


def small_sample_coverage(
    clusters: int, *, method: Method = "percentile"
) -> tuple[float, float] | None:
    """Simulated coverage (lowest, highest) of a 95% interval; None from 30 clusters on.

    Between simulated counts the next smaller one stands; below the smallest, (0, its highest).
    """
    if clusters >= SMALL:
        return None
    simulated = SIMULATED[method]
    known = [count for count in simulated if count <= clusters]
    return simulated[max(known)] if known else (0.0, simulated[min(simulated)][1])
