"""Risk against coverage of each cell whose answers come with a confidence: the curve, its area, and groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.metrics import find_metric
from harness.metrics.selective import (
    NEEDS,
    Levels,
    accuracy_at,
    augrc,
    aurc,
    coarser,
    curve,
    excess_aurc,
    kept,
    levels,
)
from harness.score.columns import Groups
from harness.score.confidence import Sure, confidences
from harness.score.grouping import suppressed
from harness.score.records import TaskRecords
from harness.score.table import DRAWS, LEVEL
from harness.score.unseen import hidden_share
from harness.stats.bootstraps import Estimate, bootstrap_many
from harness.stats.interval import Interval
from harness.stats.rows import CodedRows

COVERAGES = (0.5, 0.8, 0.9, 1.0)
"""Coverages whose accuracy is reported."""
SHARED = 0.8
"""Groups are shown at the one threshold that keeps this share of all samples."""
LEVELS = 100
"""Levels of confidence that are resampled; more are joined into so many of about equal size."""
POINTS = 50
"""Points of a curve that are kept."""
Bounds: TypeAlias = "tuple[float | None, float | None]"
AREAS = {"aurc": aurc, "excess_aurc": excess_aurc, "augrc": augrc}


def risk_coverage(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell], *, seed: int
) -> Iterator[dict[str, Any]]:
    """One entry for each cell, field of labels, kind of confidence, and the whole task or part of it.

    `n` samples, of which `answered` have an answer with a confidence, of `levels` distinct values; `error`: share wrong of
    all, which is the area where the confidence says nothing; `aurc`, `excess_aurc`, `augrc` with `value`, `low`, `high`;
    `at`: `coverage`, `accuracy` with bounds, the `threshold` of confidence that keeps so many, and whether that many are
    `answered`; `curve`: (coverage, risk); `groups` and `suppressed` by `column`.
    """
    for cell in cells:
        for name, spec in records.task.fields.items():
            if not (spec.scored and spec.categorical):
                continue
            for sure in confidences(records, cell, name):
                for whole, mask in groups.slices.items():
                    inside = mask[sure.places]
                    clusters, unit = groups.clusters[sure.places], records.cluster_unit
                    if "=" not in whole and inside.any():
                        part = _Part(cell, name, whole, sure, inside, clusters, unit)
                        yield _entry(part, groups, seed)


@dataclass(frozen=True, slots=True)
class _Part:
    """One cell's answers to a field on the whole task, or a part of it."""

    cell: Cell
    field: str
    slice: str
    sure: Sure
    inside: NDArray[np.bool_]
    """(n,) which of the samples of `sure` are in the part."""
    clusters: NDArray[np.int64]
    """(n,)"""
    unit: str

    @property
    def found(self) -> Levels:
        return self.of(self.inside)

    def of(self, mask: NDArray[np.bool_]) -> Levels:
        """The levels of some samples."""
        return levels(self.sure.confidence[mask], ~self.sure.right[mask])


def _entry(part: _Part, groups: Groups, seed: int) -> dict[str, Any]:
    found, cell = part.found, part.cell
    clusters = part.clusters[part.inside]
    intervals, said = _intervals(found, clusters, part.unit, seed)
    answered = int(np.count_nonzero(part.sure.kept & part.inside))
    at = [_at(found, coverage, answered, intervals, clusters) for coverage in COVERAGES]
    threshold = next(one["threshold"] for one in at if one["coverage"] == SHARED)
    shown, hidden = _groups(part, groups, threshold)
    return {
        "task": cell.task, "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
        "channel": cell.taken, "slice": part.slice, "field": part.field, "signal": part.sure.signal, "n": found.n,
        "clusters": int(np.unique(clusters).size), "unit": part.unit,
        "answered": answered, "levels": int(np.isfinite(found.confidence).sum()),
        "error": _rounded(float(found.counts[:, 1].sum() / found.n)),
        **{area: _told(float(value(found.counts)), intervals[area], clusters) for area, value in AREAS.items()},
        "at": at,
        "curve": [[_rounded(x), _rounded(y)] for x, y in curve(found.counts, points=POINTS)],
        "groups": shown, "suppressed": hidden, "estimator": said,
    }  # fmt: skip


def _intervals(
    found: Levels, clusters: NDArray[np.int64], unit: str, seed: int
) -> tuple[dict[str, Bounds], str]:
    """Bounds of each number, and how they were made.

    Of many levels coarser ones are resampled, and the bounds are moved by what joining them changes the number.
    """
    rough = coarser(found, LEVELS)
    size = rough.confidence.size
    rows = CodedRows(np.eye(2 * size), (2 * rough.codes + rough.wrong).astype(np.int32))

    def of(value: Estimate) -> Estimate:
        return lambda totals: value(totals.reshape(*totals.shape[:-1], size, 2))

    values = dict(AREAS) | {f"at {c:g}": partial(accuracy_at, coverage=c) for c in COVERAGES}
    made = bootstrap_many(
        rows, clusters, {name: of(value) for name, value in values.items()},
        draws=DRAWS, level=LEVEL, seed=seed, method="auto",
    )  # fmt: skip
    bounds = {
        name: _moved(made[name], float(value(found.counts) - value(rough.counts)))
        for name, value in values.items()
    }
    one = made["aurc"]
    assumed = ", independence assumed" if unit == "image" else ""
    joined = f"; {size} levels of confidence resampled" if size < found.confidence.size else ""
    reason = f"; {one.reason}" if one.reason else ""
    said = f"{one.level:.0%} {one.method} ({one.clusters} by {unit}{assumed}, {one.draws} draws){joined}{reason}"
    return bounds, f"{find_metric('aurc', NEEDS).estimator}; {said}"


def _moved(interval: Interval, by: float) -> Bounds:
    """The bounds, moved; none where there are none, or where resampling saw no spread."""
    if not interval.known or interval.low == interval.high:
        return None, None
    low, high = (_rounded(min(1.0, max(0.0, b + by))) for b in (interval.low, interval.high))
    return low, high


def _at(
    found: Levels,
    coverage: float,
    answered: int,
    intervals: Mapping[str, Bounds],
    clusters: NDArray[np.int64],
) -> dict[str, Any]:
    wanted = int(kept(found.n, coverage))
    reached = np.cumsum(found.counts.sum(axis=1))
    threshold = float(found.confidence[int(np.searchsorted(reached, wanted))])
    kept_ones = found.codes <= int(np.searchsorted(reached, wanted))
    accuracy = float(accuracy_at(found.counts, coverage))
    low, high, spread = _or_hidden(accuracy, intervals[f"at {coverage:g}"], clusters[kept_ones])
    return {
        "coverage": coverage, "accuracy": _rounded(accuracy), "low": low, "high": high, "spread": spread,
        "threshold": _rounded(threshold) if math.isfinite(threshold) else None, "answered": wanted <= answered,
    }  # fmt: skip


def _groups(
    part: _Part, groups: Groups, threshold: float | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each group that is large enough: its own area, and what becomes of it at the threshold of all; and the others."""
    sure, shown, hidden = part.sure, [], []
    kept_there = sure.kept & (sure.confidence >= (-math.inf if threshold is None else threshold))
    for grouping in groups.groupings:
        codes = grouping.codes[sure.places]
        for place, name in enumerate(grouping.values):
            mask = part.inside & (codes == place)
            if grouping.name == part.field or not mask.any():
                continue
            told = {"column": grouping.name, "name": name}
            if why := suppressed(mask, part.clusters, unit=part.unit):
                hidden.append({**told, "why": why})
            else:
                shown.append({**told, **_group(part, mask, mask & kept_there)})
    return shown, hidden


def _group(part: _Part, mask: NDArray[np.bool_], accepted: NDArray[np.bool_]) -> dict[str, Any]:
    found, right = part.of(mask), part.sure.right[accepted]
    return {
        "n": found.n,
        "clusters": int(np.unique(part.clusters[mask]).size),
        "error": _rounded(float(found.counts[:, 1].sum() / found.n)),
        "aurc": _rounded(float(aurc(found.counts))),
        "kept": _rounded(float(accepted.sum() / mask.sum())),
        "accuracy": _rounded(float(right.mean())) if right.size else None,
    }


def _told(value: float, bounds: Bounds, clusters: NDArray[np.int64]) -> dict[str, Any]:
    low, high, spread = _or_hidden(value, bounds, clusters)
    return {"value": _rounded(value), "low": low, "high": high, "spread": spread}


def _or_hidden(
    value: float, bounds: Bounds, clusters: NDArray[np.int64]
) -> tuple[float | None, float | None, bool]:
    """The bounds, and True; of a share of 0 or 1 in which no spread was seen what the clusters may have hidden, and
    False."""
    if bounds[0] is not None or value not in {0.0, 1.0} or np.unique(clusters).size < 2:
        return (*bounds, True)
    share = _rounded(hidden_share(clusters, level=LEVEL)) or 0.0
    return (0.0, share, False) if value == 0.0 else (_rounded(1 - share), 1.0, False)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0
