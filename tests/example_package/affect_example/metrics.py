"""A metric of label fields: the geometric mean of the class recalls."""

from __future__ import annotations

import numpy as np

from harness.metrics import LabelFamily, Metric
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
