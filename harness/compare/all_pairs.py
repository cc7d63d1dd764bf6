"""Compare all pairs of cells, rank them, and estimate variance components."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.compare.candidates import Contender, Side, contenders
from harness.compare.comparability import Among, CellPair, pair_up
from harness.compare.comparison import (
    Change,
    Comparison,
    FactorRow,
    Factors,
    RankRow,
    Ranks,
    Report,
)
from harness.compare.measure import LEVEL, Shared, adjusted, compare_pair, party, share
from harness.core.cell import Cell
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.metrics import main_metric, metric_of
from harness.stats.components import Component, variance_components
from harness.stats.rank import rank

FACTORS = (
    "model", "prompt", "condition", "pixels", "detail", "label order", "channel", "thinking", "tools",
)  # fmt: skip


MOST_RANKED = 24
"""More cells than this are not ranked: every pair is tested, each the more finely the more pairs there are."""


def compare(
    sides: Sequence[Side],
    *,
    unlike: bool = False,
    seed: int = 0,
    among: Among | None = None,
    keep: Callable[[Cell], bool] = lambda cell: True,
    against: CellPattern | None = None,
    metric: str | None = None,
    on_pair: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Compare every pair of cells that share task and field; `on_pair` hears of each pair begun.

    `among` keeps to cells that differ in one axis alone, and says which of a pair is A. `keep` says which cells are
    compared, `against` which cell one of each pair is; the other is A. `metric` leaves out the other metrics.

    Raises HarnessError where nothing can be paired, no sample is shared, or, unless `unlike`, where more
    differs than what is under test.
    """
    found = [one for one in contenders(sides) if keep(one.cell)]
    if among is not None:
        found = among.of(found)
    pairings = pair_up(found, unlike=unlike, axis=among.axis if among is not None else None)
    if against is not None:
        pairings = turned(pairings, against)
    comparisons: list[Comparison] = []
    for number, pairing in enumerate(pairings):
        on_pair(number, len(pairings))
        comparisons += compare_pair(pairing, metric=metric, seed=seed)
    groups: dict[tuple[str, str], list[Contender]] = {}
    for one in found:
        if among is not None or not one.cell.asked_as:
            groups.setdefault((one.cell.task, one.field), []).append(one)
    ranks: list[Ranks] = []
    factors: list[Factors] = []
    notes = list(dict.fromkeys(note for side in sides for note in side.notes))
    notes += _left_out(found, pairings)
    for group in groups.values():
        if len(group) > 2:
            shared = share(group)
            if len(group) <= MOST_RANKED:
                ranks += _ranks(group, shared, seed=seed)
            else:
                notes.append(f"no ranking of {len(group)} cells: at most {MOST_RANKED} are ranked")
            factors += factors_of(group, shared, notes, seed=seed)
    return Report(_adjusted(comparisons), tuple(ranks), tuple(factors), tuple(notes))


def turned(pairings: Sequence[CellPair], against: CellPattern) -> list[CellPair]:
    """The pairs of which one cell alone fits, that one as B. Raises HarnessError where there is none."""
    found = []
    for pair in pairings:
        fits_a, fits_b = against.fits(pair.a.cell), against.fits(pair.b.cell)
        if fits_a != fits_b:
            found.append(replace(pair, a=pair.b, b=pair.a) if fits_a else pair)
    if not found:
        raise HarnessError(
            f"--against {against}: no pair of cells has one that fits and one that does not",
            hint="the values are those of the plan, such as prompt=emotion/plain",
        )
    return found


def _left_out(found: Sequence[Contender], pairings: Sequence[CellPair]) -> Iterator[str]:
    """A line for each earlier version of a prompt that is in no pair."""
    paired = {one.cell for pairing in pairings for one in (pairing.a, pairing.b)}
    left = dict.fromkeys(one.cell for one in found if one.cell.asked_as and one.cell not in paired)
    for cell in left:
        yield (
            f"{cell.model} {cell.prompt} {cell.shown_condition} is not compared: it differs "
            "from the current cell in more than the prompt or the model"
        )


def _adjusted(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Adjusted over all comparisons, metric by metric."""
    by_metric: dict[str, list[Change]] = {}
    for one in comparisons:
        for change in one.metrics:
            by_metric.setdefault(change.of, []).append(change)
    ready = {metric: iter(adjusted(changes)) for metric, changes in by_metric.items()}
    return tuple(
        replace(one, metrics=tuple(next(ready[change.of]) for change in one.metrics))
        for one in comparisons
    )


def _ranks(group: Sequence[Contender], shared: Shared, *, seed: int) -> Iterator[Ranks]:
    metric = main_metric(shared.spec)
    for name in shared.whole:
        mask = shared.slices[name]
        cells = {f"{n:06}": cut for n, cut in enumerate(shared.cut(mask))}
        found = rank(
            cells, metric, shared.clusters[mask],
            lower_is_better=metric_of(shared.spec, metric).sign < 0, level=LEVEL, seed=seed,
        )  # fmt: skip
        places = {row.name: row.place for row in found.rows}
        yield Ranks(
            task=group[0].cell.task,
            field=group[0].field,
            slice=name,
            metric=metric,
            n=int(mask.sum()),
            rows=tuple(
                RankRow(
                    party(group[int(row.name)]), row.value, row.interval.low, row.interval.high,
                    row.place, row.best, tuple(places[tie] for tie in row.ties),
                )
                for row in found.rows
            ),
        )  # fmt: skip


def factors_of(
    group: Sequence[Contender],
    shared: Shared,
    notes: list[str],
    *,
    seed: int,
    metric: str | None = None,
) -> Iterator[Factors]:
    """Variance components of a metric (left out: the main one), where two factors or more vary; a note where they are
    not fully crossed."""
    keys: list[tuple[str, ...]] = [
        (
            one.cell.model,
            one.cell.prompt,
            one.shown,
            str(one.cell.pixels),
            one.cell.detail,
            one.order,
            one.cell.channel,
            one.cell.thinking,
            one.cell.tools,
        )
        for one in group
    ]
    varying = [f for at, f in enumerate(FACTORS) if len({key[at] for key in keys}) > 1]
    if len(varying) < 2:
        return
    task, field, metric = group[0].cell.task, group[0].field, metric or main_metric(shared.spec)
    if len(set(keys)) < len(keys):
        notes.append(f"{task}, {field}: no factor analysis: a cell appears twice")
        return
    for name in shared.whole:
        mask = shared.slices[name]
        cells = dict(zip(keys, shared.cut(mask), strict=True))
        try:
            found = variance_components(
                cells, FACTORS, metric, shared.clusters[mask], level=LEVEL, seed=seed
            )
        except HarnessError as error:
            notes.append(f"{task}, {field}: no factor analysis: {error.message}")
            return
        rows = tuple(_factor_row(component) for component in found.rows)
        yield Factors(task, field, name, metric, found.mean, found.cells, found.n, rows)


def _factor_row(component: Component) -> FactorRow:
    interval = component.interval
    return FactorRow(
        factor=" x ".join(component.factors) or "rest",
        deviation=component.deviation,
        share=component.share,
        low=_root(interval.low),
        high=_root(interval.high),
        zeroed=component.zeroed,
    )


def _root(value: float) -> float:
    return math.nan if math.isnan(value) else math.sqrt(max(0.0, value))
