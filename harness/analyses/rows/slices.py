"""One field by the groups of one annotation: each group's score and non-answers, the worst, and the widest gap.

Small groups are suppressed by the rule of `harness.score.grouping`: they have no numbers here, and are in no gap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.outcome import Outcome
from harness.metrics import LabelFamily, Metric, MetricFamily, main_metric, metric_of
from harness.metrics.metric import UNIT
from harness.run.dictionary_encoding import Coded
from harness.score.columns import FieldAnswers
from harness.score.grouping import UNKNOWN, Codes, Grouping, Mask, suppressed
from harness.score.repeats import Averaged, averaged
from harness.score.table import DRAWS, LEVEL, SHARED, ScoreRow, rounded
from harness.stats.gap import MaxGap, max_gap

Floats = NDArray[np.float64]

METHOD = (
    f"{LEVEL:.0%} interval from the range of the groups' resampled errors ({DRAWS} draws of whole {{unit}}s), which "
    "reaches no gap where groups may be equal; `equal_groups`: the gap that groups equal in truth would show on "
    "average, since the widest of several differences is biased upwards"
)


def slice_tables(
    column: FieldAnswers, rows: Iterable[ScoreRow], *, seed: int
) -> Iterator[Mapping[str, Any]]:
    """For each annotation that the task is sliced by, and each part, the main metric of a model's answers by group.

    `rows` are the column's score rows, where the groups' own numbers stand. A group has `n` samples in `clusters`,
    `value`, `low` and `high` over the `scored` of them, `coverage`, and counts of `outcomes` over all repeats;
    `suppressed` names the others and why. `gap` is best minus worst, with bounds, and `equal_groups`; None with fewer
    than two groups. `unknown` counts the samples without a value. Where groups hold different classes, scores are over
    the samples of those that they share (`classes`).
    """
    if not column.outcomes or not column.groupings:
        return
    numbers = {(row.slice, row.metric): row for row in rows}
    found = averaged(column.spec, column.truth, column.repeats)
    for whole, inside in column.slices:
        for grouping in column.groupings if "=" not in whole else ():
            codes = np.where(inside, grouping.codes, UNKNOWN)
            if (codes != UNKNOWN).any():
                table = _Table(column, whole, grouping, codes, found)
                unknown = int((inside & (codes == UNKNOWN)).sum())
                yield {**table.named(), "unknown": unknown, **table.numbers(numbers, seed)}


@dataclass(frozen=True, slots=True)
class _Table:
    """One column's samples on one part, by the groups of one annotation."""

    column: FieldAnswers
    whole: str
    grouping: Grouping
    codes: Codes
    """(n,) places in the grouping's values; UNKNOWN also outside the part."""
    found: Averaged

    @property
    def family(self) -> MetricFamily:
        return self.found.family

    @property
    def metric(self) -> str:
        return main_metric(self.column.spec)

    @property
    def measure(self) -> Metric:
        return metric_of(self.column.spec, self.metric)

    def small(self) -> dict[int, str]:
        """Groups that have samples -> why they are suppressed; empty where they are not."""
        clusters, unit = self.column.clusters, self.column.unit
        return {
            place: suppressed(self.codes == place, clusters, unit=unit)
            for place in np.unique(self.codes[self.codes != UNKNOWN]).tolist()
        }

    def named(self) -> dict[str, Any]:
        task, model, prompt, condition = self.column.names
        return {
            "task": task, "model": model, "prompt": prompt, "condition": condition,
            "channel": self.column.channel, "slice": self.whole, "field": self.column.field,
            "column": self.grouping.name, "metric": self.metric, "unit": self.column.unit,
        }  # fmt: skip

    def numbers(self, numbers: Mapping[tuple[str, str], ScoreRow], seed: int) -> dict[str, Any]:
        small = self.small()
        shown = [place for place, why in small.items() if not why]
        shared = self._shared(shown)
        suffix = SHARED if shared else ""
        groups = [self._group(place, numbers, suffix) for place in shown]
        ranked = sorted(
            (g for g in groups if g["value"] is not None and self.measure.sign),
            key=lambda g: (g["value"], g["name"]),
            reverse=self.measure.sign < 0,
        )
        gap = None if shared == () or len(groups) < 2 else self._gap(shown, shared, seed)
        return {
            "groups": groups,
            "suppressed": [{"name": self.grouping.values[p], "why": why} for p, why in small.items() if why],
            "worst": ranked[0]["name"] if len(ranked) > 1 else None,
            "best": ranked[-1]["name"] if len(ranked) > 1 else None,
            "gap": gap,
            "classes": list(shared) if shared is not None else None,
            "estimator": METHOD.format(unit=self.column.unit) if gap else "",
        }  # fmt: skip

    def _shared(self, shown: Sequence[int]) -> tuple[str, ...] | None:
        """The classes that all groups hold, where some hold others; None where all hold the same, or have none."""
        if not isinstance(self.family, LabelFamily) or not shown:
            return None
        held = [{*self.family.truth[self.codes == place].tolist()} for place in shown]
        if all(classes == held[0] for classes in held):
            return None
        return tuple(self.family.classes[code] for code in sorted(set.intersection(*held)))

    def _group(
        self, place: int, numbers: Mapping[tuple[str, str], ScoreRow], suffix: str
    ) -> dict[str, Any]:
        value = self.grouping.values[place]
        inside = self.codes == place
        told = f"{self.grouping.name}={value}"
        name = told if self.whole == "all" else f"{self.whole}, {told}"
        row = numbers.get((name, self.metric + suffix))
        return {
            "name": value,
            "n": int(inside.sum()),
            "scored": row.n if row else 0,
            "clusters": int(np.unique(self.column.clusters[inside]).size),
            "value": row.value if row else None,
            "low": row.low if row else None,
            "high": row.high if row else None,
            "coverage": row.coverage if row else None,
            "outcomes": _counted(self.column.outcomes, inside),
        }

    def _gap(
        self, shown: Sequence[int], shared: tuple[str, ...] | None, seed: int
    ) -> dict[str, Any] | None:
        codes = np.full_like(self.codes, UNKNOWN)
        for number, place in enumerate(shown):
            codes[self.codes == place] = number
        if shared is not None and isinstance(self.family, LabelFamily):
            among = [self.family.classes.index(label) for label in shared]
            codes[~np.isin(self.family.truth, among)] = UNKNOWN
        value = partial(self.family.value, self.metric)
        found = max_gap(
            self.found.rows, codes, self.column.clusters, value, draws=DRAWS, level=LEVEL, seed=seed
        )
        return None if math.isnan(found.value) else _told(found, bounded=self._within_one())

    def _within_one(self) -> bool:
        return self.measure.range == UNIT


def _told(gap: MaxGap, *, bounded: bool) -> dict[str, Any]:
    return {
        "value": rounded(gap.value),
        "low": rounded(gap.low),
        "high": rounded(min(gap.high, 1.0) if bounded else gap.high),
        "equal_groups": rounded(gap.equal),
    }


def _counted(outcomes: Sequence[Coded[Outcome]], inside: Mask) -> dict[str, int]:
    places = np.flatnonzero(inside)
    counts = Counter[Outcome]()
    for repeat in outcomes:
        counts.update(dict(repeat.at(places).counts()))
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
