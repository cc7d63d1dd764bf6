"""Two cells over the samples they share: differences, tests, classes, slices, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.comparison import Change, Comparison, Party, Settle
from harness.compare.contenders import Contender
from harness.compare.likeness import Pairing
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.metrics import Family, LabelFamily, family_for
from harness.score.columns import LEAST_SLICE, group
from harness.stats.multiple import holm
from harness.stats.paired import PairedDifference, paired
from harness.stats.power import prospect

DRAWS = 2000
LEVEL = 0.95
POWER = 0.8

TWINS: Mapping[str, str] = {"war": "accuracy", "uf1": "macro_f1"}
"""For label fields the left is the right by another name: one row is enough."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shared:
    """Cells over the same samples in the same order."""

    families: tuple[Family, ...]
    spec: FieldSpec
    clusters: NDArray[np.int64]
    """(n,) number of each sample's cluster."""
    slices: Mapping[str, Mask]
    """`all` or the parts, then `column=value`; those with a sample."""

    @property
    def whole(self) -> tuple[str, ...]:
        """`all` or the parts."""
        return tuple(name for name in self.slices if "=" not in name)


def party(one: Contender) -> Party:
    """How a cell is named."""
    cell = one.cell
    return Party(one.side, cell.model, cell.prompt, cell.condition, cell.protocol)


def main_metric(spec: FieldSpec) -> str:
    """The number that a field is judged by: the first its task names, else UAR, else the kind's first."""
    shown = spec.shown_metrics
    return "uar" if "uar" in shown and not spec.metrics else shown[0]


def shown_metrics(spec: FieldSpec) -> tuple[str, ...]:
    """The field's metrics, the main one first, twins left out."""
    first = main_metric(spec)
    names = [first, *spec.shown_metrics]
    if spec.kind in {"label", "yes-no"}:
        names = [TWINS.get(name, name) if name != first else name for name in names]
        names = [n for n in names if n == first or TWINS.get(first) != n]
    return tuple(dict.fromkeys(names))


def share(found: Sequence[Contender]) -> Shared:
    """The samples that all have, in the order of the first. Raises HarnessError where there are none."""
    first = found[0]
    names = [s for s in first.positions if all(s in other.positions for other in found[1:])]
    if not names:
        told = " and ".join(dict.fromkeys(one.side for one in found))
        raise HarnessError(
            f"{told} have no sample of {first.cell.task} in common",
            mend="their ids must be the same: name the column with --id COL",
        )
    truth = first.truths(names)
    groups = group(first.records)
    places = np.asarray([first.positions[name] for name in names], dtype=np.int64)
    slices = {name: mask[places] for name, mask in groups.slices.items()}
    return Shared(
        families=tuple(family_for(first.spec, truth, one.values(names)) for one in found),
        spec=first.spec,
        clusters=groups.clusters[places],
        slices={name: mask for name, mask in slices.items() if mask.any()},
    )


def compare_pair(pairing: Pairing, *, seed: int = 0) -> Iterator[Comparison]:
    """One comparison for the whole task, or one for each of its parts."""
    a, b = pairing.a, pairing.b
    shared = share((a, b))
    count = len(shared.clusters)
    for name in shared.whole:
        mask = shared.slices[name]
        found = {m: _paired(shared, m, mask, seed) for m in shown_metrics(shared.spec)}
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
        )


def adjusted(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same with Holm's adjustment over all of them."""
    values = holm([change.p for change in changes])
    return tuple(replace(c, p_holm=float(p)) for c, p in zip(changes, values, strict=True))


def _paired(shared: Shared, metric: str, mask: Mask, seed: int) -> PairedDifference:
    a, b = shared.families
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
        test=found.test,
        interval=f"{found.interval.level:.0%} {found.interval.method}",
        n=found.n,
        only_a=found.b,
        only_b=found.c,
        reason=found.reason or found.interval.reason,
    )


def _classes(shared: Shared, mask: Mask, seed: int) -> list[Change]:
    """Recall of each class: the share right over the samples of that class."""
    family = shared.families[0]
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
        if "=" in name and inside.sum() >= LEAST_SLICE:
            found.append(_change(name, _paired(shared, metric, inside, seed)))
    return found


def _settle(metric: str, found: PairedDifference) -> Settle:
    """Whether it is settled, and if not, what would settle it."""
    seen = prospect(found, power=POWER)
    if math.isnan(seen.detectable):
        said = f"nothing is known: {seen.reason}"
    elif found.p <= 1 - LEVEL:
        said = "settled at the 5% level, as far as this one comparison goes"
    elif math.isinf(seen.samples):
        said = f"no difference was seen; these samples would find one of {_told(seen.detectable)}"
    else:
        said = (
            f"a difference of {_told(abs(found.difference))} takes about {_rounded(seen.samples):,} samples to be "
            f"found with {POWER:.0%} chance (there are {found.n:,}, which find {_told(seen.detectable)})"
        )
    return Settle(metric, seen.detectable, seen.samples, POWER, said)


def _told(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _rounded(samples: float) -> int:
    """Two significant digits: the estimate is no better."""
    digits = max(0, math.floor(math.log10(samples)) - 1) if samples >= 1 else 0
    step: int = 10**digits
    return math.ceil(samples / step) * step
