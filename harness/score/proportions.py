"""Wilson intervals, for proportions of independent samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from harness.metrics import LabelFamily, MetricFamily, find_metric
from harness.metrics.label import NEEDS
from harness.stats.interval import Interval, wilson
from harness.stats.rows import CodedRows, as_coded


def proportions(
    family: MetricFamily,
    metrics: Iterable[str],
    rows: NDArray[np.float64] | CodedRows,
    clusters: NDArray[np.int64],
    *,
    level: float,
) -> dict[str, Interval]:
    """Accuracy and the recall of a class by Wilson (1927), which resampling would give no width at 0 and 1.

    Empty where clusters hold several samples, where samples are means over repeats, and for fields without
    classes: what is resampled there says more. `rows` (n, k) are those of `family`, `clusters` (n,).
    """
    if not isinstance(family, LabelFamily) or not len(rows):
        return {}
    rows = as_coded(rows)
    seen = rows.table[np.unique(rows.codes)]
    if np.unique(clusters).size < len(rows) or np.any(seen != np.round(seen)):
        return {}
    count = len(family.classes)
    table = rows.totals().reshape(count, count + 1)
    hits, sizes = np.diagonal(table), table.sum(axis=1)
    found = {}
    for metric in metrics:
        known = find_metric(metric, NEEDS)
        if known.proportion and not known.of_class:
            found[metric] = wilson(int(hits.sum()), len(rows), level=level)
        elif known.proportion:
            code = family.classes.index(metric.partition("[")[2][:-1])
            found[metric] = wilson(int(hits[code]), int(sizes[code]), level=level)
    return found
