"""The terminal report of a rating study: progress, agreement, items to adjudicate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.rating.agreed import Verdict
from harness.rating.agreement import Measure
from harness.rating.journal import Ratings
from harness.rating.tables import Written

LISTED = 20
"""Disputes that are listed; the page shows them all."""


def study_lines(ratings: Ratings) -> Iterator[str]:
    """Who rated how many items, how fast, and how often they could not tell."""
    study = ratings.study
    fields = ", ".join(field.name for field in study.fields)
    yield f"{study.task}: {study.items:,} items, rated for {fields}"
    for rater in ratings.about:
        own = [r for (who, _, _), r in ratings.given.items() if who == rater]
        items = {r.item for r in own}
        line = f"  {rater}: {len(items):,} of {study.items:,} items"
        if len(study.fields) > 1:
            line += f", {len(own):,} answers"
        if items:
            seconds = sorted({r.item: r.seconds for r in own}.values())
            line += f", {seconds[len(seconds) // 2]:.1f} s an item (median)"
        if unsure := sum(r.value is None for r in own):
            line += f", could not tell {unsure:,} of {len(own):,}"
        yield line


def agreement_lines(measures: Sequence[Measure]) -> Iterator[str]:
    """One line a coefficient, with its interval and what it rests on."""
    if not measures:
        yield "agreement: not computed, no field was answered by two raters"
        return
    yield "agreement (95% intervals resample items)"
    before = ""
    for one in measures:
        head = one.field + (f", {one.option}" if one.option else "")
        if head != before:
            items = "1 item" if one.items == 1 else f"{one.items:,} items"
            yield f"  {head}: {one.raters} raters, {items}{_clusters(one)}"
            before = head
        yield f"    {one.name}: {_number(one)}"


def _clusters(one: Measure) -> str:
    return f" in {one.clusters:,} clusters" if one.clusters != one.items else ""


def _number(one: Measure) -> str:
    if math.isnan(one.value):
        return f"undefined: {one.reason}"
    told = f"{one.value:.3f}"
    interval = one.interval
    if interval is None:
        return f"{told} (no interval: too many different numbers)"
    if not interval.known:
        return f"{told} (no interval: {interval.reason})"
    told += f" [{interval.low:.3f}, {interval.high:.3f}]"
    notes = [interval.reason] if interval.reason else []
    if "small sample" in interval.method:
        notes.append("small sample" + interval.method.partition("small sample")[2])
    return f"{told} ({'; '.join(notes)})" if notes else told


def written_lines(written: Written, *, raters: int) -> Iterator[str]:
    """Which tables were written, and what they leave out."""
    counts = written.standings
    yield f"{written.long}: {written.answers:,} answers, one per row"
    line = f"{written.wide}: {written.samples:,} samples with an agreed answer"
    yield line if written.condition == "none" else f"{line}, under {written.condition}"
    for standing, told in (
        ("disputed", "to adjudicate, left out"),
        ("single", f"rated by one of {raters} raters only, left out"),
        ("cannot tell", "answered cannot tell by all raters, left out"),
        ("adjudicated", "adjudicated"),
    ):
        if counts.get(standing):  # type: ignore[call-overload]
            yield f"  {told}: {counts[standing]:,}"  # type: ignore[index]


def dispute_lines(found: Sequence[Verdict], *, task: str, out: Path) -> Iterator[str]:
    """What is to be adjudicated, and the command for it; nothing where nothing is."""
    open_ones = [one for one in found if one.standing == "disputed"]
    if not open_ones:
        return
    yield "to adjudicate:"
    for one in open_ones[:LISTED]:
        shown = f" ({one.item.condition})" if one.item.condition != "none" else ""
        said = ", ".join(
            f"{rater} {'cannot tell' if value is None else value}"
            for rater, value in one.votes.items()
        )
        yield f"  {one.item.sample}{shown}, {one.field}: {said}"
    if len(open_ones) > LISTED:
        yield f"  ... and {len(open_ones) - LISTED:,} more"
    yield f"settle them: harness rate {task} --adjudicate --raters NAME --out {out} (with the same --set as before)"
