"""Compare two cells over shared samples: differences, tests, classes, slices, and samples needed to decide."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.candidates import Contender
from harness.compare.comparability import CellPair
from harness.compare.comparison import Change, Comparison, Party, Settle
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import LabelFamily, MetricFamily, family_for, main_metric, metric_of
from harness.score.columns import group
from harness.score.grouping import LEAST_SAMPLES
from harness.stats.multiple import benjamini_hochberg, holm
from harness.stats.paired import PairedDifference, paired
from harness.stats.power import prospect
from harness.stats.scored import side_by_side

DRAWS = 2000
LEVEL = 0.95
POWER = 0.8

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What one cell adds to the metrics, sample by sample: the mean over repeats, in rows that `family` reads."""

    family: MetricFamily
    table: NDArray[np.float64]
    """(n, k)."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return self.family.metrics

    @property
    def right_by(self) -> str:
        """The metric that says of single samples whether they are right; empty where none does."""
        return str(getattr(self.family, "right_by", ""))

    @property
    def class_sizes(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
        """(rows) -> samples of each true class in them; None where there are no classes."""
        found: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = getattr(
            self.family, "class_sizes", None
        )
        return found

    def rows(self) -> NDArray[np.float64]:
        """(n, k) the table."""
        return self.table

    def value(self, metric: str, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric at totals (..., k)."""
        return self.family.value(metric, totals)


@dataclass(frozen=True, slots=True)
class Shared:
    """Cells over the same samples in the same order."""

    family: MetricFamily
    """Of the first cell: its truths and classes are those of all."""
    cells: tuple[Cut, ...]
    spec: FieldSpec
    clusters: NDArray[np.int64]
    """(n,) number of each sample's cluster."""
    slices: Mapping[str, Mask]
    """`all` or the parts, then `column=value`; those with a sample."""

    @property
    def whole(self) -> tuple[str, ...]:
        """`all` or the parts."""
        return tuple(name for name in self.slices if "=" not in name)

    def cut(self, mask: Mask) -> list[Cut]:
        """Every cell on one slice. A part holds fewer classes than the whole: the family is that of the whole."""
        return [Cut(cell.family, cell.table[mask]) for cell in self.cells]


def party(one: Contender) -> Party:
    """How a cell is named."""
    cell = one.cell
    return Party(
        one.side,
        cell.model,
        cell.prompt,
        cell.shown_condition,
        cell.protocol,
        cell.channel,
        cell.thinking,
        cell.tools,
    )


def shown_metrics(spec: FieldSpec) -> tuple[str, ...]:
    """The field's metrics, the main one first; of those that are one by several names, one row is enough."""
    first = main_metric(spec)
    known = {metric_of(spec, first).same_as or first: first}
    for name in spec.shown_metrics:
        same = metric_of(spec, name).same_as or name
        known.setdefault(same, same)
    return tuple(known.values())


def share(found: Sequence[Contender]) -> Shared:
    """The samples that all have, in an order that depends on nothing but what was true and what was answered.

    The same data under other ids or in another order then give the same numbers, drawn ones included. Raises
    HarnessError where no sample is shared.
    """
    first = found[0]
    names = [s for s in first.positions if all(s in other.positions for other in found[1:])]
    if not names:
        told = " and ".join(dict.fromkeys(one.side for one in found))
        raise HarnessError(
            f"{told} have no sample of {first.cell.task} in common",
            hint="their ids must be equal: name the column with --id COLUMN",
        )
    groups = group(first.records)
    places = np.asarray([first.positions[name] for name in names], dtype=np.int64)
    slices = {name: mask[places] for name, mask in groups.slices.items()}
    order, clusters = _ordered(found, names, groups.clusters[places], list(slices.values()))
    names = [names[at] for at in order]
    truth = first.truths(names)
    family, cells = _cuts([one.repeats(names) for one in found], truth, first.spec)
    return Shared(
        family=family,
        cells=cells,
        spec=first.spec,
        clusters=clusters,
        slices={name: mask[order] for name, mask in slices.items() if mask.any()},
    )


def _cuts(
    answers: Sequence[Sequence[Sequence[Value | None]]], truth: Sequence[Value], spec: FieldSpec
) -> tuple[MetricFamily, tuple[Cut, ...]]:
    """The first family, and the rows of each cell as it reads them; `answers` are those of cell and repeat."""
    families = [family_for(spec, truth, repeat) for cell in answers for repeat in cell]
    tables = iter(side_by_side(families))
    cells = [[next(tables) for _ in cell] for cell in answers]
    means = (rows[0] if len(rows) == 1 else np.mean(rows, axis=0) for rows in cells)
    return families[0], tuple(Cut(families[0], table) for table in means)


def _ordered(
    found: Sequence[Contender],
    names: Sequence[str],
    clusters: NDArray[np.int64],
    slices: Sequence[Mask],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) the samples in the order of their content, and (n,) their clusters numbered by content as well."""
    columns = [
        map(repr, found[0].truths(names)),
        *(map(repr, answers) for one in found for answers in one.repeats(names)),
        *(mask.tolist() for mask in slices),
    ]
    contents = list(zip(*columns, strict=True))
    places = {content: place for place, content in enumerate(sorted(set(contents)))}
    codes = np.asarray([places[content] for content in contents], dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    members: dict[int, list[int]] = {}
    for cluster, code in zip(clusters[order].tolist(), codes[order].tolist(), strict=True):
        members.setdefault(cluster, []).append(code)
    numbers = {cluster: n for n, cluster in enumerate(sorted(members, key=members.__getitem__))}
    return order, np.asarray([numbers[c] for c in clusters[order].tolist()], dtype=np.int64)


def compare_pair(
    pairing: CellPair, *, metric: str | None = None, seed: int = 0
) -> Iterator[Comparison]:
    """One comparison for the whole task, or one for each of its parts; by one metric alone where one is named.

    Raises HarnessError for a metric that the field does not have.
    """
    a, b = pairing.a, pairing.b
    shared = share((a, b))
    if metric:
        metric_of(shared.spec, metric)
    count = len(shared.clusters)
    for name in shared.whole:
        mask = shared.slices[name]
        names = (metric,) if metric else shown_metrics(shared.spec)
        found = {m: _paired(shared, m, mask, seed) for m in names}
        main = next(iter(found))
        yield Comparison(
            task=a.cell.task,
            field=a.field,
            slice=name,
            axis=pairing.axis,
            a=party(a),
            b=party(b),
            n=int(mask.sum()),
            clusters=int(np.unique(shared.clusters[mask]).size),
            unit=a.records.cluster_unit,
            dropped_a=len(a.positions) - count,
            dropped_b=len(b.positions) - count,
            pending_a=a.pending,
            pending_b=b.pending,
            metrics=tuple(_change(m, d) for m, d in found.items()),
            classes=adjusted(_classes(shared, mask, seed)),
            slices=adjusted(_slices(shared, mask, main, seed)),
            settle=tuple(_settle(m, d) for m, d in found.items() if m in {main, "accuracy"}),
            unlike=tuple(str(other) for other in pairing.unlike),
            matched_by="id" if a.content is None else "content",
        )


def adjusted(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same with both adjustments over all of them."""
    values = [change.p for change in changes]
    both = zip(changes, holm(values), benjamini_hochberg(values), strict=True)
    return tuple(replace(c, p_holm=float(p), p_bh=float(q)) for c, p, q in both)


def _paired(shared: Shared, metric: str, mask: Mask, seed: int) -> PairedDifference:
    a, b = shared.cells
    return paired(a, b, metric, shared.clusters, select=mask, draws=DRAWS, level=LEVEL, seed=seed)


def _change(of: str, found: PairedDifference) -> Change:
    return Change(
        of=of,
        a=found.value_a,
        b=found.value_b,
        difference=found.difference,
        low=found.interval.low,
        high=found.interval.high,
        p=found.p,
        p_holm=math.nan,
        p_bh=math.nan,
        test=found.test,
        interval=f"{found.interval.level:.0%} {found.interval.method}",
        n=found.n,
        only_a=found.b,
        only_b=found.c,
        reason=found.reason or found.interval.reason,
    )


def _classes(shared: Shared, mask: Mask, seed: int) -> list[Change]:
    """Recall of each class: the share right over the samples of that class."""
    family = shared.family
    if not isinstance(family, LabelFamily):
        return []
    found = []
    for code, label in enumerate(family.classes):
        mine = mask & (family.truth == code)
        if mine.any():
            found.append(_change(label, _paired(shared, "accuracy", mine, seed)))
    return found


def _slices(shared: Shared, mask: Mask, metric: str, seed: int) -> list[Change]:
    found = []
    for name, members in shared.slices.items():
        inside = members & mask
        if "=" in name and inside.sum() >= LEAST_SAMPLES:
            found.append(_change(name, _paired(shared, metric, inside, seed)))
    return found


def _settle(metric: str, found: PairedDifference) -> Settle:
    """Whether it is settled, and if not, what would settle it."""
    seen = prospect(found, power=POWER)
    if math.isnan(seen.detectable):
        said = f"unknown: {seen.reason}"
    elif found.p <= 1 - LEVEL:
        said = "significant at the 5% level, for this comparison alone"
    elif math.isinf(seen.samples):
        said = (
            f"no significant difference; these samples would detect one of {_told(seen.detectable)}"
        )
    else:
        said = (
            f"detecting a difference of {_told(abs(found.difference))} with {POWER:.0%} power "
            f"takes about {_rounded(seen.samples):,} samples (there are {found.n:,}, which "
            f"detect {_told(seen.detectable)})"
        )
    return Settle(metric, seen.detectable, seen.samples, POWER, said)


def _told(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _rounded(samples: float) -> int:
    """Two significant digits: the estimate is no better."""
    digits = max(0, math.floor(math.log10(samples)) - 1) if samples >= 1 else 0
    step: int = 10**digits
    return math.ceil(samples / step) * step
