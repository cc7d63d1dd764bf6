"""Agreement between raters, field by field, with intervals over items.

The coefficients are those of :mod:`harness.stats.agreement`. Intervals resample items, whole clusters of them where the
source names clusters, and are read off sums of rows, one row an item.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.rating.form import FormField
from harness.rating.items import ItemKey
from harness.rating.journal import Rating, Ratings
from harness.stats.agreement import Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha
from harness.stats.bootstraps import bootstrap
from harness.stats.interval import Interval

Floats = NDArray[np.float64]
Answer = str | float
Table = Sequence[Sequence[Answer | None]]
"""Items by raters; None where one gave no answer, or could not tell."""

MOST_VALUES = 25
"""Different numbers beyond which no interval of the ordinal alpha is drawn."""
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Measure:
    """One coefficient of one field, or of one option of a field of several options."""

    field: str
    option: str
    """Empty for the field as a whole."""
    name: str
    value: float
    """nan where undefined, and `reason` says why."""
    interval: Interval | None
    """None where none is drawn."""
    items: int
    """Items it rests on."""
    raters: int
    clusters: int
    reason: str = ""


def agreement_of(ratings: Ratings, *, seed: int = 0) -> list[Measure]:
    """The share of pairs of answers that agree (of numbers their mean absolute difference), and the coefficients that
    suit, for each field.

    One of several options, and each option of several: Cohen's kappa for two raters, Fleiss' kappa for more where any
    item was rated by all, Krippendorff's nominal alpha. Numbers: Krippendorff's alpha, interval and ordinal. Text: the
    share alone. Fields that fewer than two raters answered have none.
    """
    found: list[Measure] = []
    for field in ratings.study.fields:
        items, raters, clusters = _layout(ratings, field.name)
        if len(raters) < 2:
            continue
        for option, table in _tables(ratings, field, items, raters):
            found += _measures(field, option, table, clusters, seed)
    return found


def _layout(ratings: Ratings, name: str) -> tuple[list[ItemKey], list[str], list[str]]:
    """Items, raters and the items' clusters of a field."""
    own = [r for (_, _, field), r in ratings.given.items() if field == name]
    items = sorted({r.item for r in own})
    raters = [who for who in ratings.about if any(r.rater == who for r in own)]
    cluster = {r.item: _cluster(r) for r in own}
    return items, raters, [cluster[item] for item in items]


def _cluster(rating: Rating) -> str:
    """The sample stands for itself where no cluster is known; its conditions stay together."""
    return f"s{rating.item.sample}" if rating.cluster is None else f"c{rating.cluster}"


def _tables(
    ratings: Ratings, field: FormField, items: Sequence[ItemKey], raters: Sequence[str]
) -> Iterator[tuple[str, Table]]:
    """The answers as categories or numbers: of the field, and of each option that may be chosen beside others."""

    def text(rater: str, item: ItemKey) -> str | None:
        rating = ratings.given.get((rater, item, field.name))
        return None if rating is None else rating.value

    def table(convert: Callable[[str], Answer]) -> Table:
        return [
            [None if (said := text(who, item)) is None else convert(said) for who in raters]
            for item in items
        ]

    if field.control == "number":
        yield "", table(float)
        return
    if field.control == "text":
        yield "", table(lambda said: " ".join(said.casefold().split()))
        return
    yield "", table(str)
    if field.control == "several":
        for option in field.options:
            yield option, table(partial(_named, field, option))


def _named(field: FormField, option: str, said: str) -> str:
    value = field.value(said)
    return "yes" if option in (value if isinstance(value, tuple) else (value,)) else "no"


def _measures(
    field: FormField, option: str, table: Table, clusters: Sequence[str], seed: int
) -> Iterator[Measure]:
    paired = [(row, c) for row, c in zip(table, clusters, strict=True) if _count(row) > 1]
    if option and not any("yes" in row for row, _ in paired):
        return
    for name, agreement, rows in _coefficients(field, table, [row for row, _ in paired]):
        interval = None
        if rows is not None and not math.isnan(agreement.value):
            made, value = rows
            interval = bootstrap(
                made, [c for _, c in paired], value, draws=DRAWS, seed=seed, method="auto"
            )
        yield Measure(
            field.name, option, name, agreement.value, interval, agreement.items,
            agreement.raters, len({c for _, c in paired}), agreement.reason,
        )  # fmt: skip


def _count(row: Sequence[Answer | None]) -> int:
    return sum(value is not None for value in row)


Rows = tuple[Floats, Callable[[Floats], Floats]]
"""One row an item with two ratings or more, and the coefficient as a function of their sums."""


def _coefficients(
    field: FormField, table: Table, paired: Table
) -> Iterator[tuple[str, Agreement, Rows | None]]:
    columns = list(zip(*table, strict=True))
    raters = len(columns)
    numeric = field.control == "number"
    pairs = _pair_rows(paired, numeric=numeric)
    share = float(pairs[:, 0].sum() / pairs[:, 1].sum()) if len(paired) else math.nan
    reason = "" if len(paired) else "no item has two ratings"
    yield (
        "mean difference of two raters, absolute" if numeric else "share of pairs that agree",
        Agreement(share, "", len(paired), raters, reason=reason),
        (pairs, lambda total: _ratio(total[..., 0], total[..., 1])),
    )
    if field.control == "text":
        return
    if numeric:
        yield "Krippendorff's alpha, interval", _alpha(columns, "interval"), _interval_rows(paired)
        yield "Krippendorff's alpha, ordinal", _alpha(columns, "ordinal"), _ordinal_rows(paired)
        return
    if raters == 2:
        yield "Cohen's kappa", cohen_kappa(*columns), _cohen_rows(paired)
    elif any(_count(row) == raters for row in paired):
        yield "Fleiss' kappa", fleiss_kappa(columns), _fleiss_rows(paired, raters)
    yield "Krippendorff's alpha, nominal", _alpha(columns, "nominal"), _nominal_rows(paired)


def _alpha(
    columns: Sequence[Sequence[Answer | None]], scale: Literal["nominal", "ordinal", "interval"]
) -> Agreement:
    return krippendorff_alpha(columns, scale=scale)


def _ratio(above: Floats, below: Floats) -> Floats:
    """nan where there is nothing below."""
    safe = np.where(below > 0, below, 1.0)
    return np.where(below > 0, above / safe, np.nan)


def _pair_rows(table: Table, *, numeric: bool) -> Floats:
    """(items, 2): pairs of raters that agree as a share of the item's pairs, of numbers their mean absolute
    difference; and 1."""
    rows = []
    for row in table:
        pairs = list(combinations([value for value in row if value is not None], 2))
        apart = sum(abs(float(a) - float(b)) if numeric else a == b for a, b in pairs)
        rows.append((apart / len(pairs), 1.0))
    return np.array(rows, dtype=float).reshape(-1, 2)


def _counts(table: Table) -> Floats:
    """(items, categories): how many raters gave each."""
    names = sorted({value for row in table for value in row if value is not None})
    place = {name: at for at, name in enumerate(names)}
    counts = np.zeros((len(table), len(names)))
    for at, row in enumerate(table):
        for value in row:
            if value is not None:
                counts[at, place[value]] += 1
    return counts


def _cohen_rows(table: Table) -> Rows:
    names = sorted({str(value) for row in table for value in row})
    place = {name: at for at, name in enumerate(names)}
    k = len(names)
    rows = np.zeros((len(table), k * k))
    for at, (a, b) in enumerate(table):
        rows[at, place[str(a)] * k + place[str(b)]] = 1

    def value(total: Floats) -> Floats:
        cells = total.reshape(-1, k, k)
        n = cells.sum(axis=(1, 2))
        agreed = np.trace(cells, axis1=1, axis2=2) / n
        chance = (cells.sum(axis=2) * cells.sum(axis=1)).sum(axis=1) / n**2
        return _ratio(agreed - chance, 1 - chance)

    return rows, value


def _fleiss_rows(table: Table, raters: int) -> Rows:
    """Items that not all rated weigh nothing."""
    counts = _counts(table)
    whole = counts.sum(axis=1) == raters
    alike = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    rows = np.column_stack([whole * alike, whole, counts * whole[:, None]]).astype(float)

    def value(total: Floats) -> Floats:
        total = total.reshape(-1, rows.shape[1])
        n = total[:, 1]
        agreed = _ratio(total[:, 0], n)
        shares = total[:, 2:] / np.where(n > 0, n * raters, 1)[:, None]
        chance = (shares**2).sum(axis=1)
        return _ratio(agreed - chance, 1 - chance)

    return rows, value


def _nominal_rows(table: Table) -> Rows:
    counts = _counts(table)
    m = counts.sum(axis=1)
    unlike = (m**2 - (counts**2).sum(axis=1)) / (m - 1)
    rows = np.column_stack([unlike, counts])

    def value(total: Floats) -> Floats:
        total = total.reshape(-1, rows.shape[1])
        each = total[:, 1:]
        n = each.sum(axis=1)
        observed = total[:, 0] / n
        expected = (n**2 - (each**2).sum(axis=1)) / (n * (n - 1))
        return 1 - _ratio(observed, expected)

    return rows, value


def _interval_rows(table: Table) -> Rows:
    numbers = [np.array([v for v in row if v is not None], dtype=float) for row in table]
    centre = float(np.concatenate(numbers).mean()) if numbers else 0.0
    rows = np.array(
        [
            (2 * x.size * ((x - x.mean()) ** 2).sum() / (x.size - 1), x.size,
             (x - centre).sum(), ((x - centre) ** 2).sum())
            for x in numbers
        ]
    ).reshape(-1, 4)  # fmt: skip

    def value(total: Floats) -> Floats:
        total = total.reshape(-1, 4)
        n = total[:, 1]
        expected = 2 * (total[:, 3] - total[:, 2] ** 2 / n) / (n - 1)
        return 1 - _ratio(total[:, 0] / n, expected)

    return rows, value


def _ordinal_rows(table: Table) -> Rows | None:
    """Each item's coincidences, k by k, and its counts; None for more than MOST_VALUES different numbers."""
    counts = _counts(table)
    k = counts.shape[1]
    if k > MOST_VALUES:
        return None
    m = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(k), np.arange(k)] -= counts
    rows = np.column_stack([(pairs / (m - 1)[:, None, None]).reshape(len(table), k * k), counts])

    def value(total: Floats) -> Floats:
        total = total.reshape(-1, k * k + k)
        seen, each = total[:, : k * k].reshape(-1, k, k), total[:, k * k :]
        n = each.sum(axis=1)
        rank = np.cumsum(each, axis=1) - each / 2
        apart = (rank[:, :, None] - rank[:, None, :]) ** 2
        observed = (seen * apart).sum(axis=(1, 2)) / n
        expected = (each[:, :, None] * each[:, None, :] * apart).sum(axis=(1, 2)) / (n * (n - 1))
        return 1 - _ratio(observed, expected)

    return rows, value
