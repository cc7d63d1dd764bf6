"""What changes a judgement when one cue is changed and all else is held equal.

Drawn faces are rendered again with one cue shown and with it hidden; both pictures are put to the
model. A pair's difference is an effect of the cue on that picture, not an association: nothing else
differs. Pairs are clustered by subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.cues.estimate import Estimate, mean_of
from harness.stats import bootstrap

Floats = NDArray[np.float64]
Verdict = Literal["caught", "cleared", "undecided"]

CAUGHT_ABOVE = 0.10
CLEARED_WITHIN = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """One sample under two values of a cue."""

    sample: str
    cluster: str
    first: float | None
    """The outcome with the cue's first value (shown); None where it was not answered."""
    second: float | None
    """With its second value (hidden)."""


@dataclass(frozen=True, slots=True)
class CauseEffect:
    """Mean paired change of one outcome with one cue."""

    cue: str
    values: tuple[str, str]
    """The value in the first and in the second picture of a pair."""
    outcome: str
    """`P(happiness)`, `valence`, `arousal`, `label changed`."""
    change: Estimate
    """First minus second."""
    narrow: tuple[float, float]
    """90% interval, for the test that an effect is near nothing (two one-sided tests at 5%)."""
    pairs: int
    dropped: int
    """Pairs of which one half was not answered or could not be drawn."""


def effect_of(
    cue: str, values: tuple[str, str], outcome: str, pairs: Sequence[Pair], *, seed: int
) -> CauseEffect:
    """The mean paired change with 95% and 90% intervals over clusters."""
    known = [p for p in pairs if p.first is not None and p.second is not None]
    changes = np.array([float(p.first or 0.0) - float(p.second or 0.0) for p in known])
    clusters = [p.cluster for p in known]
    change = mean_of(changes, clusters, seed=seed)
    rows = np.stack([changes, np.ones(len(known))], axis=1)
    narrow = bootstrap(
        rows,
        np.asarray(clusters),
        lambda t: t[:, 0] / t[:, 1],
        seed=seed,
        level=0.90,
        method="auto",
    )
    return CauseEffect(
        cue, values, outcome, change, (narrow.low, narrow.high), len(known), len(pairs) - len(known)
    )


def verdict(effect: CauseEffect) -> Verdict:
    """Caught: the 95% lower bound of a rise lies above `CAUGHT_ABOVE`. Cleared: the whole 90% interval
    lies within +- `CLEARED_WITHIN`. Else undecided."""
    low, high = effect.narrow
    if effect.change.low > CAUGHT_ABOVE:
        return "caught"
    if low > -CLEARED_WITHIN and high < CLEARED_WITHIN:
        return "cleared"
    return "undecided"


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Do the cues that a model says it relies on move its judgement?"""

    correlation: Estimate
    """Mean over subjects of the rank correlation across cues between stated reliance and the absolute
    causal effect; 1: the order is the same."""
    subjects: int
    """Subjects with at least `LEAST_CUES` cues and some spread in both."""
    cues: tuple[str, ...]
    table: tuple[tuple[str, float, float], ...]
    """(cue, mean stated reliance, mean absolute effect) over all subjects."""


LEAST_CUES = 3


def faithfulness(
    stated: Mapping[str, Mapping[str, float]],
    effects: Mapping[str, Mapping[str, float]],
    *,
    seed: int,
) -> Faithfulness | None:
    """Spearman's correlation across cues, subject by subject.

    Args:
        stated: subject -> cue -> mean stated reliance.
        effects: subject -> cue -> mean absolute paired change.

    None where fewer than two subjects can be judged.
    """
    found: list[float] = []
    subjects: list[str] = []
    for subject in sorted(set(stated) & set(effects)):
        cues = sorted(set(stated[subject]) & set(effects[subject]))
        if len(cues) < LEAST_CUES:
            continue
        rho = spearman(
            [stated[subject][cue] for cue in cues], [effects[subject][cue] for cue in cues]
        )
        if not np.isnan(rho):
            found.append(rho)
            subjects.append(subject)
    if len(found) < 2:
        return None
    cues_all = sorted({cue for by_cue in effects.values() for cue in by_cue})
    table = tuple(
        (cue, _mean(stated, cue), _mean(effects, cue))
        for cue in cues_all
        if any(cue in by_cue for by_cue in stated.values())
    )
    correlation = mean_of(np.array(found), subjects, seed=seed)
    return Faithfulness(correlation, len(found), tuple(cues_all), table)


def _mean(values: Mapping[str, Mapping[str, float]], cue: str) -> float:
    found = [by_cue[cue] for by_cue in values.values() if cue in by_cue]
    return float(np.mean(found)) if found else float("nan")


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation with mid-ranks for ties; nan where one side has no spread."""
    a, b = _ranks(x), _ranks(y)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Sequence[float]) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    below = (table[:, None] > table[None]).sum(axis=1)
    equal = (table[:, None] == table[None]).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2, dtype=np.float64)


def by_subject(pairs: Mapping[str, Sequence[Pair]]) -> dict[str, dict[str, float]]:
    """Cue -> pairs to subject -> cue -> mean absolute change."""
    gathered: dict[str, dict[str, list[float]]] = {}
    for cue, some in pairs.items():
        for pair in some:
            if pair.first is not None and pair.second is not None:
                changes = gathered.setdefault(pair.cluster, {}).setdefault(cue, [])
                changes.append(abs(pair.first - pair.second))
    return {s: {c: float(np.mean(v)) for c, v in by.items()} for s, by in gathered.items()}
