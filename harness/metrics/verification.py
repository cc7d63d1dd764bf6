"""Curves of verification: what share of impostor and of genuine pairs a threshold accepts, exactly and with weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics.family import Bools, Floats, ratio

SLACK = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """False and true accept rates at every threshold, from above all scores to the lowest one."""

    thresholds: Floats
    """(k,) infinity, then the distinct scores, falling: a score at or above one is accepted."""
    far: Floats
    """(..., k) share of the impostors accepted; nan without impostors."""
    tar: Floats
    """(..., k) share of the genuine pairs accepted; nan without genuine pairs."""

    @property
    def auroc(self) -> Floats:
        """(...): area under the curve; equal scores count half."""
        return area(self.far, self.tar)

    @property
    def eer(self) -> Floats:
        """(...): where false accepts equal false rejects, on straight lines between neighbouring thresholds."""
        return equal_error_rate(self.far, self.tar)

    def at_far(self, limit: float) -> tuple[float, float, float]:
        """(threshold, far, tar) of the most accepting threshold whose false accept rate is at most `limit`. For a curve
        without leading axes."""
        allowed = np.flatnonzero(self.far <= limit + SLACK)
        place = int(allowed[-1]) if allowed.size else 0
        return float(self.thresholds[place]), float(self.far[place]), float(self.tar[place])


def curve(scores: Floats, genuine: Bools, weights: Floats | None = None) -> Curve:
    """The curve of pairs. `scores` and `genuine` (n,); `weights` (..., n) say how often each pair counts."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    ends = np.flatnonzero(np.append(np.diff(falling) != 0, np.ones(min(1, falling.size), bool)))
    each = np.ones(scores.size) if weights is None else weights
    return Curve(
        np.append(np.inf, falling[ends]),
        _shares(each[..., order] * ~genuine[order], ends),
        _shares(each[..., order] * genuine[order], ends),
    )


def _shares(counts: Floats, ends: NDArray[np.int64]) -> Floats:
    total = np.cumsum(counts, axis=-1)[..., ends]
    whole = counts.sum(axis=-1, keepdims=True)
    share = ratio(np.concatenate([np.zeros_like(whole), total], axis=-1), whole)
    return np.where(whole > 0, np.clip(share, 0.0, 1.0), np.nan)


def area(far: Floats, tar: Floats) -> Floats:
    """(...): area under the curve. `far` and `tar` (..., k) rise from 0 to 1."""
    found: Floats = (np.diff(far, axis=-1) * (tar[..., 1:] + tar[..., :-1]) / 2).sum(axis=-1)
    return found


def equal_error_rate(far: Floats, tar: Floats) -> Floats:
    """(...): where false accepts equal false rejects, on straight lines between neighbouring thresholds.

    `far` and `tar` (..., k) rise from 0 to 1.
    """
    gap = far + tar - 1  # rises from -1 to 1
    after = np.argmax(gap >= 0, axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    low, high = np.take_along_axis(gap, before, -1), np.take_along_axis(gap, after, -1)
    first, last = np.take_along_axis(far, before, -1), np.take_along_axis(far, after, -1)
    share = np.where(high > low, -low / np.where(high > low, high - low, 1.0), 0.0)
    value = (first + share * (last - first))[..., 0]
    return np.where(np.isnan(gap[..., -1]), np.nan, value)


def true_accepts(far: Floats, tar: Floats, limit: float) -> Floats:
    """(...): the greatest true accept rate among thresholds whose false accept rate is at most `limit`."""
    allowed = np.where(far <= limit + SLACK, tar, -1.0)
    return np.where(np.isnan(far[..., -1] + tar[..., -1]), np.nan, allowed.max(axis=-1))


def best_threshold(scores: Floats, genuine: Bools) -> float:
    """The threshold with the highest accuracy, half-way between two neighbouring scores; of equally good ones the middle
    one. `scores` and `genuine` (n,), n at least 1."""
    distinct, place = np.unique(scores, return_inverse=True)
    gained = np.bincount(place, np.where(genuine, 1.0, -1.0), minlength=distinct.size)
    right = np.append(
        np.cumsum(gained[::-1])[::-1], 0.0
    )  # of a threshold below each score, and above all
    best = np.flatnonzero(right >= right.max() - SLACK)
    at = int(best[(best.size - 1) // 2])
    ends = np.concatenate([[distinct[0] - 1.0], distinct, [distinct[-1] + 1.0]])
    return float((ends[at] + ends[at + 1]) / 2)
