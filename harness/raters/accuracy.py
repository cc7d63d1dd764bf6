"""How right raters are, by true value and condition, with intervals over raters and items.

A rater who could not tell is not right: the strict score counts it as a miss, the answered-only score beside it leaves
it out. Raters and items are resampled within strata: raters by which conditions they rated under, items by their true
value and by which conditions they were rated under. So the data decide whether a difference between conditions is within
raters or between groups of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.raters.table import RatingTable
from harness.raters.truth import Truths
from harness.rating.form import FormField, written
from harness.rating.items import ItemKey
from harness.rating.journal import Rating
from harness.stats.crossed import Crossed, CrossedEstimate, Factor, crossed_estimates
from harness.stats.multiple import holm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimate = Callable[[Floats], Floats]

ALL = "all"
MEAN = "mean over values"
"""The unweighted mean of the accuracy of each true value: UAR."""
UNSURE = "cannot tell"
FEW = 5
"""Raters or items below which simulated intervals cover less than they say."""
MOST_PAIRS = 6
"""Pairs of conditions that are compared unasked."""
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Design:
    """Who rated under which of two conditions."""

    first: str
    second: str
    both: int
    """Raters under both."""
    one: tuple[int, int]
    """Raters under the first alone, and the second alone."""
    items_both: int
    items: int

    @property
    def within(self) -> bool:
        """Whether every rater rated under both."""
        return self.both > 0 and not any(self.one)

    @property
    def words(self) -> str:
        """The design as a clause."""
        if self.within:
            raters = f"within raters: all {self.both} rated under both"
        elif not self.both:
            raters = f"between groups of raters: {self.one[0]} and {self.one[1]}"
        else:
            raters = f"mixed: {self.both} raters under both conditions, {self.one[0]} and {self.one[1]} under one"
        items = (
            "the same items"
            if self.items_both == self.items
            else f"{self.items_both} of {self.items} items shared"
        )
        return f"{raters}; {items if self.items_both else 'other items'}"


@dataclass(frozen=True, slots=True)
class Scored:
    """One accuracy, or another mean of ratings."""

    condition: str
    name: str
    """The true value, `all`, or `mean over values`."""
    estimate: CrossedEstimate
    answered: float
    """The same without those who could not tell; nan where all could not."""
    ratings: int
    raters: int
    items: int
    unsure: int = 0

    @property
    def few(self) -> bool:
        """Whether so few raters or items were resampled that intervals cover less than they say."""
        return min(self.raters, self.items) < FEW


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two conditions."""

    design: Design
    name: str
    estimate: CrossedEstimate
    p: float
    """Adjusted by Holm over the true values of this pair; nan where there is none."""
    few: bool = False


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What is computed of one field with true values."""

    field: FormField
    scores: tuple[Scored, ...]
    differences: tuple[Difference, ...]
    confusion: Mapping[str, Mapping[tuple[str, str], int]]
    """Condition -> (true, answered) -> ratings."""
    answers: tuple[str, ...]
    """The columns of the confusion, those of the true values first."""
    truths: tuple[str, ...]
    untold: int
    """Ratings of items without a true value, left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Ratings of one field as codes."""

    ratings: Sequence[Rating]
    conditions: tuple[str, ...]
    raters: tuple[str, ...]
    items: tuple[str, ...]
    condition: Ints
    rater: Ints
    item: Ints

    def crossed(self, rows: Floats, kinds: Sequence[str]) -> Crossed:
        """With rows (n, k) of these ratings; `kinds` (items,) are further strata of items."""
        return Crossed(
            rows,
            Factor(self.rater, _strata(self.rater, self.condition, [""] * len(self.raters))),
            Factor(self.item, _strata(self.item, self.condition, kinds)),
        )

    def design(self, first: str, second: str) -> Design:
        """Who and what stands under two conditions."""
        places = [self.conditions.index(name) for name in (first, second)]
        raters = [set(self.rater[self.condition == p].tolist()) for p in places]
        items = [set(self.item[self.condition == p].tolist()) for p in places]
        both = raters[0] & raters[1]
        return Design(
            first, second, len(both), (len(raters[0] - both), len(raters[1] - both)),
            len(items[0] & items[1]), len(items[0] | items[1]),
        )  # fmt: skip


def observed(ratings: Sequence[Rating], conditions: Sequence[str]) -> Observed:
    """Codes of ratings; conditions without one are left out."""
    present = {r.item.condition for r in ratings}
    names = tuple(name for name in conditions if name in present)
    raters = tuple(dict.fromkeys(r.rater for r in ratings))
    items = tuple(dict.fromkeys(r.item.sample for r in ratings))
    return Observed(
        ratings, names, raters, items,
        _codes(names, [r.item.condition for r in ratings]),
        _codes(raters, [r.rater for r in ratings]),
        _codes(items, [r.item.sample for r in ratings]),
    )  # fmt: skip


def _codes(names: Sequence[str], given: Sequence[str]) -> Ints:
    place = {name: at for at, name in enumerate(names)}
    return np.array([place[one] for one in given], dtype=np.int64)


def _strata(codes: Ints, conditions: Ints, kinds: Sequence[str]) -> Ints:
    """(levels,) the stratum of each level: its kind, and the conditions it occurs under. Conditions do not count where
    that would leave a level alone that has company of its kind."""
    seen: list[set[int]] = [set() for _ in kinds]
    for code, condition in zip(codes.tolist(), conditions.tolist(), strict=True):
        seen[code].add(condition)
    keys = [(kind, tuple(sorted(own))) for kind, own in zip(kinds, seen, strict=True)]
    companies, alike = Counter(keys), Counter(kinds)
    if any(companies[key] < 2 <= alike[key[0]] for key in keys):
        keys = [(kind, ()) for kind in kinds]
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], dtype=np.int64)


def pairs_of(conditions: Sequence[str], against: str | None) -> list[tuple[str, str]]:
    """The pairs that are compared, each (condition, what is taken off it)."""
    if against is not None:
        return [(name, against) for name in conditions if name != against]
    found = list(combinations(conditions, 2))
    return found if len(found) <= MOST_PAIRS else [(c, conditions[0]) for c in conditions[1:]]


def accuracy_of(
    table: RatingTable,
    field: FormField,
    truths: Truths,
    *,
    against: str | None = None,
    raters: set[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Accuracy | None:
    """Accuracy of a field of options, by true value and condition; None where no rated item has a true value.

    `raters`: those who count; None: all.
    """
    own = [
        r
        for (who, _, name), r in table.ratings.given.items()
        if name == field.name and (raters is None or who in raters)
    ]
    told = [r for r in own if (r.item.sample, field.name) in truths]
    if not told:
        return None
    truth = [written(truths[r.item.sample, field.name]) for r in told]
    data = observed(told, table.conditions)
    present = set(truth)
    values = tuple(v for v in field.options if v in present) + tuple(
        sorted(present - set(field.options))
    )
    rows = _rows(data, truth, values)
    kinds = [""] * len(data.items)
    for code, value in zip(data.item.tolist(), truth, strict=True):
        kinds[code] = value
    crossed = data.crossed(rows, kinds)
    shares = {
        (c, v): partial(_share, c, v, len(values))
        for c in range(len(data.conditions))
        for v in (*range(len(values)), -1, -2)
    }
    estimates = crossed_estimates(
        crossed, {f"{c}/{v}": value for (c, v), value in shares.items()},
        draws=draws, seed=seed, within=(0.0, 1.0),
    )  # fmt: skip
    names = {**dict(enumerate(values)), -1: ALL, -2: MEAN}
    scores = [
        _scored(data, truth, c, names[v], estimates[f"{c}/{v}"])
        for c, v in shares
        if v != -2 or len(values) > 1
    ]
    differences = _differences(
        data, crossed, names, scores, against=against, draws=draws, seed=seed
    )
    answers = (*values, *(o for o in field.options if o not in present))
    answers += tuple(sorted({r.value for r in told if r.value is not None} - set(answers)))
    return Accuracy(
        field, tuple(scores), tuple(differences), _confusion(data, truth),
        (*answers, UNSURE), values, len(own) - len(told),
    )  # fmt: skip


def _rows(data: Observed, truth: Sequence[str], values: Sequence[str]) -> Floats:
    """(n, conditions * values * 2): right, and 1, at the place of the condition and true value."""
    width = len(values)
    rows = np.zeros((len(truth), len(data.conditions) * width * 2))
    for at, (rating, value) in enumerate(zip(data.ratings, truth, strict=True)):
        place = (data.condition[at] * width + values.index(value)) * 2
        rows[at, place] = rating.value == value
        rows[at, place + 1] = 1
    return rows


def _share(condition: int, value: int, width: int, totals: Floats) -> Floats:
    """Right among the ratings of one condition and true value (-1: of all values together; -2: mean over values)."""
    cells = totals.reshape(*totals.shape[:-1], -1, width, 2)[..., condition, :, :]
    if value == -1:
        cells = cells.sum(axis=-2, keepdims=True)
    elif value >= 0:
        cells = cells[..., value : value + 1, :]
    there = cells[..., 1] > 0
    shares = np.where(there, cells[..., 0] / np.where(there, cells[..., 1], 1), np.nan)
    found: Floats = shares.mean(axis=-1)
    return found


def _scored(
    data: Observed, truth: Sequence[str], condition: int, name: str, estimate: CrossedEstimate
) -> Scored:
    places = [
        at
        for at, value in enumerate(truth)
        if data.condition[at] == condition and (name in (ALL, MEAN) or value == name)
    ]
    own = [data.ratings[at] for at in places]
    answered = [at for at in places if data.ratings[at].value is not None]
    right: dict[str, list[bool]] = {}
    for at in answered:
        right.setdefault(truth[at] if name == MEAN else "", []).append(
            data.ratings[at].value == truth[at]
        )
    shares = [sum(found) / len(found) for found in right.values()]
    return Scored(
        data.conditions[condition], name, estimate,
        sum(shares) / len(shares) if shares else math.nan,
        len(own), len({r.rater for r in own}), len({r.item.sample for r in own}),
        len(own) - len(answered),
    )  # fmt: skip


def _differences(
    data: Observed,
    crossed: Crossed,
    names: Mapping[int, str],
    scores: Sequence[Scored],
    *,
    against: str | None,
    draws: int,
    seed: int,
) -> list[Difference]:
    found: list[Difference] = []
    width = len(names) - 2
    few = {(s.condition, s.name) for s in scores if s.few}
    for first, second in pairs_of(data.conditions, against):
        if not {first, second} <= set(data.conditions):
            continue
        a, b = data.conditions.index(first), data.conditions.index(second)
        values = {
            names[v]: partial(_difference, a, b, v, width) for v in names if v != -2 or width > 1
        }
        estimates = crossed_estimates(crossed, values, draws=draws, seed=seed, within=(-1.0, 1.0))
        design = data.design(first, second)
        found += compared(design, estimates, few)
    return found


def compared(
    design: Design,
    estimates: Mapping[str, CrossedEstimate],
    few: set[tuple[str, str]],
    *,
    together: Sequence[str] = (ALL, MEAN),
) -> list[Difference]:
    """Differences of one pair with p adjusted by Holm; those of `together` are tests of their own."""
    single = [name for name in estimates if name not in together]
    adjusted = dict(zip(single, holm([estimates[n].p for n in single]), strict=True))
    return [
        Difference(
            design, name, estimate, float(adjusted.get(name, estimate.p)),
            bool({(design.first, name), (design.second, name)} & few),
        )
        for name, estimate in estimates.items()
        if not math.isnan(estimate.value)
    ]  # fmt: skip


def _difference(first: int, second: int, value: int, width: int, totals: Floats) -> Floats:
    return _share(first, value, width, totals) - _share(second, value, width, totals)


def _confusion(data: Observed, truth: Sequence[str]) -> dict[str, dict[tuple[str, str], int]]:
    found: dict[str, dict[tuple[str, str], int]] = {name: {} for name in data.conditions}
    for rating, value in zip(data.ratings, truth, strict=True):
        key = (value, UNSURE if rating.value is None else rating.value)
        own = found[rating.item.condition]
        own[key] = own.get(key, 0) + 1
    return found


def items_of(table: RatingTable, field: str, condition: str) -> list[ItemKey]:
    """The items of a field that were rated under a condition, in the order of the table."""
    return list(
        dict.fromkeys(
            item
            for _, item, name in table.ratings.given
            if name == field and item.condition == condition
        )
    )
