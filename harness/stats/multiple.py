"""Adjust the p-values of several tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError

Floats = NDArray[np.float64]


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """Holm (1979) adjusted p-values, in the order given.

    Rejecting where the adjusted value is at most alpha keeps the chance of any false rejection
    at alpha, whatever the dependence of the tests. nan (no test) stays nan and counts for
    nothing. Raises HarnessError for a value outside 0..1.
    """
    return _stepwise(p_values, step_down=True)


def benjamini_hochberg(p_values: Sequence[float] | Floats) -> Floats:
    """Benjamini and Hochberg (1995) adjusted p-values, in the order given.

    Rejecting where the adjusted value is at most q keeps the expected share of false rejections
    among all at q, for independent or positively dependent tests. nan as in :func:`holm`.
    """
    return _stepwise(p_values, step_down=False)


def benjamini_yekutieli(p_values: Sequence[float] | Floats) -> Floats:
    """Benjamini and Yekutieli (2001) adjusted p-values, in the order given.

    As :func:`benjamini_hochberg`, times 1 + 1/2 + ... + 1/m: holds whatever the dependence of the m tests.
    """
    values = np.asarray(p_values, dtype=np.float64)
    tests = int(np.sum(~np.isnan(values)))
    harmonic = float(np.sum(1 / np.arange(1, tests + 1)))
    return np.minimum(benjamini_hochberg(values) * harmonic, 1.0)


def _stepwise(p_values: Sequence[float] | Floats, *, step_down: bool) -> Floats:
    values = np.asarray(p_values, dtype=np.float64)
    there = ~np.isnan(values)
    known = values[there]
    if values.ndim != 1 or (known.size and not (known.min() >= 0 and known.max() <= 1)):
        raise HarnessError("p-values lie outside 0..1", hint="pass one p-value for each test")
    order = np.argsort(known, kind="stable")
    place = np.arange(known.size)
    if step_down:
        adjusted = np.maximum.accumulate(known[order] * (known.size - place))
    else:
        scaled = known[order] * known.size / (place + 1)
        adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    out = np.full(values.shape, np.nan)
    back = np.empty(known.size)
    back[order] = np.minimum(adjusted, 1.0)
    out[there] = back
    return out
