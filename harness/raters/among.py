"""A model among the raters: its agreement with each beside the raters' own, its rank, and whether it may stand in.

The agreement of two is Cohen's kappa for options and the concordance correlation (Lin 1989) for numbers, over the items
that both rated. That of a rater is the mean with every other rater (leave one out); that of the model the mean with
every rater. A rater whose answers the model repeats one by one is left out of the model's mean, as raters are of their
own. So a copy of a rater ranks where this rater does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.text import counted
from harness.raters.agreement import under
from harness.raters.model_run import ModelRater
from harness.raters.table import RatingTable
from harness.raters.truth import Truths, truths_in_order
from harness.rating.form import FormField
from harness.rating.items import PLAIN
from harness.stats.alternative import AlternativeTest, alternative_test
from harness.stats.crossed import Crossed, CrossedEstimate, Factor, crossed_estimates
from harness.stats.product import product

Floats = NDArray[np.float64]

LEAST_SHARED = 5
"""Items that two must share for their agreement to count."""
LEAST_COPY = 10
"""Items on which answers must be the same for a rater to count as copied."""
DRAWS = 600
MOST_WORK = 10**9
"""Pairs of raters times items times draws beyond which no interval is drawn."""


@dataclass(frozen=True, slots=True)
class Ranged:
    """A value with 95% percentile bounds over resampled raters and items; nan where there are none."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True)
class OneRater:
    """One human beside the model."""

    name: str
    own: float
    """Mean agreement with the other raters; nan where none shares enough items."""
    model: float
    """The model's agreement with this rater."""
    right: float
    """Share of ratings that are right, of numbers minus the mean absolute error; nan without truths."""
    items: int


@dataclass(frozen=True, slots=True)
class Among:
    """A model among the raters of one field."""

    model: ModelRater
    field: FormField
    measure: str
    raters: tuple[OneRater, ...]
    agreement: Ranged
    """Of the model with the raters."""
    human: Ranged
    """The raters' mean, each with the others."""
    difference: Ranged
    """Model minus raters."""
    rank: Ranged
    """Percentile rank of the model by agreement: share of raters below it, ties half, 0 to 100."""
    right: float
    """The model's accuracy (of numbers minus its mean absolute error) on the rated items; nan without truths."""
    right_rank: float
    """Its percentile rank by that; nan without truths."""
    right_difference: CrossedEstimate | None
    """The model's minus the raters', at the same ratings; over raters and items."""
    test: AlternativeTest
    items: int
    unanswered: int
    """Rated items to which the model gave no answer."""
    copied: tuple[str, ...]
    """Raters whose answers the model repeats one by one."""


def among(
    table: RatingTable,
    field: FormField,
    model: ModelRater,
    truths: Truths,
    *,
    epsilon: float,
    seed: int = 0,
) -> Among | None:
    """Put a model among the raters of the condition it saw; None where it answered no item that they rated.

    Raises HarnessError for fewer than three raters.
    """
    ratings = under(table.ratings, model.saw)
    own = {
        (who, item.sample): r.value
        for (who, item, name), r in ratings.given.items()
        if name == field.name
    }
    samples = [
        s for s in dict.fromkeys(sample for _, sample in own) if (s, field.name) in model.answers
    ]
    names = list(dict.fromkeys(who for who, sample in own if (sample, field.name) in model.answers))
    if not samples:
        return None
    if len(names) < 3:
        did = "answered" if model.saw == PLAIN else f"saw {model.saw}"
        raise HarnessError(
            f"{field.name}: {counted(len(names), 'rater')} {did}; a model is compared with three or more",
            hint="collect more ratings, or name another condition with --model-saw",
        )
    numeric = field.control == "number"
    answers: list[list[str | float | None]] = [
        [_typed(own.get((who, s)), numeric) for s in samples] for who in names
    ]
    said = [_typed(model.answers[s, field.name], numeric) for s in samples]
    copied = [who for who, a in zip(names, answers, strict=True) if _same(a, said)]
    found = _placed(answers, said, [names.index(who) for who in copied], numeric, seed)
    table_of, ranges = found
    true = truths_in_order(samples, field, truths)
    rated = [[(who, s) in own for s in samples] for who in names]
    right = _right(true, [*answers, said], [*rated, [True] * len(samples)], numeric)
    return Among(
        model, field, "concordance correlation" if numeric else "Cohen's kappa",
        tuple(
            OneRater(who, float(own_mean), float(with_model), right[k], sum(a is not None for a in answers[k]))
            for k, (who, own_mean, with_model) in enumerate(zip(names, *table_of, strict=True))
        ),
        *ranges, right[-1], _rank(right[:-1], right[-1]),
        _right_difference(
            field, true=true, answers=answers, rated=rated, said=said, seed=seed
        ),
        alternative_test(dict(zip(names, answers, strict=True)), said, numeric=numeric, epsilon=epsilon),
        len(samples), sum(a is None for a in said), tuple(copied),
    )  # fmt: skip


def _typed(value: str | None, numeric: bool) -> str | float | None:
    return None if value is None else float(value) if numeric else value


def _same(a: Sequence[str | float | None], b: Sequence[str | float | None]) -> bool:
    shared = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return len(shared) >= LEAST_COPY and all(x == y for x, y in shared)


def _rank(others: Sequence[float], one: float) -> float:
    known = [value for value in others if not math.isnan(value)]
    if math.isnan(one) or not known:
        return math.nan
    below = sum((value < one - 1e-12) + (abs(value - one) <= 1e-12) / 2 for value in known)
    return 100 * below / len(known)


def _right(
    true: Sequence[str | float | None],
    seats: Sequence[Sequence[str | float | None]],
    rated: Sequence[Sequence[bool]],
    numeric: bool,
) -> list[float]:
    """Accuracy of each seat over what it rated, of numbers minus the mean absolute error."""
    found = []
    for answers, own in zip(seats, rated, strict=True):
        scores = [
            _score(answer, truth, numeric)
            for answer, truth, seen in zip(answers, true, own, strict=True)
            if truth is not None and seen
        ]
        known = [score for score in scores if score is not None]
        found.append(sum(known) / len(known) if known else math.nan)
    return found


def _score(answer: str | float | None, truth: str | float, numeric: bool) -> float | None:
    if numeric:
        return None if answer is None else -abs(float(answer) - float(truth))
    return float(answer == truth)


def _right_difference(
    field: FormField,
    *,
    true: Sequence[str | float | None],
    answers: Sequence[Sequence[str | float | None]],
    rated: Sequence[Sequence[bool]],
    said: Sequence[str | float | None],
    seed: int,
) -> CrossedEstimate | None:
    """How much more often the model is right than a rater is, at the same ratings."""
    numeric = field.control == "number"
    rows, raters, items = [], [], []
    for who, own in enumerate(answers):
        for at, truth in enumerate(true):
            if truth is None or not rated[who][at]:
                continue
            theirs, models = _score(own[at], truth, numeric), _score(said[at], truth, numeric)
            if theirs is not None and models is not None:
                rows.append((models - theirs, 1.0))
                raters.append(who)
                items.append(at)
    if not rows:
        return None
    data = Crossed(
        np.array(rows),
        Factor(np.array(raters), np.zeros(len(answers), dtype=np.int64)),
        Factor(np.array(items), np.zeros(len(said), dtype=np.int64)),
    )
    wide = field.spec.high - field.spec.low if numeric else 1.0
    return crossed_estimates(
        data, {"": lambda totals: totals[..., 0] / np.where(totals[..., 1] > 0, totals[..., 1], np.nan)},
        draws=1000, seed=seed, within=(-wide, wide),
    )[""]  # fmt: skip


def _placed(
    answers: Sequence[Sequence[str | float | None]],
    said: Sequence[str | float | None],
    copied: Sequence[int],
    numeric: bool,
    seed: int,
) -> tuple[tuple[Floats, Floats], tuple[Ranged, Ranged, Ranged, Ranged]]:
    """((raters' own means, the model's agreement with each), (model, raters, difference, rank))."""
    seats = [*answers, said]
    count, items = len(answers), len(said)
    once = _pairs(seats, np.ones((1, items)), numeric)
    partners = np.ones(count)
    partners[list(copied)] = 0
    if not partners.any():
        partners[:] = 1
    whole = _means(once, np.ones((1, count)), partners)
    own, _ = _own(once, np.ones((1, count)))
    table = (own[0], once[0, -1, :-1])
    points = [float(value[0]) for value in whole]
    if count**2 * items * DRAWS > MOST_WORK:
        return table, tuple(Ranged(value) for value in points)  # type: ignore[return-value]
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn: list[list[Floats]] = [[] for _ in points]
    step = max(1, min(DRAWS, 4_000_000 // (count**2 + count * items)))
    for start in range(0, DRAWS, step):
        size = min(step, DRAWS - start)
        chosen = generator.multinomial(items, np.full(items, 1 / items), size=size).astype(float)
        people = generator.multinomial(count, np.full(count, 1 / count), size=size).astype(float)
        for into, value in zip(
            drawn, _means(_pairs(seats, chosen, numeric), people, partners), strict=True
        ):
            into.append(value)
    made = [
        _ranged(value, np.concatenate(found)) for value, found in zip(points, drawn, strict=True)
    ]
    return table, (made[0], made[1], made[2], made[3])


def _ranged(value: float, drawn: Floats) -> Ranged:
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or known.size < 2:
        return Ranged(value)
    low, high = np.quantile(known, [0.025, 0.975])
    return Ranged(value, float(low), float(high))


def _own(pairs: Floats, people: Floats) -> tuple[Floats, Floats]:
    """(draws, raters) each rater's mean agreement with the other raters, and the weight of these."""
    humans = pairs[:, :-1, :-1]
    known = ~np.isnan(humans)
    weights = known * people[:, None, :]
    below = weights.sum(axis=2)
    sums = (np.nan_to_num(humans) * weights).sum(axis=2)
    return np.where(below > 0, sums / np.where(below > 0, below, 1), np.nan), below


def _means(
    pairs: Floats, people: Floats, partners: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """For each draw the model's mean, the raters' mean, their difference, and the model's percentile rank."""
    own, _ = _own(pairs, people)
    with_model = pairs[:, -1, :-1]
    weights = ~np.isnan(with_model) * people * partners
    below = weights.sum(axis=1)
    model = np.where(
        below > 0,
        (np.nan_to_num(with_model) * weights).sum(axis=1) / np.where(below > 0, below, 1),
        np.nan,
    )
    known = ~np.isnan(own) * people
    total = known.sum(axis=1)
    safe = np.where(total > 0, total, 1)
    raters = np.where(total > 0, (np.nan_to_num(own) * known).sum(axis=1) / safe, np.nan)
    apart = np.nan_to_num(own) - model[:, None]
    lower = (apart < -1e-12) + (np.abs(apart) <= 1e-12) / 2
    rank = np.where(
        (total > 0) & ~np.isnan(model), 100 * (lower * known).sum(axis=1) / safe, np.nan
    )
    return model, raters, model - raters, rank


def _pairs(seats: Sequence[Sequence[str | float | None]], weights: Floats, numeric: bool) -> Floats:
    """(draws, seats, seats) the agreement of every two; nan on the diagonal and where too few items are shared."""
    count = len(seats)
    found = np.full((len(weights), count, count), np.nan)
    there = np.array([[a is not None for a in own] for own in seats])
    numbers = _numbers(seats, numeric)
    classes = 0 if numeric else int(numbers.max(initial=0)) + 1
    for a in range(count):
        for b in range(a + 1, count):
            both = there[a] & there[b]
            if both.sum() < LEAST_SHARED:
                continue
            own, x, y = weights[:, both], numbers[a, both], numbers[b, both]
            value = _concordance(own, x, y) if numeric else _kappa(own, x, y, classes)
            found[:, a, b] = found[:, b, a] = value
    return found


def _numbers(seats: Sequence[Sequence[str | float | None]], numeric: bool) -> Floats:
    if numeric:
        return np.array([[0.0 if a is None else float(a) for a in own] for own in seats])
    names = sorted({str(a) for own in seats for a in own if a is not None})
    place = {name: at for at, name in enumerate(names)}
    return np.array([[0.0 if a is None else float(place[str(a)]) for a in own] for own in seats])


def _kappa(weights: Floats, x: Floats, y: Floats, classes: int) -> Floats:
    """Cohen's kappa of weighted items; nan where both say one and the same throughout."""
    grid = np.arange(classes)
    columns = [np.ones_like(x)[:, None], (x == y)[:, None], x[:, None] == grid, y[:, None] == grid]
    sums = product(weights, np.concatenate(columns, axis=1).astype(float))
    n, agreed = sums[:, 0], sums[:, 1]
    first, second = sums[:, 2 : 2 + classes], sums[:, 2 + classes :]
    safe = np.where(n > 0, n, 1)
    chance = (first * second).sum(axis=1) / safe**2
    defined = (n > 0) & (chance < 1 - 1e-12)
    return np.where(defined, (agreed / safe - chance) / np.where(defined, 1 - chance, 1), np.nan)


def _concordance(weights: Floats, x: Floats, y: Floats) -> Floats:
    """Lin's (1989) concordance correlation, population form; nan where nothing varies."""
    centre = (x.mean() + y.mean()) / 2
    x, y = x - centre, y - centre
    sums = product(weights, np.column_stack([np.ones_like(x), x, y, x * y, x * x + y * y]))
    n = sums[:, 0]
    safe = np.where(n > 0, n, 1)
    mean_x, mean_y, both, squares = (sums[:, k] / safe for k in range(1, 5))
    covariance = both - mean_x * mean_y
    spread = squares - mean_x**2 - mean_y**2
    below = spread + (mean_x - mean_y) ** 2
    return np.where(
        (n > 0) & (below > 1e-12), 2 * covariance / np.where(below > 1e-12, below, 1), np.nan
    )
