"""Intervals over two crossed factors: raters and items are both samples of more.

Ratings of one person resemble each other, and so do ratings of one clip. An interval over raters alone says what other
people would say of these clips, and none of these clips are all clips. The pigeonhole bootstrap (Owen 2007, The
pigeonhole bootstrap, Annals of Applied Statistics 1(2)) resamples raters and items independently; a rating counts as
often as its rater times as often as its item. Its spread is somewhat too wide where what is left over (rater by item)
is large, and too narrow where there are few raters or items. So its quantiles are moved to the width of a two-way
jackknife,

    variance = V(raters) + V(items) - V(single ratings), but no less than the first or the second,

(Cameron, Gelbach and Miller 2011, Robust inference with multiway clustering, JBES 29(2)), with Student's t of
Satterthwaite's degrees of freedom. Where t bounds reach further, of shares also those on the logit scale, these stand.
Simulated coverage: results/benchmarks/raters.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.interval import Interval, check_level
from harness.stats.product import product
from harness.stats.student import t_quantile, two_sided_p

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimate = Callable[[Floats], Floats]
"""Totals (draws, k) to values (draws,), nan where undefined."""

_HELD = 1 << 22
"""Numbers of weights held at a time."""
_METHOD = "pigeonhole bootstrap over raters and items, and two-way jackknife t, the wider bounds"


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One of the two ways in which observations belong together."""

    codes: Ints
    """(n,) the level (rater, item) of each observation, 0 to levels - 1."""
    strata: Ints
    """(levels,) the stratum of each level: levels are resampled within it, so that its size stays as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """n observations with two crossed factors, and what they add to sums."""

    rows: Floats
    """(n, k) additive rows."""
    first: Factor
    """Raters."""
    second: Factor
    """Items."""


@dataclass(frozen=True, slots=True)
class CrossedEstimate:
    """A value, its interval over both factors, and its standard error."""

    value: float
    """nan where undefined."""
    interval: Interval
    error: float
    """Two-way jackknife standard error; nan where the value is undefined without one level."""
    degrees: int
    """Satterthwaite's degrees of freedom of the error, 1 or more."""

    @property
    def p(self) -> float:
        """Two-sided, of "the value is 0", by t; nan where the error is not known or is 0."""
        if not self.error > 0:
            return math.nan
        return two_sided_p(self.value / self.error, self.degrees)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Two-way jackknife variance."""

    variance: float
    degrees: int
    lonely: tuple[str, ...]
    """Factors with a stratum of one level that matters: nothing is known of its spread."""


def crossed_estimates(
    data: Crossed,
    values: Mapping[str, Estimate],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
    within: tuple[float, float] = (-math.inf, math.inf),
    names: tuple[str, str] = ("rater", "item"),
) -> dict[str, CrossedEstimate]:
    """Estimates with intervals over both factors.

    Args:
        data: the observations.
        values: name -> a function of sums of rows.
        within: the range of the values; bounds are cut to it.
        names: what a level of each factor is called in reasons.

    Bounds are nan where the value is undefined or only one level of each factor matters; `reason` says why. Raises
    HarnessError for draws below 1, or a level outside (0, 1).
    """
    check_level(level)
    if draws < 1:
        raise HarnessError(f"{draws} draws give no interval", hint="draw at least 1,000")
    merged = _merged(data)
    whole = merged.rows.sum(axis=0)[None]
    drawn: dict[str, list[Floats]] = {name: [] for name in values}
    for totals in _resamples(merged, draws, seed):
        for name, value in values.items():
            drawn[name].append(value(totals))
    left = _left_out(merged, whole)
    found = {}
    for name, value in values.items():
        spread = _spread(merged, left, value, names)
        estimate = float(value(whole)[0])
        found[name] = _estimate(
            estimate,
            np.concatenate(drawn[name]),
            spread=spread,
            data=merged,
            level=level,
            within=within,
            names=names,
        )
    return found


def _merged(data: Crossed) -> Crossed:
    """Observations of one pair of levels as one row."""
    levels = len(data.second.strata)
    pairs, place = np.unique(data.first.codes * levels + data.second.codes, return_inverse=True)
    rows = np.zeros((len(pairs), data.rows.shape[1]))
    np.add.at(rows, place.ravel(), data.rows)
    return Crossed(
        rows,
        Factor(pairs // levels, data.first.strata),
        Factor(pairs % levels, data.second.strata),
    )


def _resamples(data: Crossed, draws: int, seed: int) -> list[Floats]:
    """Totals of all resamples, in blocks of (some draws, k)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, min(draws, _HELD // max(1, len(data.rows))))
    found = []
    for start in range(0, draws, step):
        size = min(step, draws - start)
        first = _multiplicities(generator, data.first.strata, size)[:, data.first.codes]
        first *= _multiplicities(generator, data.second.strata, size)[:, data.second.codes]
        found.append(product(first, data.rows))
    return found


def _multiplicities(generator: np.random.Generator, strata: Ints, draws: int) -> Floats:
    """(draws, levels) how often each level is drawn, with replacement within its stratum."""
    counts = np.empty((draws, strata.size))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        shares = np.full(members.size, 1 / members.size)
        counts[:, members] = generator.multinomial(members.size, shares, size=draws)
    return counts


def _left_out(data: Crossed, whole: Floats) -> tuple[Floats, Floats, Floats]:
    """Totals without each rater, without each item, and without each pair of the two."""
    sums = []
    for factor in (data.first, data.second):
        own = np.zeros((factor.strata.size, data.rows.shape[1]))
        np.add.at(own, factor.codes, data.rows)
        sums.append(whole - own)
    return sums[0], sums[1], whole - data.rows


def _spread(
    data: Crossed, left: tuple[Floats, Floats, Floats], value: Estimate, names: tuple[str, str]
) -> _Spread | None:
    """None where the value is undefined without one level."""
    whole = float(value(data.rows.sum(axis=0)[None])[0])
    parts: list[tuple[float, int]] = []
    totals, lonely = [], []
    for totals_without, factor, name in zip(left, (data.first, data.second), names, strict=False):
        without = value(totals_without)
        variance = 0.0
        for stratum in np.unique(factor.strata):
            own = without[factor.strata == stratum]
            if own.size < 2:
                if not abs(own[0] - whole) < 1e-12:  # nan: nothing is left without it
                    lonely.append(name)
                continue
            if np.isnan(own).any():
                return None
            part = (own.size - 1) / own.size * float(np.sum((own - own.mean()) ** 2))
            parts.append((part, own.size - 1))
            variance += part
        totals.append(variance)
    single = value(left[2])
    n = single.size
    if np.isnan(single).any() and not lonely:
        return None
    rest = (n - 1) / n * float(np.nansum((single - np.nanmean(single)) ** 2)) if n > 1 else 0.0
    variance = max(sum(totals) - rest, *totals)
    below = sum(part**2 / df for part, df in parts)
    degrees = math.floor(sum(totals) ** 2 / below) if below > 0 else 1
    return _Spread(variance, max(1, degrees), tuple(dict.fromkeys(lonely)))


def _estimate(
    value: float,
    drawn: Floats,
    *,
    spread: _Spread | None,
    data: Crossed,
    level: float,
    within: tuple[float, float],
    names: tuple[str, str],
) -> CrossedEstimate:
    draws, defined = drawn.size, drawn[~np.isnan(drawn)]
    count = min(data.first.strata.size, data.second.strata.size)
    undefined = draws - defined.size

    def made(low: float, high: float, method: str, reason: str = "") -> Interval:
        low, high = max(low, within[0]), min(high, within[1])
        return Interval(low, high, level, method, count, draws, undefined, reason)

    nan = math.nan
    if math.isnan(value) or not defined.size:
        return CrossedEstimate(nan, made(nan, nan, _METHOD, "undefined"), nan, 1)
    alone = spread.lonely if spread is not None else ()
    if set(alone) == set(names):
        reason = f"one {names[0]} and one {names[1]}: nothing to resample"
        return CrossedEstimate(value, made(nan, nan, _METHOD, reason), nan, 1)
    reason = " and ".join(f"one {name} only: not over other {name}s" for name in alone)
    if spread is None:
        low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        reason = f"undefined without one {names[0]} or {names[1]}: plain percentiles"
        return CrossedEstimate(value, made(float(low), float(high), _METHOD, reason), nan, 1)
    if spread.variance <= 1e-24 or defined.min() == defined.max():
        reason = "all resamples give this one value: no spread was seen, which is not certainty"
        return CrossedEstimate(value, made(value, value, _METHOD, reason), 0.0, spread.degrees)
    error = math.sqrt(spread.variance)
    t = t_quantile((1 + level) / 2, spread.degrees)
    tail = NormalDist().cdf(-t * error / float(defined.std()))
    low, high = (float(q) for q in np.quantile(defined, [tail, 1 - tail]))
    low, high = min(low, value - t * error), max(high, value + t * error)
    if within == (0.0, 1.0) and 0 < value < 1:
        half = t * error / (value * (1 - value))
        low, high = min(low, _logistic(value, -half)), max(high, _logistic(value, half))
    return CrossedEstimate(value, made(low, high, _METHOD, reason), error, spread.degrees)


def _logistic(share: float, by: float) -> float:
    """A share moved by so much on the logit scale."""
    return 1 / (1 + math.exp(-min(700.0, max(-700.0, math.log(share / (1 - share)) + by))))
