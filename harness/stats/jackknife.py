"""Leave-one-cluster-out values, used by BCa and t intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.resample import ClusterTotals

Floats = NDArray[np.float64]
Estimate = Callable[[Floats], Floats]

_BLOCK = 1 << 20
"""Numbers of totals held at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """A metric over all clusters, and with each cluster left out in turn."""

    whole: float
    """The value over all clusters; nan where undefined."""
    values: Floats
    """(g,) the value without one cluster of each group of alike clusters; nan where undefined."""
    sizes: NDArray[np.int64]
    """(g,) how many clusters each stands for."""

    @property
    def known(self) -> bool:
        """Whether the metric is defined over all clusters and without any of them."""
        return not math.isnan(self.whole) and not bool(np.isnan(self.values).any())

    @property
    def standard_error(self) -> float:
        """Jackknife standard error (Efron and Tibshirani 1993, eq. 11.5); nan where unknown."""
        count = int(self.sizes.sum())
        return math.sqrt((count - 1) / count * float(self.sizes @ self._centred**2))

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the squared standard error, 1 to clusters - 1, rounded down.

        Satterthwaite (1946) matches its variance to that of a chi-square: 2 n / (kurtosis - 1) of the n clusters'
        influence values, less 1. Clusters of unequal sizes, or a class that few of them hold, have fewer.
        """
        count = int(self.sizes.sum())
        square = float(self.sizes @ self._centred**2) / count
        fourth = float(self.sizes @ self._centred**4) / count
        spread = fourth / square**2 - 1 if square > 0 else 0.0
        equal = 2 * count / spread if spread > 0 else math.inf
        return max(1, math.floor(min(count, equal)) - 1)

    @property
    def acceleration(self) -> float:
        """Efron and Tibshirani 1993, eq. 14.15; 0 where leaving out a cluster changes nothing."""
        square = float(self.sizes @ self._centred**2)
        cube = float(self.sizes @ self._centred**3)
        return cube / (6 * square**1.5) if square > 0 else 0.0

    @property
    def _centred(self) -> Floats:
        mean = float(self.sizes @ self.values) / float(self.sizes.sum())
        gap: Floats = mean - self.values
        return np.where(np.abs(gap) <= 1e-14 * abs(mean), 0.0, gap)


def left_out(groups: ClusterTotals, value: Estimate) -> LeftOut:
    """Leave out each cluster in turn, from the totals of two or more clusters."""
    return left_out_many(groups, {"": value})[""]


def left_out_many(groups: ClusterTotals, values: Mapping[str, Estimate]) -> dict[str, LeftOut]:
    """The same of several metrics, which share their totals."""
    total = groups.sizes @ groups.totals
    step = max(1, _BLOCK // max(1, groups.totals.shape[1]))
    found = {name: np.empty(groups.sizes.size) for name in values}
    for start in range(0, groups.sizes.size if values else 0, step):
        without = total - groups.totals[start : start + step]
        for name, value in values.items():
            found[name][start : start + step] = value(without)
    return {
        name: LeftOut(float(value(total[None])[0]), found[name], groups.sizes)
        for name, value in values.items()
    }
