"""What a file of answers scores against true answers that are at hand, with intervals and a perfect answer's value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import family_for
from harness.metrics.family import Floats, ratio
from harness.score.unseen import NO_SPREAD, as_unseen, hidden_share
from harness.stats.bootstraps import bootstrap
from harness.stats.interval import Interval

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

    @property
    def clusters(self) -> int:
        """Units that are resampled, of the figure with most."""
        return max((one.interval.clusters for one in self.figures), default=0)

    @property
    def unspread(self) -> bool:
        """Whether some interval is of what too few units may not have shown."""
        return any(one.interval.reason.startswith(NO_SPREAD) for one in self.figures)


def figure_of(
    name: str,
    metric: str,
    rows: Floats,
    clusters: Sequence[Hashable],
    value: Callable[[Floats], Floats],
    *,
    perfect: float = 1.0,
    part: str = "",
) -> Figure:
    """A metric of additive rows (n, k), `value` being its function of totals; clusters (n,) are resampled."""
    codes = np.unique([repr(one) for one in clusters], return_inverse=True)[1]
    found = float(value(rows.sum(axis=0)))
    interval = bootstrap(rows, codes, value, seed=SEED, method="auto")
    return Figure(
        name=name,
        metric=metric,
        value=found,
        interval=_with_unseen(interval, found, codes, perfect=perfect),
        perfect=perfect,
        n=len(rows),
        part=part,
    )


def _with_unseen(
    interval: Interval, value: float, clusters: NDArray[np.int64], *, perfect: float
) -> Interval:
    """An interval that is a point, of a score from 0 to `perfect`, replaced by what so few clusters may not have shown.

    The share that they may hide (`harness.score.unseen`) is once missed, once answered perfectly.
    """
    if (
        not interval.known
        or interval.low != interval.high
        or not 0 <= value <= perfect
        or not perfect
    ):
        return interval
    share = hidden_share(clusters, level=interval.level)
    return as_unseen(interval, value * (1 - share), value + share * (perfect - value))


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
    rows, ceiling = ours.rows(), perfect.rows().sum(axis=0)
    return [
        figure_of(
            shown, metric, rows, clusters, partial(ours.value, metric),
            perfect=float(perfect.value(metric, ceiling)), part=part,
        )
        for metric, shown in metrics
    ]  # fmt: skip


def mean_of(hits: Sequence[bool], clusters: Sequence[Hashable], name: str, metric: str) -> Figure:
    """The share of rows that are right; nan without rows."""
    rows = np.column_stack([np.asarray(hits, dtype=float), np.ones(len(hits))])
    return figure_of(name, metric, rows, clusters, lambda sums: ratio(sums[..., 0], sums[..., 1]))
