"""The results of a survival analysis as blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from harness.analyses.words import number
from harness.compare.tables import probability
from harness.core.blocks import Block, Lines, Note, Number, Row, Table
from harness.core.text import sentence
from harness.survival.analysis import HazardRatio, Survival
from harness.survival.cohort import Cohort

LEVEL = 0.05


def headline(found: Survival) -> str:
    """The concordance in one sentence, with what keeps it from misleading."""
    c, cohort = found.concordance, found.cohort
    range_ = "" if math.isnan(c.low) else f" [{number(c.low, 2)}, {number(c.high, 2)}]"
    value = "undefined" if math.isnan(c.value) else f"{number(c.value)}{range_}"
    events = int(cohort.event.sum())
    inside = ", of pairs within a stratum" if cohort.strata else ""
    return (
        f"Concordance of {cohort.risk_name} with survival{inside}: {value} (.5 is chance) over {len(cohort):,} people with "
        f"{events:,} events and {c.pairs:,} admissible pairs"
    )


def survival_blocks(found: Survival) -> Iterator[Block]:
    """A headline, numbers at risk, hazard ratios, and what to know of them."""
    yield Lines(lines=(headline(found), *_told(found.notes)))
    statistic, p = found.log_rank
    told = f"chi-squared {statistic:.1f}, {len(found.curves) - 1} degrees of freedom, p {probability(p)}"
    if math.isnan(p):
        told = "it cannot be computed"
    inside = ", within strata" if found.cohort.strata else ""
    yield Table(
        title="Survival by quartile of risk",
        caption=f"Kaplan-Meier. Log-rank test over the groups{inside}: {told}. "
        "Columns of times: people still under observation",
        columns=("", "people", "events", "median", *(f"at {tick:g}" for tick in found.ticks)),
        rows=tuple(
            Row((c.name, str(c.n), str(c.events), _median(c.times, c.survival), *map(str, c.at_risk)))
            for c in found.curves
        ),
    )  # fmt: skip
    yield Table(
        title="Hazard ratios",
        caption=_caption(found.cohort),
        columns=("", "alone", "p", "changes over time, p", *_adjusted_columns(found.cohort)),
        rows=tuple(_rows(found)),
    )
    yield from _warnings(found)


def _told(notes: Sequence[str]) -> Iterator[str]:
    return map(sentence, notes)


def _caption(cohort: Cohort) -> str:
    adjusted = f"; adjusted for {', '.join(cohort.adjust)}" if cohort.adjust else ""
    strata = "; stratified" if cohort.strata else ""
    return (
        f"Cox models, 95% intervals, Efron's correction for ties{adjusted}{strata}. Above 1: the event comes earlier. The "
        "last p tests whether the ratio changes over time (scaled Schoenfeld residuals)"
    )


def _adjusted_columns(cohort: Cohort) -> tuple[str, ...]:
    return ("adjusted", "p", "changes over time, p") if cohort.adjust else ()


def _rows(found: Survival) -> Iterator[Row]:
    alone = {r.name: r for r in found.ratios if not r.adjusted}
    adjusted = {r.name: r for r in found.ratios if r.adjusted}
    for name, ratio in alone.items():
        more = _cells(adjusted[name]) if name in adjusted else ()
        yield Row((name, *_cells(ratio), *more))


def _cells(ratio: HazardRatio) -> tuple[Number, str, str]:
    shown = Number(_plain(ratio.value), _plain(ratio.low), _plain(ratio.high), digits=2)
    return shown, probability(ratio.p), probability(ratio.proportional_p)


def _warnings(found: Survival) -> Iterator[Block]:
    changing = dict.fromkeys(r.name for r in found.ratios if r.proportional_p < LEVEL)
    if changing:
        yield Note(
            text=f"Hazards are not proportional (p below .05): {'; '.join(changing)}. One ratio over the whole time "
            "averages over what changes; look at the curves.",
            warning=True,
        )
    if not found.cohort.adjust:
        yield Note(
            text="Nothing is adjusted for. Older people have most events earlier, so a risk that goes with age goes with "
            "survival: --adjust age shows what it adds."
        )
    yield Note(
        text="A risk that is read off a face and goes with survival in these people shows no cause, and says nothing of "
        "people who were chosen otherwise. It is no medical advice."
    )


def _median(times: Sequence[float], survival: Sequence[float]) -> str:
    """The first time at which at most half have had no event."""
    return next((f"{t:g}" for t, s in zip(times, survival, strict=True) if s <= 0.5), "not reached")


def survival_json(found: Survival) -> dict[str, Any]:
    """The same with unrounded numbers; None for what is undefined."""
    cohort, c = found.cohort, found.concordance
    return {
        "schema": 1, "file": cohort.name, "risk": cohort.risk_name, "people": len(cohort),
        "events": int(cohort.event.sum()), "adjusted_for": list(cohort.adjust), "stratified": bool(cohort.strata),
        "concordance": {"value": _plain(c.value), "low": _plain(c.low), "high": _plain(c.high), "pairs": c.pairs},
        "log_rank": {"statistic": _plain(found.log_rank[0]), "p": _plain(found.log_rank[1])},
        "hazard_ratios": [
            {
                "name": r.name, "adjusted": r.adjusted, "value": _plain(r.value), "low": _plain(r.low),
                "high": _plain(r.high), "p": _plain(r.p), "proportional_p": _plain(r.proportional_p),
            }
            for r in found.ratios
        ],
        "curves": [
            {
                "name": k.name, "people": k.n, "events": k.events, "times": list(k.times),
                "survival": list(k.survival), "at_risk": dict(zip(map(str, found.ticks), k.at_risk, strict=True)),
                "until": k.until,
            }
            for k in found.curves
        ],
        "notes": list(found.notes),
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
