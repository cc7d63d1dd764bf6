"""Intraclass correlation of raters who all rated the same items.

The two-way random model: items and raters are samples of more, and raters may use the scale differently. With n items,
k raters and the mean squares of items (BMS), raters (JMS) and rest (EMS) of the two-way analysis of variance
(Shrout and Fleiss 1979, Psychological Bulletin 86(2)),

    ICC(2,1) = (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n)   one rater, absolute agreement
    ICC(2,k) = (BMS - EMS) / (BMS + (JMS - EMS) / n)                   the mean of the k raters
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Model = Literal["ICC(2,1)", "ICC(2,k)"]
MODELS: tuple[Model, ...] = ("ICC(2,1)", "ICC(2,k)")


def icc_rows(table: Floats) -> Floats:
    """(n, k + 3) additive rows of n items by k raters, for :func:`icc_value`: the item's ratings, the sum of their
    squares, the square of their sum, and 1. Ratings should lie near 0: the middle of the scale taken off."""
    total = table.sum(axis=1)
    return np.column_stack([table, (table**2).sum(axis=1), total**2, np.ones(len(table))])


def icc_value(model: Model, totals: Floats) -> Floats:
    """The coefficient from sums of rows (draws, k + 3); nan below two items or without any spread."""
    raters = totals.shape[-1] - 3
    columns, squares, lines, n = (
        totals[..., :raters], totals[..., -3], totals[..., -2], totals[..., -1],
    )  # fmt: skip
    enough = n > 1
    n = np.where(enough, n, 2.0)
    correction = columns.sum(axis=-1) ** 2 / (n * raters)
    items = (lines / raters - correction) / (n - 1)
    judges = ((columns**2).sum(axis=-1) / n - correction) / (raters - 1)
    rest = squares - correction - items * (n - 1) - judges * (raters - 1)
    rest = np.maximum(rest, 0) / ((n - 1) * (raters - 1))
    if model == "ICC(2,1)":
        below = items + (raters - 1) * rest + raters * (judges - rest) / n
    else:
        below = items + (judges - rest) / n
    defined = enough & (np.abs(below) > 1e-12)
    return np.where(defined, (items - rest) / np.where(defined, below, 1.0), np.nan)
