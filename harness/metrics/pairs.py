"""Metrics of pairs of pictures: verification scores, of fields of the kind `pairs`.

The truth is the upper end of the scale for pairs of one person ("genuine"), the lower end for pairs of two
("impostor"). A score at or above a threshold accepts the pair. A missing answer is wrong at every threshold: below all
of them for a genuine pair, above all for an impostor.

Counts of scores by truth are additive, so these metrics are functions of two histograms. Up to `BINS` distinct answers
each has a bin of its own, and the values are exact; of more, neighbours share a bin and count as equal. The analysis
`verification` works with every score as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.family import Floats, ratio
from harness.metrics.metric import Metric
from harness.metrics.verification import area, equal_error_rate, true_accepts

if TYPE_CHECKING:
    from harness.metrics.numbers import NumberFamily

NEEDS = "number"
BINS = 128
"""Bins of answers."""
_ALL = BINS + 2
"""With one bin below all for missing answers of genuine pairs, one above for those of impostors."""


def is_genuine(family: NumberFamily) -> NDArray[np.bool_]:
    """(n,) whether the pair shows one person."""
    return family.truth > (family.low + family.high) / 2


def bins_of(scores: Floats) -> NDArray[np.int64]:
    """(n,) 0 to `BINS` - 1, in the order of the scores; equal scores share a bin, and so do neighbours where there are
    more than `BINS` distinct ones."""
    distinct, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    if distinct.size <= BINS:
        return place.astype(np.int64)
    share = (np.cumsum(times) - times / 2) / max(1, scores.size)
    return np.minimum((share * BINS).astype(np.int64), BINS - 1)[place]


def _terms(family: NumberFamily) -> Floats:
    """(n, 2 * bins): counts of impostors by bin, then of genuine pairs."""
    genuine, there = is_genuine(family), family.answered
    place = np.where(genuine, 0, _ALL - 1)
    place[there] = bins_of(family.predicted[there]) + 1
    found = np.zeros((genuine.size, 2 * _ALL))
    found[np.arange(genuine.size), place + _ALL * genuine] = 1.0
    return found


def rates(sums: Floats) -> tuple[Floats, Floats]:
    """(..., bins + 1) false accept and true accept rates, of thresholds from above all scores to the lowest one; nan
    without impostors or genuine pairs."""
    impostor, genuine = sums[..., :_ALL], sums[..., _ALL:]
    return _reached(impostor), _reached(genuine)


def _reached(counts: Floats) -> Floats:
    from_above = np.cumsum(counts[..., ::-1], axis=-1)
    share = ratio(from_above, from_above[..., -1:])
    return np.concatenate([np.where(np.isnan(share[..., :1]), np.nan, 0.0), share], axis=-1)


def _auroc(family: NumberFamily, sums: Floats) -> Floats:
    return area(*rates(sums))


def _eer(family: NumberFamily, sums: Floats) -> Floats:
    return equal_error_rate(*rates(sums))


def _at(limit: float) -> Any:
    def value(family: NumberFamily, sums: Floats) -> Floats:
        return true_accepts(*rates(sums), limit)

    return value


def _right_terms(family: NumberFamily) -> Floats:
    """(n, 2) whether the answer lies on the side of the truth, the middle counting as the same person; and one."""
    same = family.predicted >= (family.low + family.high) / 2
    right = family.answered & (same == is_genuine(family))
    return np.column_stack([right, np.ones(right.size)]).astype(np.float64)


def _accuracy(family: NumberFamily, sums: Floats) -> Floats:
    return ratio(sums[..., 0], sums[..., 1])


_MISS = f"more than {BINS} distinct answers are gathered in {BINS} groups; a missing answer is wrong at every threshold"
_WRONG = "is wrong at every threshold"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="pair_auroc", title="AUROC", needs=NEEDS, terms=_terms, columns=2 * _ALL, compute=_auroc,
        formula="P(s_genuine > s_impostor) + P(s_genuine = s_impostor) / 2",
        source="Bamber 1975, Journal of Mathematical Psychology 12(4)",
        estimator=f"area under the ROC of genuine against impostor pairs, equal answers count half; {_MISS}",
        missing=_WRONG,
    ),
    Metric(
        name="pair_eer", title="EER", needs=NEEDS, terms=_terms, columns=2 * _ALL, compute=_eer,
        better="lower", smooth=False,
        formula="FAR where FAR = 1 - TAR, on straight lines between thresholds",
        source="ISO/IEC 19795-1",
        estimator=f"rate at which false accepts equal false rejects, on straight lines between thresholds; {_MISS}",
        missing=_WRONG,
    ),
    *(
        Metric(
            name=f"tar_at_far_{name}", title=f"TAR at FAR ≤ {percent}%", needs=NEEDS, terms=_terms, columns=2 * _ALL,
            compute=_at(limit), smooth=False,
            formula=f"max TAR over thresholds with FAR ≤ {limit:g}",
            source="ISO/IEC 19795-1",
            estimator=f"share of genuine pairs accepted at the best threshold that accepts at most {percent}% of the "
            f"impostors, in-sample; the rate reached may be lower where answers are coarse; {_MISS}",
            missing=_WRONG,
        )
        for name, percent, limit in (("10", "10", 0.1), ("1", "1", 0.01), ("01", "0.1", 0.001))
    ),
    Metric(
        name="pair_accuracy", title="Accuracy at the middle", needs=NEEDS, terms=_right_terms, columns=2, compute=_accuracy,
        formula="(1/n) Σ_i [(s_i ≥ middle) = same_i]",
        source="this project; with yes and no the plain accuracy",
        estimator="share of pairs on the right side of the middle of the scale, which counts as the same person; a missing "
        "answer is wrong",
    ),
)  # fmt: skip
