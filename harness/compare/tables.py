"""A comparison as blocks of tables and lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.compare.comparison import Change, Comparison, Factors, Party, Ranks, Report
from harness.imports.folder import MODEL
from harness.score.columns import BASELINE

DASH = "–"
SMALL_P = 0.001
LEVEL = 0.05
"""The level that p is held against."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, lines, a table and lines under it; each may be empty."""

    heading: str = ""
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    """The first column is text, the others are numbers or short words."""
    rows: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()
    warning: bool = False
    """Set off from the rest."""


def blocks(report: Report) -> Iterator[Block]:
    """The report from top to bottom."""
    many = len(report.comparisons) > 1
    if report.unlike:
        yield Block(
            heading="Unlike: more differs than one axis (--unlike)",
            lines=tuple(f"- {said}" for said in report.unlike),
            warning=True,
        )
    for one in report.comparisons:
        yield from _comparison(one, many=many)
    for ranks in report.ranks:
        yield _ranks(ranks)
    for factors in report.factors:
        yield _factors(factors)
    if report.notes:
        yield Block(heading="Notes", lines=tuple(f"- {note}" for note in report.notes))


def decimal(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """.812, -.050, with `signed` +.015; a dash for nan."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞"
    text = f"{abs(value):.{digits}f}"
    sign = ("-" if value < 0 else "+" if signed else "") if float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def bounds(low: float, high: float, *, signed: bool = True) -> str:
    """[-.010, +.040]; empty where there is no interval."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{decimal(low, signed=signed)}, {decimal(high, signed=signed)}]"


def probability(p: float) -> str:
    """.033; <.001; a dash where there was no test."""
    return f"<{decimal(SMALL_P)}" if p < SMALL_P else decimal(p)


def _comparison(one: Comparison, *, many: bool) -> Iterator[Block]:
    what = one.field if one.slice in {"all", one.field} else f"{one.field} ({one.slice})"
    assumed = ", independence assumed" if one.unit == "image" else ""
    lines = [
        f"A  {_party(one.a)}",
        f"B  {_party(one.b)}",
        f"compared: {one.axis}; {one.n:,} samples matched by {one.matched_by}, in "
        f"{one.clusters:,} clusters by {one.unit}{assumed}",
        f"dropped: {one.dropped_a:,} samples of A and {one.dropped_b:,} of B that the other "
        f"does not have{_pending(one)}",
    ]
    without = [(name, party) for name, party in (("A", one.a), ("B", one.b)) if party.prompt == "-"]
    trained = [name for name, party in without if party.model.startswith(BASELINE)]
    if trained:
        lines.append(f"trained on other subjects of the same data, no prompt: {', '.join(trained)}")
    if unknown := [name for name, _ in without if name not in trained]:
        lines.append(
            f"prompt and sampling are not known: {', '.join(unknown)} (answers from another tool)"
        )
    if one.unlike:
        lines.append(f"UNLIKE, also differs: {'; '.join(one.unlike)}")
    more = ("p (Holm)", "p (BH)") if many else ()
    how = _together((change.of, _how(change)) for change in one.metrics)
    remarks = [f"{of}: {said}" for of, said in how]
    right = next((c for c in one.metrics if c.only_a is not None), None)
    if right is not None:
        remarks.insert(
            0, f"discordant: {right.only_a:,} correct with A only, {right.only_b:,} with B only"
        )
    settled = _together((s.metric, s.said) for s in one.settle)
    remarks += [f"samples needed ({of}): {said}" for of, said in settled]
    yield Block(
        heading=f"{one.task}: {what}",
        lines=tuple(lines),
        header=("metric", "A", "B", "A - B", "95% interval", "p", *more),
        rows=tuple(
            (*_numbers(change), *(map(probability, (change.p_holm, change.p_bh)) if many else ()))
            for change in one.metrics
        ),
        remarks=tuple(remarks),
    )
    for changes, name in ((one.classes, "recall of"), (one.slices, one.metrics[0].of)):
        if changes:
            yield _parts(changes, name)


def _party(party: Party) -> str:
    """The cell with the argument it came from, unless that is its name already."""
    if party.model == MODEL + party.side:
        return party.name
    return f"{party.side}: {party.name}"


def _pending(one: Comparison) -> str:
    if not (one.pending_a or one.pending_b):
        return ""
    return f"; not finished: {one.pending_a:,} of A, {one.pending_b:,} of B"


def _numbers(change: Change) -> tuple[str, ...]:
    return (
        change.of,
        decimal(change.a),
        decimal(change.b),
        decimal(change.difference, signed=True),
        bounds(change.low, change.high),
        probability(change.p),
    )


def _how(change: Change) -> str:
    return "; ".join(part for part in (change.interval, change.test, change.reason) if part)


def _together(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(metric, what is said of it), metrics of which the same is said in one."""
    found: dict[str, list[str]] = {}
    for of, words in said:
        found.setdefault(words, []).append(of)
    return [(", ".join(names), words) for words, names in found.items()]


def _parts(changes: Sequence[Change], name: str) -> Block:
    """Classes or slices, with how many samples each has and which are discordant."""
    return Block(
        header=(name, "n", "A", "B", "A - B", "95% interval", "p (Holm)", "A only", "B only"),
        rows=tuple(
            (
                change.of,
                f"{change.n:,}",
                *_numbers(change)[1:5],
                probability(change.p_holm),
                DASH if change.only_a is None else f"{change.only_a:,}",
                DASH if change.only_b is None else f"{change.only_b:,}",
            )
            for change in changes
        ),
        remarks=_contrary(changes),
    )


def _contrary(changes: Sequence[Change]) -> tuple[str, ...]:
    """What to make of intervals without 0 whose corrected p is above .05, where there are any."""
    if not any((c.low > 0 or c.high < 0) and c.p_holm > LEVEL for c in changes):
        return ()
    return (
        f"each interval is of one row alone, p is corrected (Holm) for {len(changes)} rows: where an interval leaves out 0 "
        "and p is above .05, the difference is not significant",
    )


def _ranks(ranks: Ranks) -> Block:
    part = "" if ranks.slice == "all" else f" ({ranks.slice})"
    return Block(
        heading=f"{ranks.task}: {ranks.field}{part}, ranking by {ranks.metric}",
        header=("cell", "place", "at best", ranks.metric, "95% interval", "not different from"),
        rows=tuple(
            (
                _party(row.party),
                str(row.place),
                str(row.best),
                decimal(row.value),
                bounds(row.low, row.high, signed=False),
                ", ".join(map(str, sorted(row.ties))) or "none",
            )
            for row in ranks.rows
        ),
        remarks=(
            f"{ranks.n:,} samples common to all; every pair tested, Holm correction over all "
            "pairs, at the 5% level",
        ),
    )


def _factors(factors: Factors) -> Block:
    part = "" if factors.slice == "all" else f" ({factors.slice})"
    return Block(
        heading=f"{factors.task}: {factors.field}{part}, variance of {factors.metric} by factor",
        header=("factor", "deviation", "95% interval", "share of variance"),
        rows=tuple(
            (
                f"{row.factor} (estimate below 0)" if row.zeroed else row.factor,
                decimal(row.deviation),
                bounds(row.low, row.high, signed=False),
                DASH if math.isnan(row.share) else f"{row.share:.0%}",
            )
            for row in factors.rows
        ),
        remarks=(
            f"{factors.cells} cells, mean {decimal(factors.mean)}, {factors.n:,} samples each; crossed random "
            "effects by the method of moments, intervals over resampled clusters of samples",
        ),
    )
