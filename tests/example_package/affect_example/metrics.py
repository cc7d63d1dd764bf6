"""Two metrics: of label fields the geometric mean of the class recalls, of numbers the share of great errors."""

from __future__ import annotations

import numpy as np

from harness.metrics import LabelFamily, Metric, NumberFamily
from harness.metrics.family import Floats, ratio


def _geometric_mean(family: LabelFamily, totals: Floats) -> Floats:
    table = family.table(totals)
    sizes = table.sum(axis=-1)
    recalls = ratio(np.diagonal(table, axis1=-2, axis2=-1), sizes)
    there = sizes > 0
    with np.errstate(divide="ignore"):
        logs = np.where(there, np.log(np.where(there, recalls, 1.0)), 0.0)
    return np.exp(ratio(logs.sum(axis=-1), there.sum(axis=-1)))


G_MEAN = Metric(
    name="g_mean", title="G-mean", needs="label", compute=_geometric_mean,
    estimator="geometric mean of the class recalls over the classes of the truth (Kubat & Matwin 1997)",
)  # fmt: skip


def _far(family: NumberFamily) -> Floats:
    """(n, 2) whether the answer is more than 10 off, as a missing one (nan) is, and one."""
    far = ~(np.abs(family.truth - family.predicted) <= 10)
    return np.column_stack([far, np.ones(far.size)]).astype(np.float64)


FAR_OFF = Metric(
    name="far_off", title="far off", needs="number", better="lower", terms=_far, columns=2,
    compute=lambda family, sums: ratio(sums[..., 0], sums[..., 1]),
    estimator="share of answers more than 10 from the truth, a missing answer is",
)  # fmt: skip
