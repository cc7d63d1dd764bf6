"""Does a model's label distribution follow a mixture? After MIDAS (arXiv 2506.20867), asked of one that is only shown it.

Two designs, one analysis. Under the condition `mix:LAMBDA` each sample is mixed with a partner of another label, and
its soft label is lambda of its own and 1 - lambda of the partner's. A drawn mixture (source `faces`, kind `mixture`)
or an acted blend (BLEMORE) lies between two emotions by itself, and stands here twice: from the side of either emotion. For each weight the
divergence from the mixed soft label, and what is given to the own label, the other's and elsewhere; over all weights
the slope of P(own label) on the weight, which is 1 where the answer follows the mixture, 0 where it does not care, and
above 1 where it jumps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analyses.rows.soft import SoftColumn, column_rows, interval_words, soft_column
from harness.conditions.mixture import unmixed, weight_of
from harness.core.cell import Cell
from harness.core.sample import Value
from harness.metrics import point_masses
from harness.metrics.family import ratio
from harness.run.mix_pairing import RULE, mixing_field
from harness.score.columns import Groups
from harness.score.naming import who_answered
from harness.score.records import TaskRecords
from harness.score.table import DRAWS, LEVEL, ScoreRow, rounded
from harness.score.votes import SoftTruth, Votes
from harness.stats.bootstraps import bootstrap

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

PICTURES, FACES = "mixed pictures", "blends of two emotions"
"""The two designs, as they are told."""
MIXED = "truth: the sample's own distribution and its partner's, mixed as the pictures are"
BIN = 0.1
"""Width of the bins of weights where every sample has its own."""
SLOPE = (
    "slope of least squares of P(own label) on the share of its own in the mixture, a missing answer giving "
    "neither label anything"
)


@dataclass(frozen=True, slots=True, eq=False)
class MixtureTrials:
    """m trials: how much of each is its own, and what was given to either label."""

    weight: Floats
    own: Floats
    other: Floats
    js: Floats
    entropy: Floats
    """Cross-entropy; nan for answers of one label."""
    answered: Floats
    clusters: NDArray[Any]
    exact: Floats
    """The weights themselves, where `weight` is the middle of a bin."""

    def at(self, places: Codes) -> MixtureTrials:
        """The trials at these places."""
        return MixtureTrials(
            **{f.name: getattr(self, f.name)[places] for f in fields(MixtureTrials)}
        )

    def line_rows(self) -> Floats:
        """(m, 5) x, y, xx, xy and 1, of which `slope` is a function."""
        x, y = self.exact, self.own
        return np.column_stack([x, y, x * x, x * y, np.ones(len(x))])


def mixture_scores(
    records: TaskRecords,
    groups: Groups,
    cells: Sequence[Cell],
    votes: Votes,
    *,
    seed: int,
) -> tuple[list[ScoreRow], list[Mapping[str, Any]]]:
    """Soft-label rows of the cells that mix, against the mixed truth, and the entries that `_entry` makes.

    The cell that shows the samples unmixed, where it was run, stands in its entry as the weight 1.
    """
    truths, partners = votes.truths, votes.partners
    rows: list[ScoreRow] = []
    entries: list[Mapping[str, Any]] = []
    field = mixing_field(records.task)
    families: dict[Cell, list[Cell]] = {}
    for cell in cells:
        if weight_of(cell.condition) is not None:
            families.setdefault(replace(cell, condition=unmixed(cell.condition)), []).append(cell)
    for base, mixing in families.items() if field is not None else ():
        truth = _with_labels(records, str(field), truths.get(str(field)))
        codes = _codes(records, truth)
        found = []
        merged: dict[str, str] = {}
        for cell in (*mixing, *([base] if base in cells else [])):
            weight = weight_of(cell.condition)
            merged |= partners.get(cell.id, {})
            beside = _beside(records, merged if weight is None else partners.get(cell.id, {}))
            part = 1.0 if weight is None else weight
            column = soft_column(records, cell, truth, of=_mixed(truth, beside, part), told=MIXED)
            if column is None:
                continue
            if weight is not None:
                rows += column_rows(column, records, groups, seed=seed)
            at = column.places
            found.append(
                _points(column, np.full(at.size, part), (codes[at], codes[beside[at]]), groups)
            )
        if found:
            entries.append(_entry(base, str(field), PICTURES, _joined(found), records, seed=seed))
    for truth in truths.values():
        for cell in cells:
            drawn = _of_faces(records, groups, cell, truth)
            if drawn is not None and weight_of(cell.condition) is None:
                entries.append(_entry(cell, truth.field, FACES, drawn, records, seed=seed))
    return rows, entries


def _with_labels(records: TaskRecords, field: str, known: SoftTruth | None) -> SoftTruth:
    """The distributions of a field, that of a sample without votes being its label alone."""
    classes = records.task.fields[field].classes
    own = [_word(s.targets.get(field)) for s in records.samples]
    masses = point_masses(own, classes)
    if known is None:
        nothing = np.full((len(own), len(classes) + 1), np.nan)
        return SoftTruth(field, classes, masses, np.ones(len(own)), nothing)
    return replace(known, shares=np.where(known.known[:, None], known.shares, masses))


def _codes(records: TaskRecords, truth: SoftTruth) -> Codes:
    """(n,) the class of each sample's own label, 0 where it has none (such samples have no truth either)."""
    places = {label: place for place, label in enumerate(truth.classes)}
    own = [places.get(str(s.targets.get(truth.field)), 0) for s in records.samples]
    return np.asarray(own, dtype=np.int64)


def _beside(records: TaskRecords, partners: Mapping[str, str]) -> Codes:
    """(n,) the position of each sample's partner, -1 where none is recorded."""
    positions = {s.sample: p for p, s in enumerate(records.samples)}
    beside = [positions.get(partners.get(s.sample, ""), -1) for s in records.samples]
    return np.asarray(beside, dtype=np.int64)


def _mixed(truth: SoftTruth, beside: Codes, weight: float) -> Floats:
    """(n, K) weight of the own distribution and the rest of the partner's; nan without a partner."""
    mixed = weight * truth.shares + (1 - weight) * truth.shares[beside]
    mixed[beside < 0] = np.nan
    return np.asarray(mixed)


def _points(
    column: SoftColumn, weights: Floats, labels: tuple[Codes, Codes], groups: Groups
) -> MixtureTrials:
    """The trials of one cell; `labels` are the classes of the sample and its partner."""
    rows = np.mean([family.rows() for family in column.families], axis=0)
    given = np.mean([np.nan_to_num(family.predicted) for family in column.families], axis=0)
    names = column.families[0].metrics
    at = np.arange(len(rows))
    return MixtureTrials(
        weight=weights,
        exact=weights,
        own=given[at, labels[0]],
        other=given[at, labels[1]],
        js=rows[:, names.index("js")],
        entropy=rows[:, names.index("cross_entropy")]
        if "cross_entropy" in names
        else np.full(len(rows), np.nan),
        answered=np.mean([family.answered for family in column.families], axis=0),
        clusters=groups.clusters[column.places],
    )


def _of_faces(
    records: TaskRecords, groups: Groups, cell: Cell, truth: SoftTruth
) -> MixtureTrials | None:
    """A cell's trials on samples whose own soft label lies between two classes, from the side of either."""
    column = None if truth.counted.any() else soft_column(records, cell, truth)
    if column is None:
        return None
    shares = truth.shares[column.places]
    two = np.flatnonzero((shares > 0).sum(axis=1) <= 2)
    if two.size == 0:
        return None
    order = np.argsort(-shares, axis=1, kind="stable")
    sides = [
        _points(column, shares[np.arange(len(shares)), mine], (mine, others), groups).at(two)
        for mine, others in ((order[:, 0], order[:, 1]), (order[:, 1], order[:, 0]))
    ]
    both = _joined(sides)
    return replace(both, weight=np.round(both.weight / BIN) * BIN, exact=both.weight)


def _joined(parts: Sequence[MixtureTrials]) -> MixtureTrials:
    return MixtureTrials(**{
        f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(MixtureTrials)
    })  # fmt: skip


def _entry(
    cell: Cell, field: str, how: str, points: MixtureTrials, records: TaskRecords, *, seed: int
) -> Mapping[str, Any]:
    """What scores.json holds of one model, prompt, channel and field: the slope, and a line for each weight."""
    rows = points.line_rows()
    interval = bootstrap(
        rows, points.clusters, slope, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    return {
        "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
        "channel": cell.taken, "field": field, "mixed": how,
        "n": len(points.weight), "slope": rounded(float(slope(rows.sum(axis=0)))),
        "low": rounded(interval.low), "high": rounded(interval.high),
        "estimator": f"{SLOPE}; {interval_words(interval, records.cluster_unit)}"
        + (", the subject of the picture that is mixed with another's" if how == PICTURES else ""),
        "pairing": RULE if how == PICTURES else "",
        "weights": [
            _at_weight(float(weight), points.at(np.flatnonzero(points.weight == weight)), seed=seed)
            for weight in np.unique(points.weight)
        ],
    }  # fmt: skip


def _at_weight(weight: float, points: MixtureTrials, *, seed: int) -> Mapping[str, Any]:
    """The means at one weight, each with its interval where it has one."""
    told: dict[str, Any] = {
        "weight": round(weight, 6), "n": len(points.weight),
        "coverage": rounded(float(points.answered.mean())),
    }  # fmt: skip
    values = {
        "own": points.own, "other": points.other, "elsewhere": points.answered - points.own - points.other,
        "js": points.js, "cross_entropy": points.entropy,
    }  # fmt: skip
    for name, terms in values.items():
        if np.isnan(terms).any():
            continue
        rows = np.column_stack([terms, np.ones(len(terms))])
        interval = bootstrap(
            rows, points.clusters, lambda t: ratio(t[..., 0], t[..., 1]), draws=DRAWS, level=LEVEL,
            seed=seed, method="auto",
        )  # fmt: skip
        told[name] = rounded(float(terms.mean()))
        told[f"{name}_low"], told[f"{name}_high"] = rounded(interval.low), rounded(interval.high)
    return told


def slope(totals: Floats) -> Floats:
    """Of least squares, from totals (..., 5) of x, y, xx, xy and 1; shape (...), nan where x does not vary."""
    x, y, xx, xy, count = (totals[..., k] for k in range(5))
    return ratio(count * xy - x * y, count * xx - x * x)


def _word(value: Value | None) -> str | None:
    return None if value is None else str(value)


def mixture_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """What stands beneath tables of mixtures: a line for each model, prompt and channel."""
    for entry in state.get("mixtures", ()):
        each = ", ".join(
            f"{at['weight']:g}: {at['own']:.2f} (JS {at['js']:.3f})" for at in entry["weights"]
        )
        yield (
            f"{who_answered(entry)}, {entry['mixed']}: P(own label) follows its share with slope "
            f"{entry['slope'] or 0:.2f} [{entry['low'] or 0:.2f}, {entry['high'] or 0:.2f}], 1 being the mixture "
            f"itself; P(own label) by share: {each}"
        )
