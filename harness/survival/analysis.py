"""Concordance, Kaplan-Meier curves by quartile of risk, log-rank test and Cox hazard ratios of a cohort.

Curves, the log-rank test and Cox models are those of statsmodels (`SurvfuncRight`, `survdiff`, `PHReg` with Efron's
correction for ties). Proportional hazards are checked by the correlation of scaled Schoenfeld residuals with the rank of
time (Grambsch and Therneau 1994, Biometrika 81).
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Mapping, Sequence
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
    """Share alive just after each of them."""
    at_risk: Sequence[int]
    """How many are under observation at each of `Survival.ticks`."""


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
    """All of it. Raises HarnessError where statsmodels is not installed or a model does not converge."""
    api = _statsmodels()
    group, notes = _quartiles(cohort.risk)
    ticks = _ticks(float(cohort.time.max()))
    curves = [
        _curve(api, cohort, group == g, _name(g, int(group.max()) + 1), ticks)
        for g in np.unique(group)
    ]
    strata = np.array(cohort.strata) if cohort.strata else None
    statistic, p = api.survdiff(cohort.time, cohort.event.astype(int), group, strata=strata)
    return Survival(
        cohort, concordance(cohort.time, cohort.event, cohort.risk), curves, ticks,
        (float(statistic), float(p)), _ratios(api, cohort, group), [*cohort.notes, *notes],
    )  # fmt: skip


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
        return Curve(name, int(inside.sum()), 0, (), (), at_risk)
    found = api.SurvfuncRight(time, event.astype(int))
    return Curve(
        name, int(inside.sum()), int(event.sum()), [float(t) for t in found.surv_times],
        [float(s) for s in found.surv_prob], at_risk,
    )  # fmt: skip


def _ratios(api: Any, cohort: Cohort, group: NDArray[np.int64]) -> list[HazardRatio]:
    """Per standard deviation of the risk and by quartile against the lowest, each alone and adjusted."""
    scaled = {
        "risk, per standard deviation": (cohort.risk - cohort.risk.mean()) / cohort.risk.std(ddof=1)
    }
    found = int(group.max()) + 1
    parts = {
        f"{_name(g, found)} against the lowest": (group == g).astype(np.float64)
        for g in range(1, found)
    }
    ratios: list[HazardRatio] = []
    for own in (scaled, parts):
        ratios += _model(api, cohort, own, {})
        if cohort.adjust:
            ratios += _model(api, cohort, own, cohort.adjust)
    return ratios


def _model(
    api: Any, cohort: Cohort, own: Mapping[str, Floats], adjust: Mapping[str, Floats]
) -> list[HazardRatio]:
    columns = {**own, **adjust}
    matrix = np.column_stack(
        [_standard(values) if name in adjust else values for name, values in columns.items()]
    )
    strata = np.array(cohort.strata) if cohort.strata else None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            fit = api.PHReg(
                cohort.time, matrix, cohort.event.astype(int), strata=strata, ties="efron"
            ).fit()
        except np.linalg.LinAlgError:
            raise _not_fitted(columns) from None
    errors = np.asarray(fit.bse, dtype=np.float64)
    if (
        not np.isfinite(errors).all()
        or any("onverge" in str(w.message) for w in told)
        or errors.max() > 50
    ):
        raise _not_fitted(columns)
    checks = _proportional(fit, cohort)
    return [
        HazardRatio(
            name, bool(adjust), math.exp(fit.params[k]), math.exp(fit.params[k] - _95 * errors[k]),
            math.exp(fit.params[k] + _95 * errors[k]), float(fit.pvalues[k]), checks[k],
        )
        for k, name in enumerate(own)
    ]  # fmt: skip


def _not_fitted(columns: Mapping[str, Floats]) -> HarnessError:
    return HarnessError(
        f"the Cox model of {', '.join(columns)} has no finite solution",
        hint="a covariate tells the events apart completely, or follows from the others: leave it out of --adjust",
    )


def _standard(values: Floats) -> Floats:
    """Covariates on one scale, so that the fit is well conditioned; their own ratios are not told."""
    scaled: Floats = (values - values.mean()) / values.std()
    return scaled


def _proportional(fit: Any, cohort: Cohort) -> list[float]:
    """p of each coefficient's test of a trend of scaled Schoenfeld residuals over the rank of time."""
    residuals = np.asarray(fit.schoenfeld_residuals, dtype=np.float64)
    kept = np.isfinite(residuals).all(axis=1)
    count = int(kept.sum())
    covariance = np.asarray(fit.cov_params(), dtype=np.float64)
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
    found = (centred @ scaled) ** 2 / (np.diag(covariance) * count * spread)
    return [float(stats.chi2.sf(value, 1)) for value in found]
