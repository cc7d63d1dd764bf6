"""What a file of answers scores against true answers that are at hand, with intervals and a perfect answer's value."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import family_for
from harness.metrics.family import Floats, ratio
from harness.stats import Interval, bootstrap

SEED = 0
"""Of the resamples: the same files give the same intervals."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one file."""

    name: str
    """As it is printed: `coarse UF1`."""
    metric: str
    """Its name among the metrics of this project, or the challenge's own."""
    value: float
    """nan where it is undefined."""
    interval: Interval
    perfect: float
    """What the true answers themselves score: below 1 for text metrics of short answers."""
    n: int
    """Rows it rests on."""
    part: str = ""
    """The field of published tables that it stands beside; empty where there is only one."""


@dataclass(frozen=True, slots=True)
class LocalScore:
    """The local score of one file."""

    figures: tuple[Figure, ...]
    resampled: str
    """What the intervals resample, in the plural: `clips`, `videos`."""
    notes: tuple[str, ...] = ()
    """What the official scorer may count otherwise."""


def figures_of(
    spec: FieldSpec,
    truth: Sequence[Value],
    predicted: Sequence[Value | None],
    clusters: Sequence[Hashable],
    metrics: Sequence[tuple[str, str]],
    *,
    part: str = "",
) -> list[Figure]:
    """Metrics (name, as printed) of one field over n rows; none where there are no rows."""
    if not truth:
        return []
    ours = family_for(spec, truth, predicted)
    perfect = family_for(spec, truth, truth)
    rows = ours.rows()
    totals, ceiling = rows.sum(axis=0), perfect.rows().sum(axis=0)
    codes = np.unique([repr(one) for one in clusters], return_inverse=True)[1]
    found = []
    for metric, shown in metrics:
        interval = bootstrap(rows, codes, partial(ours.value, metric), seed=SEED, method="auto")
        found.append(
            Figure(
                name=shown,
                metric=metric,
                value=float(ours.value(metric, totals)),
                interval=interval,
                perfect=float(perfect.value(metric, ceiling)),
                n=len(truth),
                part=part,
            )
        )
    return found


def mean_of(hits: Sequence[bool], clusters: Sequence[Hashable], name: str, metric: str) -> Figure:
    """The share of rows that are right; nan without rows."""
    rows = np.column_stack([np.asarray(hits, dtype=float), np.ones(len(hits))])
    codes = np.unique([repr(one) for one in clusters], return_inverse=True)[1]

    def share(sums: Floats) -> Floats:
        return ratio(sums[..., 0], sums[..., 1])

    interval = bootstrap(rows, codes, share, seed=SEED, method="auto")
    value = float(np.mean(rows[:, 0])) if len(hits) else math.nan
    return Figure(name, metric, value, interval, 1.0, len(hits))
