"""Check whether a model's emotion agrees with its valence and arousal.

Each emotion has a place on the circumplex (Russell 1980). The signs are those on which the
literature agrees; surprise has no sign of valence, neutral none at all, sadness and contempt are
of low or middling arousal and are judged by valence alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.cues.estimate import Estimate, estimate, ratio

VALENCE: Mapping[str, int] = {
    "anger": -1, "contempt": -1, "disgust": -1, "fear": -1, "sadness": -1, "happiness": 1,
}  # fmt: skip
AROUSAL: Mapping[str, int] = {"anger": 1, "fear": 1, "surprise": 1}
MIDDLE = 0.05
"""A number nearer to 0 than this has no sign and does not disagree."""


def sign_agreement(
    judged: Sequence[str | None],
    numbers: Sequence[float | None],
    signs: Mapping[str, int],
    clusters: Sequence[Any],
    *,
    seed: int,
) -> Estimate | None:
    """Share of answers whose number does not contradict the sign of their emotion.

    Over samples that have both and whose emotion has a sign; None where there are none.
    """
    rows = np.zeros((len(judged), 2))
    for i, (label, number) in enumerate(zip(judged, numbers, strict=True)):
        if label is None or number is None or label not in signs:
            continue
        rows[i] = (number * signs[label] > -MIDDLE, 1)
    if not rows[:, 1].any():
        return None
    return estimate(
        rows, clusters, lambda t: ratio(t[:, 0], t[:, 1]), seed=seed, n=int(rows[:, 1].sum())
    )
