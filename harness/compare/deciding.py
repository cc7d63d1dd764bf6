"""A threshold of confidence chosen on some samples and reported on others: what is kept, how right it is, what it costs.

Everything at or above the threshold is kept; the rest is left to someone else, at the cost of an abstention. The
threshold is the one of least mean cost on the samples it is chosen on (Chow 1970, with the empirical cost). Its cost there
is optimistic, since it is the least of many; the honest numbers are those of the other samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.compare.candidates import Contender
from harness.compare.costs import Costs
from harness.core.errors import HarnessError
from harness.metrics.family import ratio
from harness.score.columns import group
from harness.score.confidence import Signal, Sure, confidences
from harness.score.grouping import LEAST_CLUSTERS, LEAST_SAMPLES, suppressed
from harness.score.table import DRAWS, LEVEL
from harness.stats.bootstraps import Estimate, bootstrap_many, difference_interval
from harness.stats.interval import Interval

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Estimated:
    """A number with its interval; None where undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of some samples at the threshold."""

    n: int
    clusters: int
    kept: Estimated
    """Share of the samples whose answer is kept."""
    accuracy: Estimated
    """Share right of the kept."""
    cost: Estimated
    """Mean cost of a sample."""
    cost_of_all: float
    """Mean cost where every answer is kept."""
    cost_of_none: float
    """Mean cost where no answer is kept."""
    saved: Estimated
    """Mean cost where every answer is kept, less that at the threshold, sample by sample."""
    method: str = ""
    """Of the intervals."""
    left: int = 0
    """Answers that are not kept; 0 where every answer is, however many samples have none."""


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """One group of the samples reported on."""

    column: str
    name: str
    why: str
    """Why it is suppressed, or empty."""
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A threshold for one cell's answers to one field."""

    contender: Contender
    signal: Signal
    threshold: float | None
    """Answers of this confidence or more are kept; None: keeping no answer costs least."""
    dev: Outcome
    """On the samples it was chosen on: optimistic."""
    test: Outcome | None
    """On the others; None where none were named."""
    groups: tuple[GroupOutcome, ...]
    both: int
    """Clusters that hold samples of both parts."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which samples: a task, annotations with their values, or both."""

    said: str
    wanted: Mapping[str, str]

    @property
    def task(self) -> str | None:
        return self.wanted.get("task")

    @property
    def annotations(self) -> tuple[str, ...]:
        return tuple(name for name in self.wanted if name != "task")


def read_part(text: str, *, option: str) -> Part:
    """`split=train` or `task=NAME,split=train`. Raises HarnessError for anything else."""
    found: dict[str, str] = {}
    for piece in text.split(","):
        name, equals, value = (word.strip() for word in piece.partition("="))
        if not (name and equals and value) or name in found:
            raise HarnessError(
                f"{option} {text!r}: expected NAME=VALUE, each name once",
                hint=f"name an annotation or a task: {option} split=train, {option} task=emotion@select",
            )
        found[name] = value
    return Part(text, found)


def decide(
    cells: Sequence[Contender],
    costs: Callable[[Contender], Costs],
    *,
    dev: Part,
    test: Part | None,
    signal: Signal | None = None,
    seed: int = 0,
) -> list[Decided]:
    """A threshold for each cell and field that has a confidence, chosen on `dev` and reported on `test`.

    `signal` names the confidence; left out, each cell's first. Raises HarnessError where the parts overlap, one is too
    small, an annotation is unknown, or no cell has a confidence.
    """
    if test is not None and (dev.task is None) != (test.task is None):
        raise HarnessError(
            "one part names a task and the other does not",
            hint="name task=... in both, or in neither",
        )
    found = []
    for one in cells:
        if dev.task not in {None, one.cell.task}:
            continue
        other = one if test is None or test.task is None else _counterpart(one, cells, test.task)
        sure = _sure(one, signal)
        against = sure if other is one else None if other is None else _sure(other, signal)
        if sure is not None and other is not None and against is not None:
            pair = (sure, against)
            found.append(_decide(one, other, pair, costs(one), parts=(dev, test), seed=seed))
    if not found:
        raise HarnessError(
            f"no answer of the requested cells has a confidence{f' of the kind {signal}' if signal else ''}",
            hint="ask on --channel logprob, ask again with --repeats, vote (--protocol vote-5), or name the task's "
            "number field of confidence: harness score RUN --set confidence=FIELD",
        )
    return found


def _sure(one: Contender, signal: Signal | None) -> Sure | None:
    each = confidences(one.records, one.cell, one.field)
    return next((s for s in each if signal in {None, s.signal}), None)


def _counterpart(one: Contender, cells: Sequence[Contender], task: str) -> Contender | None:
    """The same cell on another task."""

    def key(c: Contender) -> tuple[str, ...]:
        return (c.field, c.cell.model, c.cell.prompt, c.cell.shown_condition, c.cell.taken)

    return next((c for c in cells if c.cell.task == task and key(c) == key(one)), None)


def _decide(
    one: Contender,
    other: Contender,
    sure: tuple[Sure, Sure],
    costs: Costs,
    *,
    parts: tuple[Part, Part | None],
    seed: int,
) -> Decided:
    dev, test = parts
    on = _Costed.of(one, sure[0], _mask(one, dev), costs)
    on.check(dev, "--dev")
    threshold = on.best()
    found = on.outcome(threshold, seed=seed)
    if test is None:
        return Decided(one, sure[0].signal, threshold, found, None, (), 0)
    report = _Costed.of(other, sure[1], _mask(other, test), costs)
    report.check(test, "--test")
    ids = [{c.records.samples.ids[p] for p in part.places} for c, part in ((one, on), (other, report))]  # fmt: skip
    if shared := len(ids[0] & ids[1]):
        raise HarnessError(
            f"{one.cell.task}: {shared} samples are in both parts ({dev.said} and {test.said})",
            hint="choose two parts without a common sample",
        )
    names = [{c.records.samples.cluster_names[k] for k in part.clusters} for c, part in ((one, on), (other, report))]  # fmt: skip
    return Decided(
        one, sure[0].signal, threshold, found, report.outcome(threshold, seed=seed),
        tuple(_groups(other, report, threshold, test, seed=seed)), len(names[0] & names[1]),
    )  # fmt: skip


def _mask(one: Contender, part: Part) -> Mask:
    """(samples,) those of a part. Raises HarnessError for an annotation that no sample has."""
    samples = one.records.samples
    mask = np.ones(len(samples), dtype=np.bool_)
    for name in part.annotations:
        notes = samples.notes(name)
        if all(value is None for value, times in notes.counts() if times):
            known = sorted({key for found, _ in samples.annotations.counts() for key in found})
            raise HarnessError(
                f"{one.cell.task}: no sample has an annotation {name!r}",
                hint=f"check the name: the task is sliced by {', '.join(known) or 'nothing'}, of a run folder other annotations of its "
                "samples serve as well, of an export none",
            )
        mask &= notes.where(lambda value, name=name: str(value) == part.wanted[name])  # type: ignore[misc]
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class _Costed:
    """The samples of one part with what each costs, kept or not."""

    places: NDArray[np.int64]
    confidence: Floats
    answered: Mask
    right: Mask
    if_kept: Floats
    """The cost of the answer; of no answer that of none."""
    if_left: Floats
    clusters: NDArray[np.int64]
    unit: str
    task: str

    @classmethod
    def of(cls, one: Contender, sure: Sure, mask: Mask, costs: Costs) -> _Costed:
        """The samples of `mask`."""
        inside = np.flatnonzero(mask[sure.places]).tolist()
        kept, left = [], []
        for k in inside:
            answer = sure.answers[k]
            kept.append(costs.no_answer if answer is None else costs.of(sure.truths[k], answer))
            left.append(costs.no_answer if answer is None else costs.abstain)
        places = sure.places[inside]
        return cls(
            places, sure.confidence[inside], np.array([sure.answers[k] is not None for k in inside], dtype=np.bool_),
            sure.right[inside], np.array(kept), np.array(left),
            one.records.samples.clusters.astype(np.int64)[places], one.records.cluster_unit, one.cell.task,
        )  # fmt: skip

    def check(self, part: Part, option: str) -> None:
        """Raise HarnessError where the part is too small for a number to be shown."""
        why = suppressed(np.ones(self.places.size, dtype=np.bool_), self.clusters, unit=self.unit)
        if why:
            raise HarnessError(
                f"{self.task}: {option} {part.said} has {self.places.size} answered or refused samples in "
                f"{np.unique(self.clusters).size} {self.unit}s",
                hint=f"name a part of at least {LEAST_SAMPLES} samples in {LEAST_CLUSTERS} {self.unit}s",
            )

    def at(self, mask: Mask) -> _Costed:
        """Some of the samples."""
        return _Costed(
            self.places[mask], self.confidence[mask], self.answered[mask], self.right[mask],
            self.if_kept[mask], self.if_left[mask], self.clusters[mask], self.unit, self.task,
        )  # fmt: skip

    def kept(self, threshold: float | None) -> Mask:
        """(n,) whose answers are kept."""
        sure = np.isfinite(self.confidence)
        return sure & (self.confidence >= (math.inf if threshold is None else threshold))

    def best(self) -> float | None:
        """The threshold of least mean cost, the lowest of equals; None where keeping nothing is cheaper."""
        values, codes = np.unique(-self.confidence, return_inverse=True)
        change = np.bincount(codes.ravel(), weights=self.if_kept - self.if_left)
        sure = np.isfinite(values)
        total = np.cumsum(np.round(change, 12))[sure]
        if not total.size or total.min() > 0:
            return None
        last = int(np.flatnonzero(total <= total.min() + 1e-9)[-1])
        return float(-values[sure][last])

    def outcome(self, threshold: float | None, *, seed: int) -> Outcome:
        """What becomes of the samples."""
        kept = self.kept(threshold)
        cost = np.where(kept, self.if_kept, self.if_left)
        rows = np.column_stack([np.ones(kept.size), kept, kept & self.right, cost, self.if_kept])
        rows = rows.astype(np.float64)
        values: dict[str, Estimate] = {
            "kept": lambda t: ratio(t[..., 1], t[..., 0]),
            "accuracy": lambda t: ratio(t[..., 2], t[..., 1]),
            "cost": lambda t: ratio(t[..., 3], t[..., 0]),
        }
        made = bootstrap_many(
            rows, self.clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
        )
        less = difference_interval(
            rows, self.clusters, lambda t: ratio(t[..., 4] - t[..., 3], t[..., 0]),
            draws=DRAWS, level=LEVEL, seed=seed,
        )  # fmt: skip
        total = rows.sum(axis=0)
        told = {name: _estimated(float(value(total)), made[name]) for name, value in values.items()}
        all_of, none_of = float(self.if_kept.mean()), float(self.if_left.mean())
        saved = _estimated(all_of - float(cost.mean()), less)
        method = f"{LEVEL:.0%} {made['cost'].method}, {made['cost'].clusters} {self.unit}s"
        clusters = int(np.unique(self.clusters).size)
        return Outcome(
            kept.size, clusters, told["kept"], told["accuracy"], told["cost"], _rounded(all_of), _rounded(none_of), saved,
            method, int((self.answered & ~kept).sum()),
        )  # fmt: skip


def _groups(
    one: Contender, costed: _Costed, threshold: float | None, part: Part, *, seed: int
) -> Iterator[GroupOutcome]:
    for grouping in group(one.records).groupings:
        if grouping.name in {one.field, *part.annotations}:
            continue
        codes = grouping.codes[costed.places]
        for place, name in enumerate(grouping.values):
            mask = codes == place
            if not mask.any():
                continue
            why = suppressed(mask, costed.clusters, unit=costed.unit)
            found = None if why else costed.at(mask).outcome(threshold, seed=seed)
            yield GroupOutcome(grouping.name, name, why, found)


def _estimated(value: float, interval: Interval) -> Estimated:
    if math.isnan(value):
        return Estimated(None)
    if not interval.known or interval.low == interval.high:
        return Estimated(_rounded(value))
    return Estimated(_rounded(value), _rounded(interval.low), _rounded(interval.high))


def _rounded(value: float) -> float:
    return round(value, 6) + 0.0
