"""Score differences between groups of a cue or of any annotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cues.estimate import Estimate, estimate, ratio

Floats = NDArray[np.float64]

LEAST = 10
"""Groups of fewer samples are not shown: their numbers would identify people and say little."""


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One group's score."""

    name: str
    score: Estimate


@dataclass(frozen=True, slots=True)
class Gap:
    """Scores of all groups, and the span between the best and the worst."""

    cue: str
    metric: str
    field: str
    groups: tuple[GroupScore, ...]
    """Best first."""
    gap: Estimate
    """Best minus worst. The greatest of several differences is biased upwards: groups that are equal in
    truth show a gap too; the interval's lower bound says how much of it is beyond doubt."""
    suppressed: tuple[str, ...]
    """Groups of fewer than `LEAST` samples."""


def accuracy_gap(
    cue: str,
    field: str,
    *,
    groups: Sequence[str | None],
    right: Sequence[bool],
    clusters: Sequence[Any],
    seed: int,
) -> Gap | None:
    """Accuracy by group; answers that are invalid are not right. None for fewer than two groups."""
    columns = np.asarray(right, dtype=np.float64)[:, None]
    named = ("accuracy", cue, field)
    return _gap(named, groups, columns, clusters, score=_share, seed=seed)


def ccc_gap(
    cue: str,
    field: str,
    *,
    groups: Sequence[str | None],
    truth: Sequence[float],
    said: Sequence[float | None],
    clusters: Sequence[Any],
    seed: int,
) -> Gap | None:
    """Concordance (Lin 1989) by group over answered samples. None for fewer than two groups."""
    known = [i for i, value in enumerate(said) if value is not None]
    x = np.array([truth[i] for i in known], dtype=np.float64)
    y = np.array([said[i] for i in known], dtype=np.float64)
    columns = np.stack([x, y, x * x, y * y, x * y], axis=1) if known else np.zeros((0, 5))
    kept = [groups[i] for i in known]
    names = [clusters[i] for i in known]
    return _gap(("ccc", cue, field), kept, columns, names, score=_concordance, seed=seed)


def _share(sums: Floats, n: Floats) -> Floats:
    return ratio(sums[..., 0], n)


def _concordance(sums: Floats, n: Floats) -> Floats:
    """2 cov / (var_x + var_y + (mean_x - mean_y)^2), population moments."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y, xx, yy, xy = (sums[..., i] / n for i in range(5))
        spread = (xx - x * x) + (yy - y * y) + (x - y) ** 2
        return np.where((n > 1) & (spread > 1e-12), 2 * (xy - x * y) / spread, np.nan)


def _gap(
    named: tuple[str, str, str],
    groups: Sequence[str | None],
    columns: Floats,
    clusters: Sequence[Any],
    *,
    score: Callable[[Floats, Floats], Floats],
    seed: int,
) -> Gap | None:
    """`named`: metric, cue, field. `columns` (n, k - 1) are additive; a count is put beside them."""
    sizes: Mapping[str, int] = {
        name: sum(g == name for g in groups) for name in dict.fromkeys(g for g in groups if g)
    }
    names = sorted(name for name, size in sizes.items() if size >= LEAST)
    if len(names) < 2:
        return None
    k = columns.shape[1] + 1
    rows = np.zeros((len(groups), k * len(names)))
    for i, name in enumerate(groups):
        if name in names:
            at = k * names.index(name)
            rows[i, at : at + k - 1] = columns[i]
            rows[i, at + k - 1] = 1

    def scores(totals: Floats) -> Floats:
        table = totals.reshape(len(totals), len(names), k)
        return score(table[..., :-1], table[..., -1])

    def span(totals: Floats) -> Floats:
        found = scores(totals)
        undefined = np.isnan(found).any(axis=1)
        return np.where(undefined, np.nan, found.max(axis=1) - found.min(axis=1))

    def one(at: int, name: str) -> GroupScore:
        return GroupScore(
            name,
            estimate(rows, clusters, lambda t: scores(t)[:, at], seed=seed, n=sizes[name]),
        )

    made = [one(at, name) for at, name in enumerate(names)]
    made.sort(key=lambda group: -group.score.value)
    small = tuple(f"{name} ({size})" for name, size in sorted(sizes.items()) if size < LEAST)
    gap = estimate(rows, clusters, span, seed=seed, n=sum(sizes[name] for name in names))
    metric, cue, field = named
    return Gap(cue, metric, field, tuple(made), gap, small)
