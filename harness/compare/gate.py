"""Test whether a run is worse than a baseline by more than a margin, for pipelines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.analyses.keys import BLANK
from harness.analyses.words import count, metric_name, number
from harness.compare.candidates import Contender, Side, contenders
from harness.compare.comparability import differences
from harness.compare.comparison import Party
from harness.compare.measure import DRAWS, Cut, party, share
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.metrics import main_metric, metric_of
from harness.score.grouping import LEAST_CLUSTERS, LEAST_SAMPLES
from harness.stats.paired import PairedDifference, paired

Verdict = Literal["not worse", "worse", "undecided"]
ALPHA = 0.05
"""Chance, over all cells of a gate together, that one is called worse although none is."""
_AXES = (
    "model", "prompt", "condition", "channel", "protocol", "thinking", "shots", "label_order", "pixels", "detail",
)  # fmt: skip
_HARD = ("data", "task", "parser")
"""What has to be the same for a difference to mean anything; versions and sampling may be what is under test."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One cell of the run against its counterpart in the baseline, over the samples that both have."""

    task: str
    field: str
    part: str
    metric: str
    title: str
    """The metric as tables write it."""
    cell: Party
    baseline: Party | None
    """None where the run has no such cell: `cell` is then that of the baseline."""
    value: float
    """Of the run, nan where there is none."""
    other: float
    """Of the baseline."""
    difference: float
    """value - other."""
    low: float
    """Bounds of the paired interval of the difference; nan where there is none."""
    high: float
    level: float
    """Of the interval: 95%, more where several cells are judged (Bonferroni)."""
    n: int
    clusters: int
    unit: str
    verdict: Verdict
    reason: str
    """Why it is undecided, or what must not be read into the verdict; else empty."""

    @property
    def place(self) -> str:
        """Task, field and part, where that says more."""
        part = "" if self.part in {"all", self.field} else f" ({self.part})"
        return f"{self.task}: {self.field}{part}"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate finds."""

    margin: float
    judged: tuple[Judged, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """`worse` where one cell is, else `undecided` where one is, else `not worse`."""
        found = {one.verdict for one in self.judged}
        return "worse" if "worse" in found else "undecided" if "undecided" in found else "not worse"


@dataclass(frozen=True, slots=True)
class _Met:
    """A cell of the run, that of the baseline, and the part and metric that are judged."""

    a: Contender
    b: Contender
    cuts: tuple[Cut, Cut]
    clusters: NDArray[np.int64]
    part: str
    metric: str


def gate(
    run: Side,
    baseline: Side,
    *,
    margin: float,
    metric: str | None = None,
    field: str | None = None,
    keep: Callable[[Cell], bool] | None = None,
    unlike: bool = False,
    seed: int = 0,
) -> Gate:
    """Judge each cell of `run` against the one of `baseline` that is like it on every axis on which both vary.

    A cell is `worse` where the whole paired interval of the difference lies beyond the margin, `not worse` where it lies
    within, else `undecided`. `margin` is in the unit of the metric. Cells that were shown a blank picture are judged only
    where `keep` is given, which says of a cell whether it is judged.

    Raises HarnessError for a margin below 0, where nothing can be paired, for cells over other data or other fields
    unless `unlike`, and for a metric of which neither way is better.
    """
    if not 0 <= margin < math.inf:
        raise HarnessError(f"--margin {margin:g}: a margin is 0 or more")
    notes = [*run.notes, *baseline.notes]
    sides = [_cells(side, field, keep) for side in (run, baseline)]
    pairs, left = _pairs(*sides)
    met = [one for a, b in pairs for one in _met(a, b, metric, unlike, notes)]
    level = 1 - ALPHA / max(1, len(met))
    judged = [_judge(one, margin, level, seed) for one in met]
    judged += [_missing(one, level) for one in left]
    return Gate(margin, tuple(judged), tuple(dict.fromkeys(notes)))


def judge(
    a: Cut,
    b: Cut,
    metric: str,
    clusters: NDArray[np.int64],
    *,
    sign: int,
    margin: float,
    level: float,
    seed: int,
) -> tuple[PairedDifference, Verdict, str]:
    """A against B over the same samples: the difference, the verdict, and what must be said of it.

    `sign`: 1 where higher is better, -1 where lower is.
    """  # fmt: skip
    found = paired(a, b, metric, clusters, draws=DRAWS, level=level, flips=100, seed=seed)
    rows = a.rows(), b.rows()
    if rows[0].shape == rows[1].shape and np.array_equal(*rows):
        bound = 1 - (ALPHA / 2) ** (1 / found.clusters)
        said = f"no answer differs; a change in up to {bound:.1%} of such clusters could go unseen"
        return found, "not worse", said
    if reason := _undecidable(found):
        return found, "undecided", reason
    low, high = sorted((sign * found.interval.low, sign * found.interval.high))
    if low < -margin <= high:
        return found, "undecided", "the interval holds the margin: more samples would decide"
    return found, "not worse" if low >= -margin else "worse", ""


def _undecidable(found: PairedDifference) -> str:
    """Why nothing can be said; empty where it can."""
    if math.isnan(found.difference):
        return "the metric is undefined over these samples"
    if found.n < LEAST_SAMPLES or found.clusters < LEAST_CLUSTERS:
        least = f"at least {LEAST_SAMPLES} samples in {LEAST_CLUSTERS} clusters are needed"
        return f"{found.n} samples in {found.clusters} clusters: {least}"
    if math.isnan(found.interval.low) or math.isnan(found.interval.high):
        return found.interval.reason or "there is no interval"
    return ""


def _cells(side: Side, field: str | None, keep: Callable[[Cell], bool] | None) -> list[Contender]:
    def wanted(one: Contender) -> bool:
        if one.cell.asked_as or field not in {None, one.field}:
            return False
        if keep is None:
            return one.cell.condition != BLANK
        return one.predicted or keep(one.cell)  # of answers made elsewhere no axis is known

    found = [one for one in contenders([side]) if wanted(one)]
    if not found:
        raise HarnessError(
            f"{side.label}: none of the requested cells has an answer",
            hint="check its content: harness score RUN",
        )
    return found


def _pairs(
    runs: Sequence[Contender], baselines: Sequence[Contender]
) -> tuple[list[tuple[Contender, Contender]], list[Contender]]:
    """The cells that meet, and those of the baseline that meet none. Raises HarnessError where none meet, or one meets
    several."""
    pairs: list[tuple[Contender, Contender]] = []
    for a in runs:
        mine = [b for b in baselines if (b.cell.task, b.field) == (a.cell.task, a.field)]
        group = [c for c in runs if (c.cell.task, c.field) == (a.cell.task, a.field)]
        fixed = [x for x in _AXES if len(_values(mine, x)) > 1 or len(_values(group, x)) > 1]
        if a.predicted or any(b.predicted for b in mine):
            fixed = [x for x in fixed if x == "condition"]
        alike = [b for b in mine if all(getattr(b.cell, x) == getattr(a.cell, x) for x in fixed)]
        if len(alike) > 1:
            raise HarnessError(
                f"{party(a).name} may be compared with {' or with '.join(party(b).name for b in alike[:3])}",
                hint="choose the cells: --where prompt=..., condition=..., model=...",
            )
        pairs += [(a, b) for b in alike]
    if not pairs:
        held = [", ".join(dict.fromkeys(f"{c.cell.task} {party(c).name}" for c in s)) for s in (runs, baselines)]  # fmt: skip
        raise HarnessError(
            f"no cell of the run has a counterpart in the baseline: {held[0]} against {held[1]}",
            hint="compare runs of the same task, prompts and conditions, or name cells with --where",
        )
    met = {id(b) for _, b in pairs}
    return pairs, [b for b in baselines if id(b) not in met]


def _values(group: Sequence[Contender], axis: str) -> set[object]:
    return {getattr(one.cell, axis) for one in group}


def _met(
    a: Contender, b: Contender, metric: str | None, unlike: bool, notes: list[str]
) -> Iterator[_Met]:
    others = differences(a, b)
    hard = [str(one) for one in others if one.field.split(".")[0].split()[0].rstrip(":") in _HARD]
    if hard and not unlike:
        raise HarnessError(
            f"{a.side} and {b.side} cannot be compared: {'; '.join(hard[:3])}",
            hint="make them alike, or use --unlike to judge them anyway",
        )
    notes += [f"the two differ in {one}" for one in others]
    shared = share((a, b))
    for side, left in ((a, len(a.positions)), (b, len(b.positions))):
        if left > len(shared.clusters):
            notes.append(
                f"{side.side}: {count(left - len(shared.clusters))} samples are left out because the other does not have them"
            )
        if side.pending:
            notes.append(f"{side.side}: {count(side.pending)} trials are not finished")
    chosen = metric or main_metric(a.spec)
    if not metric_of(a.spec, chosen).sign:
        raise HarnessError(f"{chosen}: neither way is better", hint="name another with --metric")
    for part in shared.whole:
        mask = shared.slices[part]
        first, second = shared.cut(mask)
        yield _Met(a, b, (first, second), shared.clusters[mask], part, chosen)


def _judge(one: _Met, margin: float, level: float, seed: int) -> Judged:
    sign = metric_of(one.a.spec, one.metric).sign
    found, verdict, reason = judge(
        *one.cuts, one.metric, one.clusters, sign=sign, margin=margin, level=level, seed=seed
    )
    return Judged(
        task=one.a.cell.task, field=one.a.field, part=one.part, metric=one.metric,
        title=metric_name(one.metric, one.a.spec), cell=party(one.a), baseline=party(one.b), value=found.value_a,
        other=found.value_b, difference=found.difference, low=found.interval.low, high=found.interval.high,
        level=level, n=found.n, clusters=found.clusters, unit=one.a.records.cluster_unit, verdict=verdict,
        reason=reason,
    )  # fmt: skip


def _missing(one: Contender, level: float) -> Judged:
    """What the baseline has and the run has not: nothing is known of it, so the gate does not open."""
    chosen = main_metric(one.spec)
    return Judged(
        task=one.cell.task, field=one.field, part="all", metric=chosen, title=metric_name(chosen, one.spec),
        cell=party(one), baseline=None, value=math.nan, other=math.nan, difference=math.nan, low=math.nan,
        high=math.nan, level=level, n=0, clusters=0, unit=one.records.cluster_unit, verdict="undecided",
        reason="the baseline has this cell, the run does not",
    )  # fmt: skip


def line(one: Judged) -> str:
    """One judged cell in words."""
    head = f"{one.verdict}: {one.title} of {one.cell.name}, {one.place}"
    if one.n:
        assumed = ", independence assumed" if one.unit == "image" else ""
        head += (
            f": {number(one.value)} against {number(one.other)}, difference {signed(one.difference)} "
            f"[{signed(one.low)}, {signed(one.high)}] at {100 * one.level:.3g}% (n = {count(one.n)}, {count(one.clusters)} "
            f"{one.unit}s{assumed})"
        )
    return f"{head}; {one.reason}" if one.reason else head


def signed(value: float) -> str:
    """+.012, -.030; a dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{'+' if value >= 0 else ''}{number(value)}"
