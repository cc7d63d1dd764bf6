"""How sure a model is of its answers: the confidences that a cell's answers come with, sample by sample."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.generation import LabelScores
from harness.core.kind import alike
from harness.core.sample import Value
from harness.score.records import TaskRecords, repeated_answers

Signal = Literal["probability", "stated", "field", "votes", "repeats"]
SIGNALS: Mapping[Signal, str] = MappingProxyType({
    "probability": "probability of the answer among the labels",
    "stated": "share that the reply states for its answer",
    "field": "the task's confidence field",
    "votes": "share of the votes for the answer",
    "repeats": "share of the repeats that give the most common answer, which is the one judged",
})  # fmt: skip
"""Where a confidence comes from -> what it is; the first that a cell has is used where one is asked for."""


SIGNAL_NAMES: Mapping[Signal, str] = MappingProxyType({
    "probability": "probability", "stated": "stated share", "field": "confidence field", "votes": "share of votes",
    "repeats": "agreement of repeats",
})  # fmt: skip
"""How tables name them."""


@dataclass(frozen=True, slots=True, eq=False)
class Sure:
    """One cell's answers to one field with their confidence; n samples of known truth, all repeats finished."""

    signal: Signal
    places: NDArray[np.int64]
    """(n,) positions of the samples."""
    answers: tuple[Value | None, ...]
    """(n,) what is judged; None where there is no answer."""
    truths: tuple[Value, ...]
    """(n,)"""
    confidence: NDArray[np.float64]
    """(n,) greater is surer, on a scale of the signal's own; -inf where there is no answer or no confidence."""
    right: NDArray[np.bool_]
    """(n,)"""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,) whether there is an answer with a confidence."""
        return np.isfinite(self.confidence)


def confidences(records: TaskRecords, cell: Cell, name: str) -> Iterator[Sure]:
    """Each kind of confidence that this cell's answers to a field of labels have, in the order of `SIGNALS`."""
    spec = records.task.fields[name]
    if not (spec.scored and spec.categorical):
        return
    positions, repeats = repeated_answers(records, cell, name)
    if not positions:
        return
    places = np.asarray(positions, dtype=np.int64)
    truths = tuple(records.samples.truths_at(name, places))
    first = tuple(repeats[0])
    scored = records.scores_of(cell, name)
    if scored:
        found = [_probability(scored.get(p), v) for p, v in zip(positions, first, strict=True)]
        spoken = next(iter(scored.values())).estimator == "stated"
        yield _made(spec, "stated" if spoken else "probability", places, first, truths, sure=found)
    stated = records.task.confidence
    if stated is not None and stated != name:
        told = records.given(cell, stated)
        found = [_number(told.get(p)) for p in positions]
        yield from _unless_none(_made(spec, "field", places, first, truths, sure=found))
    voted = records.agreed.get((cell, name))
    if voted is not None:
        found = [voted.get(p) for p in positions]
        yield _made(spec, "votes", places, first, truths, sure=found)
    if len(repeats) > 1:
        chosen = [_most_common(said) for said in zip(*repeats, strict=True)]
        values = tuple(value for value, _ in chosen)
        yield _made(spec, "repeats", places, values, truths, sure=[share for _, share in chosen])


def _made(
    spec: FieldSpec,
    signal: Signal,
    places: NDArray[np.int64],
    answers: tuple[Value | None, ...],
    truths: tuple[Value, ...],
    *,
    sure: Sequence[float | None],
) -> Sure:
    known: dict[tuple[Value | None, Value], bool] = {}
    for pair in zip(answers, truths, strict=True):
        if pair not in known:
            known[pair] = pair[0] is not None and bool(alike(spec, pair[0], pair[1]))
    right = np.array([known[pair] for pair in zip(answers, truths, strict=True)], dtype=np.bool_)
    confidence = [
        -math.inf if value is None or share is None else share
        for value, share in zip(answers, sure, strict=True)
    ]
    return Sure(signal, places, answers, truths, np.array(confidence, dtype=np.float64), right)


def _unless_none(found: Sure) -> Iterator[Sure]:
    """A confidence that no answer has says nothing."""
    if found.kept.any():
        yield found


def _probability(scores: LabelScores | None, value: Value | None) -> float | None:
    """The renormalised probability of the answer; of an answer that is none of the labels the greatest."""
    if scores is None or value is None:
        return None
    top = max(scores.logprobs)
    shares = [math.exp(log - top) for log in scores.logprobs]
    label = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    own = shares[scores.labels.index(label)] if label in scores.labels else max(shares)
    return round(own / sum(shares), 6)


def _number(answer: Answer | None) -> float | None:
    value = None if answer is None else answer.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _most_common(said: Sequence[Value | None]) -> tuple[Value | None, float]:
    """The commonest answer of the repeats, the first given of equals, and its share of all repeats."""
    counted = Counter(value for value in said if value is not None)
    if not counted:
        return None, 0.0
    value, times = counted.most_common(1)[0]
    return value, times / len(said)
