"""One board of an overview: its cells by rank, ties with the best, and differences from what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analyses.keys import RowKey, is_baseline, is_blank, prompt_on, row_key
from harness.analyses.words import metric_name
from harness.compare.all_pairs import factors_of
from harness.compare.apart import apart
from harness.compare.board import Board, Cost, Difference, Mood, ScoredCell, Spread
from harness.compare.candidates import Contender
from harness.compare.comparison import Factors
from harness.compare.measure import LEVEL, POWER, Cut, Shared, share
from harness.core.cell import Cell
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.metrics import main_metric, metric_of
from harness.run.usage import USAGE
from harness.score.scores import Scores
from harness.score.table import ScoreRow
from harness.stats.multiple import holm
from harness.stats.paired import PairedDifference, difference_test, paired
from harness.stats.power import prospect
from harness.stats.scored import side_by_side

DRAWS = 2000
_WITH_PROMPT = ("protocol",)
"""Axes that a prompt brings with it."""
_AXES = (
    "model", "prompt", "condition", "channel", "protocol", "shots", "label_order", "thinking", "tools", "pixels", "detail",
)  # fmt: skip

_OF_PICTURES = ("condition", "pixels")
"""Those in which models that take other families of prompts can be alike."""


@dataclass(frozen=True, slots=True)
class Entered:
    """One cell with the scores of the run that it comes from."""

    contender: Contender
    entry: Mapping[str, Any]
    scores: Scores
    folder: str
    """Named where several run folders are looked at."""
    order: int

    @property
    def cell(self) -> Cell:
        return self.contender.cell


def board(
    group: Sequence[Entered],
    part: str,
    *,
    metric: str | None,
    against: CellPattern | None,
    paraphrases: Mapping[str, str],
    seed: int,
) -> Board | None:
    """The board of cells that share a task and a field; None where none of them has a score.

    `against`: the cells that the others are compared with; `paraphrases`: prompt -> the prompt that it is a paraphrase
    of. Raises HarnessError for a metric by which the run was not scored.
    """
    spec = group[0].contender.spec
    name = metric or main_metric(spec)
    known = metric_of(spec, name)
    scored = [(e, one) for e in group if (one := _scored(e, part, name)) is not None]
    if not scored:
        return None
    entered, found = [e for e, _ in scored], [one for _, one in scored]
    notes: list[str] = []
    pairs = Pairs([e.contender for e in entered], part, name, seed, notes)
    seen = [at for at, one in enumerate(found) if not is_blank(one.cell.condition)]
    told = apart([pairs.contenders[at] for at in seen], [found[at].folder for at in seen])
    left = {seen[place]: why for place, why in told.items()}
    for at, why in left.items():
        found[at] = replace(found[at], apart=why)
    others = {found[at].folder: why for at, why in left.items()}
    for at, one in enumerate(found):
        if at not in seen and one.folder in others:
            found[at] = replace(one, apart=others[one.folder])
    ranked = [at for at in seen if at not in left]
    lead = entered[(ranked or seen or [0])[0]]
    for at, one in _ranked(found, ranked, known.sign, pairs):
        found[at] = one
    differences = tuple(_differences(found, against, pairs, known.sign)) if against else ()
    cells = sorted((found[at] for at in seen), key=lambda one: one.rank or math.inf)
    return Board(
        task=group[0].cell.task,
        part=part,
        field=group[0].contender.field,
        metric=name,
        title=metric_name(name, spec),
        sign=known.sign,
        range=known.range,
        unit=lead.contender.records.cluster_unit,
        clusters=len(np.unique(lead.contender.records.samples.clusters)),
        cells=tuple(cells),
        blanks=tuple(one for one in found if is_blank(one.cell.condition)),
        baselines={}
        if left and not ranked
        else _baselines(lead.scores, group[0].cell.task, part, group[0].contender.field, name),
        differences=differences,
        spreads=tuple(_spreads([c for c in cells if not c.apart], paraphrases)),
        factors=_factors(pairs, ranked, notes),
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(slots=True)
class Pairs:
    """Pairs of cells over the samples that both have."""

    contenders: Sequence[Contender]
    part: str
    metric: str
    seed: int
    notes: list[str]
    _whole: Shared | None = None
    _asked: bool = False

    def whole(self) -> Shared | None:
        """All cells, where all have the same samples; else None."""
        if not self._asked:
            self._asked = True
            first = self.contenders[0].positions.keys()
            if all(one.positions.keys() == first for one in self.contenders):
                self._whole = share(self.contenders)
        return self._whole

    def cuts(self, a: int, b: int) -> tuple[Cut, Cut, NDArray[np.int64]] | None:
        """Two cells on the part, and the clusters of their samples; None, with a note, where they share none."""
        shared = self.whole()
        try:
            places = (a, b) if shared is not None else (0, 1)
            shared = shared or share((self.contenders[a], self.contenders[b]))
        except HarnessError as error:
            self.notes.append(error.message)
            return None
        mask = shared.slices.get(self.part)
        if mask is None:
            return None
        both = shared.cut(mask)
        return both[places[0]], both[places[1]], shared.clusters[mask]

    def difference(self, a: int, b: int) -> PairedDifference | None:
        """A less B, with interval and test."""
        found = self.cuts(a, b)
        if found is None:
            return None
        return paired(*found[:2], self.metric, found[2], draws=DRAWS, level=LEVEL, seed=self.seed)

    def p(self, a: int, b: int) -> float:
        """The p of "no difference" alone; nan where there is none."""
        found = self.cuts(a, b)
        if found is None:
            return math.nan
        rows_a, rows_b = side_by_side(found[:2])
        value = partial(found[0].value, self.metric)
        return difference_test(rows_a, rows_b, found[2], value, seed=self.seed).p


def _scored(entered: Entered, part: str, metric: str) -> ScoredCell | None:
    """The cell with its row of scores.json; None where it has no score on this part."""
    key, name = row_key(entered.entry), entered.contender.field
    rows = {
        row.metric: row
        for row in entered.scores.scores
        if (row.task, row.slice, row.field) == (entered.cell.task, part, name)
        and score_key(row) == key
    }
    if not rows:
        return None
    row = rows.get(metric)
    if row is None:
        plain = [one for one in rows if not one.endswith("_answered")]
        raise HarnessError(
            f"{entered.cell.task}, {name}: the run was not scored by {metric!r}",
            hint=f"it was scored by {', '.join(plain)}; others: harness score RUN --set fields.{name}.metrics=...",
        )
    return ScoredCell(
        entered.cell, key, row.value, row.low, row.high, row.n, row.coverage, row.estimator,
        rank=None, tied=False, cost=_cost(entered), order=entered.order, folder=entered.folder,
        family=entered.contender.family,
    )  # fmt: skip


def score_key(row: ScoreRow) -> RowKey:
    """Who answered, of a row of scores.json."""
    return (row.model, prompt_on(row.prompt, row.channel), row.condition)


def _cost(entered: Entered) -> Cost | None:
    """What its replies took, by extras.json; None where nothing is known of them."""
    rows = entered.scores.extras.get(USAGE, ())
    mine = [
        r for r in rows if r["task"] == entered.cell.task and row_key(r) == row_key(entered.entry)
    ]
    if not mine or not mine[0]["replies"]:
        return None
    row = mine[0]
    counted = row["replies"] - row["uncounted"] - row["refused_uncounted"]

    def mean(name: str) -> float | None:
        return row[name] / counted if counted and not row.get("wordless") else None

    return Cost(
        replies=row["replies"],
        prompt_tokens=mean("prompt_tokens"),
        reply_tokens=mean("completion_tokens"),
        reasoning_tokens=mean("reasoning_tokens") if row["reasoning_tokens"] else None,
        seconds=row["seconds_median"] or None,
        money=1000 * row["cost"] / row["replies"] if "cost" in row else None,
        currency=row.get("currency", ""),
    )


def _ranked(
    found: Sequence[ScoredCell], seen: Sequence[int], sign: int, pairs: Pairs
) -> Iterator[tuple[int, ScoredCell]]:
    """The cells that were shown the pictures with their ranks, and which are tied with the best.

    The best is tested against each other one. It is the best of all, so its pairs were chosen among all pairs: each p is
    multiplied by how many these are (Bonferroni).
    """
    values = {at: value for at in seen if (value := found[at].value) is not None}
    if not sign or not values:
        return
    order = sorted(values, key=lambda at: (-sign * values[at], found[at].order))
    times = len(order) * (len(order) - 1) / 2
    for place, at in enumerate(order, start=1):
        same = at != order[0] and values[at] == values[order[0]]
        p = 1.0 if at == order[0] or same else pairs.p(order[0], at)
        tied = math.isnan(p) or min(1.0, p * times) > 1 - LEVEL
        yield at, replace(found[at], rank=place, tied=tied)


def _differences(
    found: Sequence[ScoredCell], against: CellPattern, pairs: Pairs, sign: int
) -> Iterator[Difference]:
    """Every cell that has a counterpart in the pattern, less that counterpart; the best first."""
    measured = []
    for at, one in enumerate(found):
        other = _reference(found, one, against)
        difference = None if other is None else pairs.difference(at, other)
        if other is None or difference is None or math.isnan(difference.difference):
            continue
        measured.append((one, found[other], difference))
    adjusted = holm([difference.p for *_, difference in measured])
    rows = [
        _difference(one, other, difference, float(p), sign)
        for (one, other, difference), p in zip(measured, adjusted, strict=True)
    ]
    yield from sorted(rows, key=lambda row: -(sign or 1) * row.value)


def _reference(found: Sequence[ScoredCell], one: ScoredCell, against: CellPattern) -> int | None:
    """The first cell that fits the pattern and is like this one on every axis that the pattern does not name."""
    named = set(against.named) | (set(_WITH_PROMPT) if against.prompt else set())
    if against.fits(one.cell) or ("condition" not in named and is_blank(one.cell.condition)):
        return None
    fitting = [
        (at, other)
        for at, other in enumerate(found)
        if against.fits(other.cell) and other.folder == one.folder
    ]

    def alike(other: ScoredCell, axes: Sequence[str]) -> bool:
        return all(
            getattr(other.cell, axis) == getattr(one.cell, axis)
            for axis in axes
            if axis not in named
        )

    for at, other in fitting:
        if other.family == one.family and alike(other, _AXES):
            return at
    # a model with its prompt, where no model of the pattern can be asked as this one is
    others = [at for at, o in fitting if o.family != one.family and alike(o, _OF_PICTURES)]
    return others[0] if len(others) == 1 else None


def _difference(
    one: ScoredCell, other: ScoredCell, found: PairedDifference, adjusted: float, sign: int
) -> Difference:
    mood: Mood = "unclear"
    if adjusted <= 1 - LEVEL and found.difference and sign:
        mood = "better" if found.difference * sign > 0 else "worse"
    needed = prospect(found, power=POWER).samples if mood == "unclear" else math.nan
    return Difference(
        one, other, found.difference, _known(found.interval.low), _known(found.interval.high), _known(found.p),
        _known(adjusted), found.n, found.test, needed=needed if math.isfinite(needed) else None, mood=mood,
    )  # fmt: skip


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _baselines(scores: Scores, task: str, part: str, field: str, metric: str) -> dict[str, float]:
    return {
        row.model: row.value
        for row in scores.scores
        if (row.task, row.slice, row.field, row.metric) == (task, part, field, metric)
        and row.value is not None
        and is_baseline(score_key(row))
    }


def _spreads(cells: Sequence[ScoredCell], paraphrases: Mapping[str, str]) -> Iterator[Spread]:
    """How far the scores of one model are apart over paraphrases of one prompt."""
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for one in cells:
        root = paraphrases.get(one.cell.prompt)
        if root is not None and one.value is not None:
            taken = one.column.replace(one.cell.prompt, root, 1)
            groups.setdefault((one.row, taken), {})[one.column] = one.value
    for (row, prompt), values in groups.items():
        if len(values) > 1:
            some = list(values.values())
            yield Spread(row, prompt, len(some), min(some), max(some), fmean(some), stdev(some))


def _factors(pairs: Pairs, seen: Sequence[int], notes: list[str]) -> Factors | None:
    """What the score varies by, over the cells that were shown the pictures."""
    group = [pairs.contenders[at] for at in seen]
    if len(group) < 4:
        return None
    try:
        shared = share(group)
        found = list(factors_of(group, shared, notes, seed=pairs.seed, metric=pairs.metric))
    except HarnessError as error:
        notes.append(error.message)
        return None
    return next((one for one in found if one.slice == pairs.part), None)
