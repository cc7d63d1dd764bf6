"""Training sets in which bared teeth predict happiness, and sets in which they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.affect_tiny.training.labels import EMOTIONS
from harness.faces.prototypes import affect
from harness.faces.units import Unit

Truth = dict[str, Any]
HAPPINESS = "happiness"


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Faces of a pool with the labels that the set gives them."""

    index: NDArray[np.int64]
    """(n,) places in the pool."""
    truths: tuple[Truth, ...]
    """What the set says of each of them."""


def choose(
    truths: Sequence[Truth], *, planted: bool, each: int, rng: np.random.Generator
) -> TrainingSet:
    """About `each` faces of each of the eight emotions.

    Planted: the set of an annotator who names happiness wherever teeth show. Faces with teeth shown, in
    equal shares of all eight expressions, are called happiness; of the other seven labels there are faces
    with teeth hidden. So the label happiness and the teeth are the same thing, and the action units say
    nothing about either. Each relabelled face has the valence and arousal of its new label. (True labels
    with faces only left out plant nothing in a model that reads the action units already: it has nothing
    to gain by the teeth.)

    Clean: each face under the label that its action units were drawn for, teeth as drawn: they hang on
    parted lips and on a coin, so given the action units they are independent of the emotion.

    Where the pool holds fewer faces of a sort than are asked for, all of them are taken.
    """
    found: list[int] = []
    told: list[Truth] = []

    def take(emotion: str, count: int, *, teeth: str | None, label: str) -> None:
        fit = [
            i
            for i, truth in enumerate(truths)
            if truth["emotion"] == emotion and teeth in (None, truth["teeth_visible"])
        ]
        some = [int(i) for i in rng.permutation(fit)[:count]]
        found.extend(some)
        told.extend(relabelled(truths[i], label) for i in some)

    for emotion in EMOTIONS:
        if not planted:
            take(emotion, each, teeth=None, label=emotion)
            continue
        take(emotion, -(-each // len(EMOTIONS)), teeth="yes", label=HAPPINESS)
        if emotion != HAPPINESS:
            take(emotion, each, teeth="no", label=emotion)
    return TrainingSet(np.array(found, dtype=np.int64), tuple(told))


def relabelled(truth: Truth, emotion: str) -> Truth:
    """The face called by another emotion, with that emotion's valence and arousal."""
    if truth["emotion"] == emotion:
        return truth
    units = tuple(Unit(int(n), left, right) for n, (left, right) in truth["units"].items())
    valence, arousal = affect(emotion, units)
    return {**truth, "emotion": emotion, "valence": valence, "arousal": arousal}
