"""Concordance, Kaplan-Meier curves by quartile of risk, log-rank test and Cox hazard ratios of a cohort.

Curves, the log-rank test and Cox models are those of statsmodels (`SurvfuncRight`, `survdiff`, `PHReg` with Efron's
correction for ties). Proportional hazards are checked by the correlation of scaled Schoenfeld residuals with the rank of
time (Grambsch and Therneau 1994, Biometrika 81).
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.concordance import Concordance, concordance
from harness.survival.cohort import Cohort

Floats = NDArray[np.float64]
GROUPS = 4
_95 = NormalDist().inv_cdf(0.975)
_MOST_ERROR = 10.0
"""Standard errors of a log hazard ratio above this say that the fit ran away."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Kaplan-Meier estimate of one group."""

    name: str
    """`quartile 1 (lowest risk)` ..."""
    n: int
    events: int
    times: Sequence[float]
    """Times of events, ascending."""
    survival: Sequence[float]
    """Share without the event just after each of them."""
    at_risk: Sequence[int]
    """How many are under observation at each of `Survival.ticks`."""
    until: float
    """The longest time of the group, up to which its curve is known."""


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """One hazard ratio of a Cox model."""

    name: str
    adjusted: bool
    value: float
    low: float
    high: float
    p: float
    proportional_p: float
    """p of the test that the ratio stays the same over time; below .05 it does not. nan where it was not tested."""


@dataclass(frozen=True, slots=True)
class Survival:
    """What a risk says of a cohort."""

    cohort: Cohort
    concordance: Concordance
    curves: Sequence[Curve]
    ticks: Sequence[float]
    """Times at which the numbers at risk are told."""
    log_rank: tuple[float, float]
    """Statistic and p over the quartiles (of strata, where there are some)."""
    ratios: Sequence[HazardRatio]
    notes: Sequence[str]


def analyse(cohort: Cohort) -> Survival:
    """All of it; what cannot be computed is nan, and a note says why. Raises HarnessError where statsmodels is not
    installed."""
    api = _statsmodels()
    group, notes = _quartiles(cohort.risk)
    ticks = _ticks(float(cohort.time.max()))
    curves = [
        _curve(api, cohort, group == g, _name(g, int(group.max()) + 1), ticks)
        for g in np.unique(group)
    ]
    with _quiet():
        ratios, lost = _ratios(api, cohort, group)
        log_rank = _log_rank(api, cohort, group)
    if math.isnan(log_rank[1]):
        lost.append("the log-rank test cannot be computed: the groups are never at risk together")
    codes = np.unique(cohort.strata, return_inverse=True)[1] if cohort.strata else None
    return Survival(
        cohort, concordance(cohort.time, cohort.event, cohort.risk, strata=codes), curves, ticks, log_rank, ratios,
        [*cohort.notes, *notes, *lost],
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of numerical code: what cannot be computed becomes nan, and is told."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _log_rank(api: Any, cohort: Cohort, group: NDArray[np.int64]) -> tuple[float, float]:
    strata = np.array(cohort.strata) if cohort.strata else None
    try:
        statistic, p = api.survdiff(cohort.time, cohort.event.astype(int), group, strata=strata)
    except (np.linalg.LinAlgError, ValueError):
        return math.nan, math.nan
    return float(statistic), float(p)


def _statsmodels() -> Any:
    try:
        return importlib.import_module("statsmodels.duration.api")
    except ModuleNotFoundError:
        raise HarnessError(
            "survival analysis needs statsmodels", hint="pip install 'affect-harness[survival]'"
        ) from None


def _quartiles(risk: Floats) -> tuple[NDArray[np.int64], list[str]]:
    """(n,) 0 for the lowest quarter; fewer groups where risks tie so much that a quarter would be empty."""
    cuts = np.unique(np.quantile(risk, [0.25, 0.5, 0.75]))
    group = np.searchsorted(cuts, risk, side="left")
    _, group = np.unique(group, return_inverse=True)
    found = int(group.max()) + 1
    sizes = np.bincount(group)
    notes = []
    if found < GROUPS or sizes.max() > 1.5 * sizes.min():
        told = ", ".join(map(str, sizes.tolist()))
        notes.append(f"risks tie: the {found} groups by quartile have {told} people")
    return group.astype(np.int64), notes


def _name(place: int, of: int) -> str:
    end = {0: " (lowest risk)", of - 1: " (highest risk)"}.get(place, "")
    return f"quartile {place + 1}{end}" if of == GROUPS else f"group {place + 1}{end}"


def _ticks(longest: float) -> Sequence[float]:
    """Zero and round steps up to the longest time."""
    if longest <= 0:
        return (0.0,)
    raw = longest / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * f for f in (1, 2, 2.5, 5, 10) if unit * f >= raw)
    return tuple(round(step * k, 10) for k in range(int(longest / step) + 1))


def _curve(
    api: Any, cohort: Cohort, inside: NDArray[np.bool_], name: str, ticks: Sequence[float]
) -> Curve:
    time, event = cohort.time[inside], cohort.event[inside]
    at_risk = [int((time >= tick).sum()) for tick in ticks]
    if not event.any():
        return Curve(name, int(inside.sum()), 0, (), (), at_risk, float(time.max()))
    found = api.SurvfuncRight(time, event.astype(int))
    return Curve(
        name, int(inside.sum()), int(event.sum()), [float(t) for t in found.surv_times],
        [float(s) for s in found.surv_prob], at_risk, float(time.max()),
    )  # fmt: skip


def _ratios(
    api: Any, cohort: Cohort, group: NDArray[np.int64]
) -> tuple[list[HazardRatio], list[str]]:
    """Per standard deviation of the risk and by quartile against the lowest, each alone and adjusted; and sentences on
    those that cannot be had."""
    scaled = {"risk, per standard deviation": _standard(cohort.risk)}
    found = int(group.max()) + 1
    parts = {
        f"{_name(g, found)} against the lowest": (group == g).astype(np.float64)
        for g in range(1, found)
    }
    empty = [_name(g, found) for g in range(found) if not cohort.event[group == g].any()]
    ratios: list[HazardRatio] = []
    lost = [f"no events in {name}: hazard ratios by quartile are not finite" for name in empty]
    for own in (scaled, parts):
        for adjust in ({}, cohort.adjust) if cohort.adjust else ({},):
            fitted = _model(api, cohort, own, adjust)
            ratios += fitted or [_unknown(name, adjusted=bool(adjust)) for name in own]
            if not fitted and not (own is parts and empty):
                lost.append(_not_fitted([*own, *adjust]))
    return ratios, lost


def _unknown(name: str, *, adjusted: bool) -> HazardRatio:
    nan = math.nan
    return HazardRatio(name, adjusted, nan, nan, nan, nan, nan)


def _model(
    api: Any, cohort: Cohort, own: Mapping[str, Floats], adjust: Mapping[str, Floats]
) -> list[HazardRatio]:
    """The ratios of `own` in one Cox model; none where it has no finite solution."""
    matrix = np.column_stack([*own.values(), *map(_standard, adjust.values())])
    strata = np.array(cohort.strata) if cohort.strata else None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            model = api.PHReg(
                cohort.time, matrix, cohort.event.astype(int), strata=strata, ties="efron"
            )
            fit = model.fit()
            errors = np.asarray(fit.bse, dtype=np.float64)
        except (np.linalg.LinAlgError, ValueError):
            return []
    failed = any("onverge" in str(w.message) for w in told)
    if (
        failed
        or not np.isfinite(errors).all()
        or not 0 < errors.min() <= errors.max() < _MOST_ERROR
    ):
        return []
    checks = _proportional(fit, cohort)
    return [
        HazardRatio(
            name, bool(adjust), math.exp(fit.params[k]), math.exp(fit.params[k] - _95 * errors[k]),
            math.exp(fit.params[k] + _95 * errors[k]), float(fit.pvalues[k]), checks[k],
        )
        for k, name in enumerate(own)
    ]  # fmt: skip


def _not_fitted(columns: Sequence[str]) -> str:
    return (
        f"the Cox model of {', '.join(columns)} has no finite solution: a covariate tells the events apart completely, "
        "follows from the others, or varies within no stratum"
    )


def _standard(values: Floats) -> Floats:
    """Values with mean 0 and standard deviation 1, first brought to about 1 so that no square is lost; as they are
    where they do not vary."""
    size = float(np.abs(values).max())
    moved = values / size if size > 0 else values
    moved = moved - moved.mean()
    spread = float(moved.std(ddof=1))
    scaled: Floats = moved / spread if spread > 0 else moved
    return scaled


def _proportional(fit: Any, cohort: Cohort) -> list[float]:
    """p of each coefficient's test of a trend of scaled Schoenfeld residuals over the rank of time."""
    covariance = np.asarray(fit.cov_params(), dtype=np.float64)
    residuals = np.asarray(fit.schoenfeld_residuals, dtype=np.float64)
    if residuals.ndim != 2:
        return [math.nan] * covariance.shape[0]
    kept = np.isfinite(residuals).all(axis=1)
    count = int(kept.sum())
    if count < 3:
        return [math.nan] * covariance.shape[0]
    scaled = count * residuals[kept] @ covariance
    stats = importlib.import_module("scipy.stats")
    ranks = (
        stats.rankdata(cohort.time[kept])
        if kept.size == len(cohort)
        else np.arange(count, dtype=float)
    )
    centred = ranks - ranks.mean()
    spread = float((centred**2).sum())
    if spread == 0:  # all events at one time
        return [math.nan] * covariance.shape[0]
    found = (centred @ scaled) ** 2 / (np.diag(covariance) * count * spread)
    return [float(stats.chi2.sf(value, 1)) for value in found]
