"""Intervals of scores without variation between resamples: all right, all wrong, or one constant answer.

Every resample of a perfect score is perfect, which is not certainty. What m clusters did not show, a wrong answer
among right ones or a right one among wrong ones, may still be the share 1 - (a/2)^(1/m) of all there are: the bound of
Clopper and Pearson (1934) for none of m, which is about 3.7/m at 95% (one-sided, the "rule of three": Hanley and
Lippman-Hand 1983). The score is read off with that share missed, with that share right, and with that share of
one class taken for another: of all samples, and of each class by itself with the clusters that hold it, since a class of few samples is what is known least. Clusters of
unequal sizes count as Kish's effective number.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import MetricFamily, family_for
from harness.run.dictionary_encoding import Coded
from harness.score.baselines import BASELINES
from harness.stats.interval import Interval
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]

NO_SPREAD = "no spread was seen"
"""How the reason of such an interval begins."""
METHOD = "Clopper-Pearson bounds on what {clusters} clusters did not show"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The samples behind some scores."""

    family: MetricFamily
    """It reads the rows."""
    rows: CodedRows
    """(n, k)."""
    truths: Sequence[Value]
    """All that occur in the whole set: the family's classes are theirs."""
    truth: Coded[Value]
    """(n,)."""
    clusters: NDArray[np.int64]
    """(n,)."""


def without_spread(
    intervals: Mapping[str, Interval], spec: FieldSpec, seen: Seen, *, model: str
) -> dict[str, Interval]:
    """The same intervals, those that are a point replaced. A baseline's constant answer is certain and stays one."""
    points = [m for m, one in intervals.items() if one.known and one.low == one.high]
    if not points or model in BASELINES:
        return dict(intervals)
    ends = list(_ends(seen, spec, level=intervals[points[0]].level))
    found = dict(intervals)
    for metric in points:
        value = partial(seen.family.value, metric)
        values = [float(value(totals)) for totals in ends]
        known = [v for v in values if not math.isnan(v)]
        low, high = min([*known, intervals[metric].low]), max([*known, intervals[metric].high])
        found[metric] = as_unseen(intervals[metric], low, high)
    return found


def as_unseen(interval: Interval, low: float, high: float) -> Interval:
    """An interval that is a point with these ends instead: what its clusters may not have shown."""
    return dataclasses.replace(
        interval, low=low, high=high, draws=0, simulated=None,
        method=METHOD.format(clusters=interval.clusters), reason=f"{NO_SPREAD}, which is not certainty",
    )  # fmt: skip


def _ends(seen: Seen, spec: FieldSpec, *, level: float) -> Iterator[Floats]:
    """Totals (k,) with as much missed, as much right, and of classes as much taken for another, as the clusters may
    have hidden."""
    truths = list(seen.truths)
    place = {value: code for code, value in enumerate(truths)}
    kinds = np.array([place.get(value, 0) for value in seen.truth.values], dtype=np.int64)
    codes = kinds[seen.truth.codes]
    others = [
        _rows(seen.family, spec, truths, None),
        *(
            _rows(seen.family, spec, truths, [*truths[turn:], *truths[:turn]])
            for turn in range(len(truths) if spec.categorical else 1)
        ),
    ]
    dense, total = seen.rows, seen.rows.totals()
    parts = [np.ones(len(codes), dtype=np.bool_)]
    if spec.categorical:
        parts += [codes == code for code in np.unique(codes)]
    for part in parts:
        share = hidden_share(seen.clusters[part], level=level)
        counts = np.bincount(codes[part], minlength=len(truths)).astype(np.float64)
        own = dense.at(part).totals()
        for other in others:
            yield total + share * (counts @ other - own)


def _rows(
    family: MetricFamily,
    spec: FieldSpec,
    truths: Sequence[Value],
    answers: Sequence[Value] | None,
) -> Floats:
    """(m, k) rows of these answers, or of none, as `family` reads them."""
    made: Any = family_for(spec, truths, [None] * len(truths) if answers is None else answers)
    if hasattr(family, "centre"):
        made = dataclasses.replace(made, centre=family.centre)
    rows: Floats = made.rows()
    return rows


def hidden_share(clusters: NDArray[np.int64], *, level: float) -> float:
    """The greatest share that so many clusters may not have shown, none of them having it."""
    share: float = 1 - ((1 - level) / 2) ** (1 / effective_clusters(clusters))
    return share


def effective_clusters(clusters: NDArray[np.int64]) -> float:
    """Kish's effective number of clusters, at least 1."""
    sizes = np.unique(clusters, return_counts=True)[1].astype(np.float64)
    return max(1.0, float(sizes.sum() ** 2 / (sizes @ sizes)))
