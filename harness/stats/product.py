"""Matrix products in pieces that no BLAS library spreads over threads.

OpenBLAS keeps products of few multiplications on one thread. The threads of larger ones wait for each other at each
product, which on a busy machine takes ten times as long as the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROWS = 16
"""Rows multiplied at a time, or more where they are short."""
_COLUMNS = 256
"""Columns multiplied at a time."""
_SINGLE = 1 << 18
"""Multiplications in one product (OpenBLAS: SMP_THRESHOLD_MIN times GEMM_MULTITHREAD_THRESHOLD)."""


def product(weights: NDArray[Any], totals: NDArray[Any]) -> Floats:
    """``weights @ totals``, (b, g) times (g, k), worked out in the precision of the totals and on one thread."""
    draws, (groups, width) = len(weights), totals.shape
    columns = max(1, min(width, _COLUMNS))
    rows = max(ROWS, _SINGLE // max(1, groups * columns))
    found = np.empty((draws, width))
    for top in range(0, draws, rows):
        few = weights[top : top + rows].astype(totals.dtype, copy=False)
        for left in range(0, width, columns):
            part = totals[:, left : left + columns]
            found[top : top + rows, left : left + columns] = _small_product(few, part)
    return found


def _small_product(weights: NDArray[Any], totals: NDArray[Any]) -> NDArray[Any]:
    """The same of a few rows and columns, as a sum of products of at most `_SINGLE` multiplications."""
    (rows, groups), width = weights.shape, totals.shape[1]
    deep = max(1, _SINGLE // (rows * width))
    whole = groups - groups % deep
    found: NDArray[Any] = weights[:, whole:] @ totals[whole:]
    if whole:
        pieces = weights[:, :whole].reshape(rows, -1, deep).transpose(1, 0, 2)
        found += (pieces @ totals[:whole].reshape(-1, deep, width)).sum(axis=0)
    return found
