"""Agreement of raters under each condition: the coefficients of `harness rate --report`, and the intraclass correlation
of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.raters.table import RatingTable
from harness.rating.agreement import DRAWS, Measure, agreement_of
from harness.rating.form import FormField
from harness.rating.journal import Ratings
from harness.stats.bootstraps import bootstrap
from harness.stats.icc import MODELS, icc_rows, icc_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreed:
    """One coefficient under one condition."""

    condition: str
    measure: Measure


def agreement_by_condition(table: RatingTable, *, seed: int = 0) -> list[Agreed]:
    """Every coefficient that suits, field by field and condition by condition, among the raters of that condition."""
    found: list[Agreed] = []
    parts = {condition: under(table.ratings, condition) for condition in table.conditions}
    for field in table.fields:
        for condition, ratings in parts.items():
            own = replace(ratings.study, fields=(field,))
            part = Ratings(own, ratings.given, {}, ratings.about)
            found += [Agreed(condition, one) for one in agreement_of(part, seed=seed)]
            if field.control == "number":
                found += [Agreed(condition, one) for one in _correlations(part, field, seed)]
    return found


def under(ratings: Ratings, condition: str) -> Ratings:
    """The ratings under one condition, of those raters who rated under it."""
    given = {key: r for key, r in ratings.given.items() if key[1].condition == condition}
    who = {rater for rater, _, _ in given}
    about = {rater: known for rater, known in ratings.about.items() if rater in who}
    return Ratings(replace(ratings.study, conditions=(condition,)), given, {}, about)


def _correlations(ratings: Ratings, field: FormField, seed: int) -> Iterator[Measure]:
    """ICC(2,1) and ICC(2,k) over the items that all raters of the field rated."""
    own = {
        (who, item): float(r.value)
        for (who, item, name), r in ratings.given.items()
        if name == field.name and r.value is not None
    }
    raters = [who for who in ratings.about if any(rater == who for rater, _ in own)]
    if len(raters) < 2:
        return
    items = list(dict.fromkeys(item for _, item in own))
    whole = [item for item in items if all((who, item) in own for who in raters)]
    middle = (field.spec.low + field.spec.high) / 2
    rated = np.array([[own[who, item] - middle for who in raters] for item in whole])
    rows = icc_rows(rated.reshape(-1, len(raters)))
    left = len(items) - len(whole)
    for model in MODELS:
        value = float(icc_value(model, rows.sum(axis=0)[None])[0]) if len(whole) > 1 else math.nan
        reason = ""
        if math.isnan(value):
            reason = f"{len(whole)} of {len(items)} items were rated by all {len(raters)} raters"
        interval = None
        if not math.isnan(value):
            clusters = [item.sample for item in whole]
            interval = bootstrap(
                rows, clusters, partial(icc_value, model), draws=DRAWS, seed=seed, method="auto"
            )
        told = f"{model}, {left} items left out that not all rated" if left and whole else model
        yield Measure(
            field.name, "", told, value, interval, len(whole), len(raters), len(whole), reason
        )
