"""A chosen threshold as blocks and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.words import count, percent
from harness.compare.deciding import Decided, Estimated, Outcome, Part
from harness.core.blocks import Block, Lines, Note, Number, Row, Share, Table
from harness.score.confidence import SIGNALS

SCHEMA = 1
_COLUMNS = ("", "n", "Kept", "Right", "Mean cost", "if all\nkept", "if none\nkept", "Saved")


def decided_blocks(
    found: Sequence[Decided], *, dev: Part, test: Part | None, opened: str
) -> Iterator[Block]:
    """What was decided for each cell, and what it comes to; `opened` says how often the test part was used."""
    for one in found:
        cell = one.contender.cell
        cell_row = {**cell.as_row(), "channel": cell.taken}
        yield Table(
            title=f"{cell.task}, {one.contender.field}: {' '.join(heading(row_key(cell_row)))}",
            caption=f"{dev.said}: chosen there, so its numbers are optimistic. Kept: share of the samples whose answer is kept; "
            "right: share of those that is right; saved: mean cost if all answers were kept, less the mean cost",
            columns=_COLUMNS,
            rows=(
                Row(_cells(dev.said, one.dev), "baseline"),
                *([Row(_cells(test.said, one.test))] if test and one.test else []),
                *(Row(_cells(f"{g.column} {g.name}", g.outcome)) for g in one.groups if g.outcome),
            ),
        )  # fmt: skip
        yield Lines(lines=tuple(_said(one)))
    if test is not None and len(found) > 1:
        yield Note(
            text=f"{len(found)} cells were judged on {test.said}: the best of them is again an optimistic number."
        )
    if opened:
        yield Note(text=opened)


def _cells(name: str, found: Outcome) -> tuple[Any, ...]:
    return (
        name, found.n, Share(found.kept.value), _number(found.accuracy), _number(found.cost),
        Number(found.cost_of_all), Number(found.cost_of_none), _number(found.saved),
    )  # fmt: skip


def _number(found: Estimated) -> Number:
    return Number(found.value, found.low, found.high)


def _said(one: Decided) -> Iterator[str]:
    if one.threshold is None:
        yield "No threshold: keeping no answer costs least, so the model should not decide here at these costs."
    else:
        yield f"Keep answers of confidence {one.threshold:g} or more ({SIGNALS[one.signal]})."
    judged, shown = one.test, one.test or one.dev
    kept = shown.kept.value
    where = "the test part" if one.test else "these samples"
    if one.threshold is not None and kept and not shown.left:
        yield f"On {where} it keeps every answer, so it changes nothing there."
    elif one.threshold is not None and kept == 0:
        yield f"On {where} it keeps no answer: someone else decides every time."
    elif judged is not None and one.threshold is not None:
        saved = judged.saved
        told = (
            saved.low is not None and saved.high is not None and (saved.low > 0 or saved.high < 0)
        )
        if not told:
            yield "On the test part it is not told apart from keeping every answer."
        elif (saved.value or 0) < 0:
            yield "On the test part the threshold costs more than keeping every answer."
    dear = (
        judged is not None
        and judged.cost.value is not None
        and judged.cost.value >= judged.cost_of_none
    )
    if one.threshold is not None and kept and dear:
        yield "On the test part asking someone else every time would cost no more."
    if one.both:
        yield (
            f"{count(one.both)} {one.contender.records.cluster_unit}s have samples in both parts: the test is optimistic "
            "for others."
        )
    hidden = [f"{g.column}={g.name} ({g.why})" for g in one.groups if g.why]
    if hidden:
        yield f"Suppressed: {', '.join(hidden)}."
    shares = [
        (found.kept.value, f"{g.column}={g.name}") for g in one.groups if (found := g.outcome) and found.kept.value is not None
    ]  # fmt: skip
    (low, least), (high, most) = min(shares, default=(0, "")), max(shares, default=(0, ""))
    if low < high:
        yield f"Kept least: {least} ({percent(low)}), most: {most} ({percent(high)})."
    yield f"Costs are those of a sample, in the unit of the file; intervals: {shown.method}."


def decided_json(
    found: Sequence[Decided], *, dev: Part, test: Part | None, costs: str, opened: int | None
) -> str:
    """The same with unrounded numbers. `opened`: how often the test part has been used, where that is counted."""
    body = {
        "schema": SCHEMA,
        "dev": dev.said,
        "test": None if test is None else test.said,
        "costs": costs,
        "openings": opened,
        "decided": [_entry(one) for one in found],
    }
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def _entry(one: Decided) -> dict[str, Any]:
    cell = one.contender.cell
    return {
        **cell.as_row(), "channel": cell.taken, "field": one.contender.field, "signal": one.signal,
        "threshold": one.threshold, "clusters_in_both": one.both, "on_dev": asdict(one.dev),
        "on_test": None if one.test is None else asdict(one.test),
        "groups": [asdict(g) for g in one.groups],
    }  # fmt: skip
