"""Spotting scores as lines of aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analyses.rows.spotting import COMPAT, FIELD
from harness.analyses.words import interval, number
from harness.core.text import counted
from harness.metrics.metric import UNIT
from harness.metrics.spotting import MENDED, METRICS
from harness.score.table import ScoreRow

SHOWN = tuple((m.name, m.title) for m in METRICS if m.range == UNIT)
"""Metric and title of each share."""
BRIEF = ("strs", "f1_spotting", "f1_analysis")
"""Metrics of the short form."""
COUNTS = tuple((m.name, m.title) for m in METRICS if m.range != UNIT)
"""Of TP, FP and FN."""
_NAMED = 24
"""Columns of a name in the short form."""

NAN_SAID = (
    "compat nan: the reference counts no matched interval as right (it counts none where all are of one emotion) and divides "
    "0 by 0"
)
"""Why the reference implementation has no value."""


def spot_lines(rows: Sequence[ScoreRow], *, whole: bool = True) -> Iterator[str]:
    """Strict and compat numbers side by side, one block for each model, prompt, condition and slice.

    `whole`: every metric; else STRS and the two F1 alone, two lines each.
    """
    blocks: dict[tuple[str, ...], dict[str, ScoreRow]] = {}
    for row in rows:
        if row.field == FIELD:
            owner = (row.task, row.slice, row.model, row.prompt, row.condition, row.channel)
            blocks.setdefault(owner, {})[row.metric] = row
    if not whole:
        yield from _brief(blocks)
        return
    for key, found in blocks.items():
        yield ""
        yield f"{_name(key)}, {counted(found['strs'].n, 'video')}"
        yield f"{'':22}{'strict':>20}{'compat':>10}"
        for name, heading in SHOWN:
            strict, reference = found[name], found[name + COMPAT]
            value = f"{number(strict.value)} {interval(strict.low, strict.high)}".strip()
            yield f"{heading:22}{value:>20}{_nan(reference):>10}"
        for name, heading in COUNTS:
            strict, reference = found[name], found[name + COMPAT]
            yield f"{heading:22}{strict.value or 0:>20.0f}{reference.value or 0:>10.0f}"
        if any(found[name + COMPAT].value is None for name, _ in SHOWN):
            yield NAN_SAID


def _brief(blocks: Mapping[tuple[str, ...], Mapping[str, ScoreRow]]) -> Iterator[str]:
    """A line for each baseline and cell."""
    for at, (key, found) in enumerate(blocks.items()):
        if not at:
            yield ""
            yield f"{key[0]}: spotted intervals, {counted(found['strs'].n, 'video')}"
            titles = dict(SHOWN)
            headings = [titles[name] for name in BRIEF]
            told = "".join(f"{heading:>20}" for heading in headings)
            yield f"{'':{_NAMED}}{told}{'compat STRS':>12}"
        cells = "".join(
            f"{f'{number(row.value)} {interval(row.low, row.high)}'.strip():>20}"
            for row in (found[name] for name in BRIEF)
        )
        counts = "/".join(f"{found[name].value or 0:.0f}" for name, _ in COUNTS)
        who = _who(key)
        if len(who) >= _NAMED:  # on a line of its own, whole
            yield who
            who = ""
        yield f"{who:{_NAMED}}{cells}{_nan(found['strs' + COMPAT]):>12}"
        yield f"  TP/FP/FN {counts}"
    if any(found["strs" + COMPAT].value is None for found in blocks.values()):
        yield NAN_SAID


def _nan(row: ScoreRow) -> str:
    return "nan" if row.value is None else number(row.value)


def _who(key: tuple[str, ...]) -> str:
    return " ".join(word for word in key[2:] if word not in {"-", "none", "free"})


def _name(key: tuple[str, ...]) -> str:
    told = "" if key[1] == "all" else f", {key[1]}"
    return f"{key[0]}{told}: {_who(key)}"


def mended_lines() -> Iterator[str]:
    """What the two columns differ in."""
    yield ""
    yield "compat: computed like the reference implementation of June 2024. strict corrects:"
    yield from (f"  - {line}" for line in MENDED)
