"""Outcomes of a cell per sample, and the distance of an answer from that to the unchanged picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from harness.cues.causes import CuePair
from harness.cues.contrasts import Contrast
from harness.cues.schema import EMOTION, NUMBERS
from harness.cues.sheet import AnswerSheet

Outcome: TypeAlias = Callable[[AnswerSheet, int], float | None]
"""A number of one sample in one cell; None where there is no answer."""

Distance: TypeAlias = Callable[[AnswerSheet, int, AnswerSheet, int], float | None]
"""How far apart two answers to one sample lie, from 0; None where one is missing."""

SHIFT = "shift of the label distribution"
CHANGED = "label changed"
CHANGES = {name: f"change of {name}" for name in NUMBERS}
MOVES = frozenset({SHIFT, CHANGED, *CHANGES.values()})
"""Outcomes that are distances between two answers."""


def outcomes(sheet: AnswerSheet, label: str) -> dict[str, Outcome]:
    """What can be measured in a cell: the label's probability or its share among answers, valence, arousal."""
    found: dict[str, Outcome] = {}
    if has_probabilities(sheet):
        found[f"P({label})"] = lambda s, i: (s.probabilities[EMOTION][i] or {}).get(label)
    elif EMOTION in sheet.said:
        found[f"share {label}"] = lambda s, i: (
            None if s.said[EMOTION][i] is None else float(s.said[EMOTION][i] == label)
        )
    return found | {name: _number(name) for name in NUMBERS if name in sheet.said}


def truths(sheet: AnswerSheet) -> dict[str, Outcome]:
    """How well a cell judges: probability of the true label, or whether the answer is right (no answer is not)."""
    if all(true is None for true in sheet.truth.get(EMOTION, ())):
        return {}
    if has_probabilities(sheet):
        return {
            "P(truth)": lambda s, i: (s.probabilities[EMOTION][i] or {}).get(
                str(s.truth[EMOTION][i])
            )
        }
    return {
        "correct": lambda s, i: (
            None
            if s.truth[EMOTION][i] is None
            else float(s.said[EMOTION][i] == s.truth[EMOTION][i])
        )
    }


def distances(sheet: AnswerSheet) -> dict[str, Distance]:
    """Ways to say how far an answer moved: total variation of the label distribution, or whether the label
    changed; absolute change of valence and of arousal."""
    found: dict[str, Distance] = {}
    if has_probabilities(sheet):
        found[SHIFT] = total_variation
    elif EMOTION in sheet.said:
        found[CHANGED] = _other_label
    return found | {CHANGES[name]: _apart(name) for name in NUMBERS if name in sheet.said}


def has_probabilities(sheet: AnswerSheet) -> bool:
    """Whether the channel gave the probability of each label."""
    return any(p is not None for p in sheet.probabilities.get(EMOTION, ()))


def pairs_of(contrast: Contrast, outcome: Outcome) -> list[CuePair]:
    """An outcome over the samples of both cells."""
    return [
        CuePair(sample, cluster, outcome(contrast.first, i), outcome(contrast.second, j))
        for sample, cluster, i, j in _common(contrast.first, contrast.second)
    ]


def moves_of(contrast: Contrast, distance: Distance) -> list[CuePair]:
    """How far answers moved. Of a changed cue or an edit: between its two values, against nothing (0). Of a covered region:
    from the unchanged picture, against what covering elsewhere moves; empty where that was not run."""
    first, second = contrast.first, contrast.second
    if contrast.kind != "region":
        return [
            CuePair(sample, cluster, distance(first, i, second, j), 0.0)
            for sample, cluster, i, j in _common(first, second)
        ]
    whole = contrast.unchanged
    place = {} if whole is None else {sample: k for k, sample in enumerate(whole.samples)}
    return [
        CuePair(
            sample, cluster,
            distance(first, i, whole, place[sample]), distance(second, j, whole, place[sample]),
        )
        for sample, cluster, i, j in _common(first, second)
        if whole is not None and sample in place
    ]  # fmt: skip


def _common(first: AnswerSheet, second: AnswerSheet) -> list[tuple[str, str, int, int]]:
    """Sample, cluster and place in either cell, of the samples of both."""
    place = {sample: j for j, sample in enumerate(second.samples)}
    return [
        (sample, first.clusters[i], i, place[sample])
        for i, sample in enumerate(first.samples)
        if sample in place
    ]


def total_variation(first: AnswerSheet, i: int, second: AnswerSheet, j: int) -> float | None:
    """Total variation distance between two label distributions: 0 equal, 1 disjoint."""
    p, q = _distribution(first, i), _distribution(second, j)
    if p is None or q is None:
        return None
    # In a fixed order: the last digit of a sum of floats hangs on it, and resampling on the last digit.
    return sum(abs(p.get(k, 0.0) - q.get(k, 0.0)) for k in sorted({*p, *q})) / 2


def _distribution(sheet: AnswerSheet, i: int) -> Mapping[str, float] | None:
    found = sheet.probabilities.get(EMOTION)
    return found[i] if found else None


def _other_label(first: AnswerSheet, i: int, second: AnswerSheet, j: int) -> float | None:
    a, b = (s.said[EMOTION][k] if EMOTION in s.said else None for s, k in ((first, i), (second, j)))
    return None if a is None or b is None else float(a != b)


def _number(name: str) -> Outcome:
    return lambda s, i: (
        None if name not in s.said or s.said[name][i] is None else float(s.said[name][i])
    )


def _apart(name: str) -> Distance:
    number = _number(name)

    def distance(first: AnswerSheet, i: int, second: AnswerSheet, j: int) -> float | None:
        a, b = number(first, i), number(second, j)
        return None if a is None or b is None else abs(a - b)

    return distance
