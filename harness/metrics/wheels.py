"""Metrics of emotions in free words: precision, recall and F1 of the basic emotions that wheels place them under.

After the metric of open-vocabulary emotion of the MER challenges (github.com/zeroQiaoba/MERTools, MER2026 Track 2):
words become basic emotions, words on no wheel are left out, samples whose truth has no word on a wheel are left out of
that wheel, precision and recall are means over samples, F1 is their harmonic mean, and the score is the mean over
wheels. The wheels are those of this package, not the challenge's, whose licence does not allow to ship them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.answers.wheels import Wheels, shipped_wheels
from harness.metrics.family import Floats, ratio
from harness.metrics.metric import Metric

if TYPE_CHECKING:
    from harness.metrics.sets import SetFamily

NEEDS = "set"
WHEELS = 3
"""Wheels of this package."""


def wheel_rows(
    truth: Sequence[frozenset[str]], said: Sequence[frozenset[str] | None], wheels: Wheels
) -> Floats:
    """(n, 3 * wheels): precision, recall and one for each sample whose truth is on the wheel; else zeros.

    An answer without a word on the wheel has precision and recall 0, and so has a missing one.
    """
    rows = np.zeros((len(truth), 3 * len(wheels.wheels)))
    for row, true, given in zip(rows, truth, said, strict=True):
        for at, wheel in enumerate(wheels.wheels):
            right = wheels.groups(true, wheel)
            if not right:
                continue
            told = wheels.groups(given or (), wheel)
            shared = len(right & told)
            row[3 * at : 3 * at + 3] = (
                shared / len(told) if told else 0.0, shared / len(right), 1.0
            )  # fmt: skip
    return rows


def wheel_f1(sums: Floats) -> Floats:
    """The mean over wheels of the F1 of mean precision and mean recall, at sums (..., 3 * wheels)."""
    precision, recall = _means(sums)
    both = precision + recall
    f1 = np.where(both > 0, 2 * precision * recall / np.where(both > 0, both, 1.0), both)
    return np.asarray(f1.mean(axis=-1))


def _means(sums: Floats) -> tuple[Floats, Floats]:
    counted = sums[..., 2::3]
    return ratio(sums[..., 0::3], counted), ratio(sums[..., 1::3], counted)


def _terms(family: SetFamily) -> Floats:
    return wheel_rows(family.truth, family.predicted, shipped_wheels())


def _on_wheel(family: SetFamily) -> Floats:
    """(n, 2): words named that are on a wheel, and all words named."""
    wheels = shipped_wheels()
    told = [given or frozenset() for given in family.predicted]
    return np.array([[sum(map(wheels.known, words)), len(words)] for words in told], dtype=float).reshape(-1, 2)  # fmt: skip


_SOURCE = "MER2026, track 2: github.com/zeroQiaoba/MERTools; wheels of this project"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="wheel_f1", title="F1 by wheels", needs=NEEDS, terms=_terms, columns=3 * WHEELS,
        compute=lambda family, sums: wheel_f1(sums),
        formula="(1/W) Σ_w 2 P_w R_w / (P_w + R_w), P_w = mean |T ∩ S| / |S|, R_w = mean |T ∩ S| / |T|",
        source=_SOURCE,
        estimator="mean over wheels of the F1 of basic emotions, samples whose truth is on the wheel; a missing answer is 0",
    ),
    Metric(
        name="wheel_precision", title="precision by wheels", needs=NEEDS, terms=_terms, columns=3 * WHEELS,
        compute=lambda family, sums: np.asarray(_means(sums)[0].mean(axis=-1)),
        formula="(1/W) Σ_w mean |T ∩ S| / |S|", source=_SOURCE,
        estimator="mean over wheels of the share of named basic emotions that are true; a missing answer is 0",
    ),
    Metric(
        name="wheel_recall", title="recall by wheels", needs=NEEDS, terms=_terms, columns=3 * WHEELS,
        compute=lambda family, sums: np.asarray(_means(sums)[1].mean(axis=-1)),
        formula="(1/W) Σ_w mean |T ∩ S| / |T|", source=_SOURCE,
        estimator="mean over wheels of the share of true basic emotions that are named; a missing answer is 0",
    ),
    Metric(
        name="on_wheel", title="words on a wheel", needs=NEEDS, terms=_on_wheel, columns=2, better="none",
        compute=lambda family, sums: ratio(sums[..., 0], sums[..., 1]),
        formula="words on a wheel / words named", source="this project",
        estimator="share of the named words that are on a wheel; without answers it is undefined",
    ),
)  # fmt: skip
