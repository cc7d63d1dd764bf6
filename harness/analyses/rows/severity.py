"""How scores and answers change with the severity of a degradation, and how much of the loss an enhancement restores.

A curve is one model, prompt and channel under one kind of degradation, with or without a repair; its point at severity 0
is the same cell without the degradation. All numbers of a curve are over the samples that every one of its cells has
answered or failed to answer, and the cells are resampled together, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analyses.rows.severity_groups import widened
from harness.analyses.rows.together import (
    SEVERITIES,
    Places,
    Seen,
    Together,
    difference,
    mean_corruption_error,
    restored_share,
    trapezoids,
)
from harness.conditions.degrade import Degradation, degradation_of
from harness.core.cell import FREE, Cell
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.prompt_family import NO_PROMPT
from harness.core.sample import Value
from harness.metrics import Metric, main_metric, metric_of
from harness.run.dictionary_encoding import Coded
from harness.score.columns import Groups
from harness.score.confidence import confidences
from harness.score.grouping import suppressed
from harness.score.records import TaskRecords, repeated_answers, repeated_outcomes
from harness.score.table import DRAWS, LEVEL, rounded
from harness.score.unseen import Seen as Hidden
from harness.score.unseen import without_spread
from harness.stats.bootstraps import Estimate, bootstrap_many
from harness.stats.interval import Interval

LEAST_LOSS = 0.05
"""A smaller loss of a metric of 0 to 1 has nothing to restore."""
NOTHING_LOST = "no loss to restore"
TOO_FEW = "too few samples or subjects"
SILENT = "the reference never answers"
FAULTLESS = "the reference makes no error"
"""Why there is no mean corruption error."""
_NO_NUMBER: Mapping[str, None] = MappingProxyType({"value": None, "low": None, "high": None})
BLANK = "blank"
AREA = "trapezoids over severity 0 to 5, divided by 5"
RESTORED = "(enhanced - degraded) / (clean - degraded)"


@dataclass(frozen=True, slots=True)
class Curve:
    """The cells of one curve, on the samples that they share."""

    family: Degradation
    cells: Mapping[int, Seen]
    """Severity -> cell; 0 is the clean one, where it was run."""
    unrepaired: Mapping[int, Seen]
    """The same severities without the repair, of a curve with one."""
    blank: Seen | None
    places: Places
    truth: Coded[Value]

    @property
    def every(self) -> tuple[Seen, ...]:
        """All cells that are resampled together."""
        return (*self.cells.values(), *self.unrepaired.values())


def severity_entries(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell], *, seed: int, reference: str = ""
) -> Iterator[Mapping[str, Any]]:
    """An entry for each curve (`what`: curve), and one for each model against the `reference`, or where none is named
    against each other one (`what`: mce)."""
    if not any(degradation_of(cell.condition) for cell in cells):
        return
    for name, spec in records.task.fields.items():
        if not spec.scored:
            continue
        for whole, mask in groups.slices.items():
            if "=" in whole:
                continue
            shown = {cell: _seen(records, cell, name, mask) for cell in cells}
            present = {cell: one for cell, one in shown.items() if one is not None}
            part = _Part(records, groups, name, spec, whole, seed)
            yield from (part.entry(curve) for curve in part.curves(present))
            yield from part.relative(present, reference)


def _seen(records: TaskRecords, cell: Cell, name: str, mask: NDArray[np.bool_]) -> Seen | None:
    positions, repeats = repeated_answers(records, cell, name)
    places = np.asarray(positions, dtype=np.int64)
    inside = np.flatnonzero(mask[places])
    if not inside.size:
        return None
    outcomes = repeated_outcomes(records, cell, name, positions)
    return Seen(
        cell,
        places[inside],
        [answers.at(inside) for answers in repeats],
        [one.at(inside) for one in outcomes],
        next(confidences(records, cell, name), None),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One field on the whole task or one part of it."""

    records: TaskRecords
    groups: Groups
    field: str
    spec: FieldSpec
    slice: str
    seed: int

    @property
    def metric(self) -> Metric:
        return metric_of(self.spec, main_metric(self.spec))

    @property
    def is_share(self) -> bool:
        """Whether 1 is best, so that 1 less the score is an error."""
        return self.metric.better == "higher" and self.metric.range[1] == 1.0

    def curves(self, seen: Mapping[Cell, Seen]) -> Iterator[Curve]:
        """The curves of these cells, in the order of the cells."""
        found: dict[tuple[Cell, Degradation], dict[int, Seen]] = {}
        for cell, one in seen.items():
            told = degradation_of(cell.condition)
            if told is not None:
                base = replace(cell, condition="", given_id="")
                found.setdefault((base, told.family), {}).setdefault(told.severity, one)
        for (base, family), steps in found.items():
            clean = seen.get(replace(base, condition=family.clean))
            if clean is not None and not family.repair:
                steps.setdefault(0, clean)
            without: Mapping[int, Seen] = {}
            if family.repair:
                there = found.get((base, family.unrepaired), {})
                without = {s: there[s] for s in steps if s in there}
                if clean is not None:
                    without = {**without, 0: clean}
            yield self._curve(
                family,
                dict(sorted(steps.items())),
                without,
                seen.get(replace(base, condition=BLANK)),
            )

    def _curve(
        self, family: Degradation, steps: Mapping[int, Seen], without: Mapping[int, Seen], blank: Seen | None
    ) -> Curve:  # fmt: skip
        shared = _shared([*steps.values(), *without.values()])
        truth = self.records.samples.truths_at(self.field, shared)
        return Curve(
            family,
            {s: one.at(shared) for s, one in steps.items()},
            {s: one.at(shared) for s, one in without.items()},
            blank, shared, truth,
        )  # fmt: skip

    def entry(self, curve: Curve) -> Mapping[str, Any]:
        """What scores.json holds of a curve."""
        family, first = curve.family, next(iter(curve.cells.values())).cell
        clusters = self.groups.clusters[curve.places]
        named = f"degrade:{family.kind}" + (f"/{family.repair}" if family.repair else "")
        entry: dict[str, Any] = {
            "what": "curve", "task": first.task, "model": first.model, "prompt": first.prompt,
            "condition": named if family.clean == "none" else f"{family.clean}/{named}", "channel": first.taken,
            "slice": self.slice, "field": self.field, "metric": self.metric.name, "kind": family.kind,
            "repair": family.repair, "n": len(curve.places), "clusters": int(np.unique(clusters).size),
            "unit": self.records.cluster_unit,
        }  # fmt: skip
        if why := suppressed(
            np.ones(len(curve.places), dtype=np.bool_), clusters, unit=self.records.cluster_unit
        ):
            return {**entry, "suppressed": why}
        table = Together.of(self.spec, self.metric.name, curve.truth, curve.every)
        values = self._values(curve, table)
        made = bootstrap_many(
            table.rows, clusters, values, draws=DRAWS, level=LEVEL, seed=self.seed, method="auto"
        )
        point = {name: float(value(table.rows.sum(axis=0))) for name, value in values.items()}
        told = {name: _told(point[name], made[name]) for name in values}
        entry["points"] = [
            {
                "severity": s, "condition": one.cell.shown_condition,
                **_told(point[f"at {s}"], self._seen_or_hidden(curve, table, place, made[f"at {s}"])),
                "spread": made[f"at {s}"].low != made[f"at {s}"].high, **self._answers(curve, one),
            }
            for place, (s, one) in enumerate(curve.cells.items())
        ]  # fmt: skip
        ends = {0, SEVERITIES} <= curve.cells.keys()
        entry["area"] = _with_spread(told["area"]) if ends else None
        entry["restored"] = [
            _restored(s, told[f"lost {s}"], told[f"restored {s}"], self.is_share)
            for s in curve.cells
            if f"lost {s}" in told
        ]
        entry["blank"] = self._blank(curve)
        entry["groups"] = list(self._widened(curve))
        entry["estimator"] = (
            f"{interval_words(next(iter(made.values())))}; area: {AREA}; restored: {RESTORED}"
        )
        return entry

    def _seen_or_hidden(
        self, curve: Curve, table: Together, place: int, interval: Interval
    ) -> Interval:
        """The interval; where resamples saw no spread, what the clusters may have hidden."""
        found, clusters = table.families[place], self.groups.clusters[curve.places]
        truths = [value for value, count in curve.truth.counts() if count]
        seen = Hidden(found.family, found.rows, truths, curve.truth, clusters)
        name = self.metric.name
        return without_spread({name: interval}, self.spec, seen, model="")[name]

    def _values(self, curve: Curve, table: Together) -> dict[str, Estimate]:
        """The numbers of a curve as functions of the totals of all its cells."""
        found: dict[str, Estimate] = {}
        steps, count = list(curve.cells), len(curve.cells)
        for place, s in enumerate(steps):
            found[f"at {s}"] = table.value(place)
        if {0, SEVERITIES} <= set(steps):
            found["area"] = table.combined(range(count), trapezoids(steps))
        places = {s: count + k for k, s in enumerate(curve.unrepaired)}
        for place, s in enumerate(steps):
            if s and s in places and 0 in places:
                clean, bad = table.value(places[0]), table.value(places[s])
                found[f"lost {s}"] = difference(clean, bad, self.metric.sign)
                found[f"restored {s}"] = restored_share(table.value(place), bad, clean)
        return found

    def _answers(self, curve: Curve, one: Seen) -> dict[str, Any]:
        """Shares of all samples: answered, refused, off the list, other; wrong; wrong and confident."""
        answered, refused = one.share(Outcome.ANSWERED), one.share(Outcome.REFUSED)
        off = one.share(Outcome.OFF_LIST)
        told = {
            "answered": answered,
            "refused": refused,
            "off_list": off,
            "other": 1 - answered - refused - off,
        }
        found: dict[str, Any] = {name: rounded(max(0.0, value)) for name, value in told.items()}
        if self.spec.categorical:
            found["wrong"] = rounded(float(one.wrong(curve.truth, self.spec).mean()))
            found["confident_wrong"] = _confident_wrong(one, self._sure_enough(curve))
        return found

    def _blank(self, curve: Curve) -> Mapping[str, Any] | None:
        """What is answered where nothing is shown, on the samples of the curve that the blank cell has."""
        if curve.blank is None:
            return None
        shared = np.intersect1d(curve.places, curve.blank.places)
        if not shared.size:
            return None
        truth = self.records.samples.truths_at(self.field, shared)
        return self._answers(replace(curve, places=shared, truth=truth), curve.blank.at(shared))

    def _sure_enough(self, curve: Curve) -> float | None:
        """The confidence that counts as confident: the median of right answers on clean pictures."""
        clean = curve.unrepaired.get(0) or curve.cells.get(0)
        if clean is None or clean.sure is None:
            return None
        inside = np.isin(clean.sure.places, curve.places)
        right = clean.sure.confidence[inside & clean.sure.right & clean.sure.kept]
        return float(np.median(right)) if right.size else None

    def _widened(self, curve: Curve) -> Iterator[Mapping[str, Any]]:
        clean = curve.unrepaired.get(0) or curve.cells.get(0)
        if clean is None:
            return
        for grouping in self.groups.groupings:
            if grouping.name == self.field:
                continue
            for s, one in curve.cells.items():
                if s:
                    pair = Together.of(self.spec, self.metric.name, curve.truth, (clean, one))
                    found = widened(
                        pair, grouping.at(curve.places), self.groups.clusters[curve.places], self.metric,
                        unit=self.records.cluster_unit, seed=self.seed,
                    )  # fmt: skip
                    if found is not None:
                        yield {"column": grouping.name, "severity": s, **found}

    def relative(self, seen: Mapping[Cell, Seen], reference: str) -> Iterator[Mapping[str, Any]]:
        """The mean corruption error of each model relative to the reference, or each other one, asked in the same way; of
        two models that share no way to be asked (a classifier takes no prompt), each way of one relative to each of the
        other."""
        if not self.is_share:
            return
        whole: dict[Cell, dict[str, Mapping[int, Seen]]] = {}
        for curve in self.curves(seen):
            steps = {s: seen[one.cell] for s, one in curve.cells.items() if s}
            if not curve.family.repair and len(steps) == SEVERITIES:
                base = replace(steps[1].cell, condition=curve.family.clean, given_id="")
                whole.setdefault(base, {})[curve.family.kind] = steps
        ways: dict[str, set[Cell]] = {}
        for cell in whole:
            ways.setdefault(cell.model, set()).add(replace(cell, model=""))
        for one, mine in whole.items():
            for other, theirs in whole.items():
                if one.model == other.model or (reference and other.model != reference):
                    continue
                alike = replace(one, model="") == replace(other, model="")
                if not alike and ways[one.model].isdisjoint(ways[other.model]):
                    alike = _apart_from_asking(one) == _apart_from_asking(other)
                if alike:
                    yield self._mce(one, other, mine, theirs)

    def _mce(
        self, one: Cell, other: Cell, mine: Mapping[str, Mapping[int, Seen]], theirs: Mapping[str, Mapping[int, Seen]]
    ) -> Mapping[str, Any]:  # fmt: skip
        kinds = [kind for kind in mine if kind in theirs]
        steps = [
            found for kind in kinds for side in (mine, theirs) for found in side[kind].values()
        ]
        entry: dict[str, Any] = {
            "what": "mce", "task": one.task, "model": one.model, "prompt": one.prompt, "condition": one.shown_condition,
            "channel": one.taken, "slice": self.slice, "field": self.field, "metric": self.metric.name,
            "reference": _told_apart(other, one), "kinds": kinds,
        }  # fmt: skip
        shared = _shared(steps) if steps else np.array([], dtype=np.int64)
        clusters = self.groups.clusters[shared]
        said = ""
        if not kinds or suppressed(np.ones(len(shared), dtype=np.bool_), clusters, unit=""):
            said = TOO_FEW
        elif not any(
            step.share(Outcome.ANSWERED) for kind in kinds for step in theirs[kind].values()
        ):
            said = SILENT
        if said:
            return {**entry, "n": len(shared), **_NO_NUMBER, "said": said}
        truth = self.records.samples.truths_at(self.field, shared)
        table = Together.of(self.spec, self.metric.name, truth, [step.at(shared) for step in steps])
        value = mean_corruption_error(table, len(kinds))
        made = bootstrap_many(
            table.rows, clusters, {"mce": value}, draws=DRAWS, level=LEVEL, seed=self.seed, method="auto"
        )["mce"]  # fmt: skip
        found = _told(float(value(table.rows.sum(axis=0))), made)
        said = "" if found["value"] is not None else FAULTLESS
        return {**entry, "n": len(shared), **found, "said": said, "estimator": interval_words(made)}


def _apart_from_asking(cell: Cell) -> Cell:
    return replace(cell, model="", prompt="", channel=FREE)


def _told_apart(reference: Cell, one: Cell) -> str:
    """The model of a reference, with its prompt and channel where those are not the same."""
    prompt = f" {reference.prompt}" if reference.prompt not in {one.prompt, NO_PROMPT} else ""
    channel = f" {reference.taken}" if prompt and reference.channel != FREE else ""
    return f"{reference.model}{prompt}{channel}"


def _shared(seen: Sequence[Seen]) -> Places:
    found = seen[0].places
    for one in seen[1:]:
        found = np.intersect1d(found, one.places)
    return found


def _confident_wrong(one: Seen, enough: float | None) -> float | None:
    """Share of the samples with a wrong answer at least as sure as `enough`; None without confidences."""
    if one.sure is None or enough is None:
        return None
    at = np.searchsorted(one.sure.places, one.places)
    sure = one.sure.confidence[at] >= enough
    return rounded(float((sure & one.sure.kept[at] & ~one.sure.right[at]).mean()))


def _restored(
    severity: int, lost: Mapping[str, Any], found: Mapping[str, Any], share: bool
) -> Mapping[str, Any]:
    """The loss and what was restored of it; no number where there was no loss."""
    least = LEAST_LOSS if share else 0.0
    value, low = lost["value"], lost["low"]
    none = value is None or value <= 0 or value < least or low is None or low <= 0
    return {
        "severity": severity,
        **(_NO_NUMBER if none else _with_spread(found)),
        "lost": value, "lost_low": low, "lost_high": lost["high"], "said": NOTHING_LOST if none else "",
    }  # fmt: skip


def _with_spread(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The number; without an interval where no resample differs from another, which is no certainty."""
    return {**found, "low": None, "high": None} if found["low"] == found["high"] else found


def _told(value: float, interval: Interval) -> dict[str, Any]:
    ends = (interval.low, interval.high) if interval.known else (float("nan"), float("nan"))
    low, high = map(rounded, ends)
    return {"value": rounded(value), "low": low, "high": high}


def interval_words(interval: Interval) -> str:
    """How intervals were made."""
    return f"{interval.level:.0%} intervals, {interval.method}, {interval.draws} draws of {interval.clusters} clusters, the cells together"
