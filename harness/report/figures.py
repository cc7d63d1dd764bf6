"""Figures as inline SVG without scripts, fonts or external pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from harness.analyses.keys import said
from harness.analyses.words import (
    OUTCOMES,
    failure_words,
    interval,
    listed,
    metric_name,
    number,
    refusal_words,
)
from harness.core.outcome import Outcome
from harness.core.text import visible
from harness.metrics import Metric
from harness.metrics.metric import UNIT
from harness.report.short_names import short_names, shortened
from harness.report.tables import ScoreTable, TableLine, known_metric

WIDTH = 880
LEFT, RIGHT = 310, 150
ROW = 30
LABEL_CHARACTERS = 38
SHORTEST_MODEL = 15


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return round(
            LEFT + (inside - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT), 1
        )


def interval_plot(table: ScoreTable) -> Markup | None:
    """Dot and whisker for every row of a table's main metric, with the majority as a line.

    None where no row has a value.
    """
    lines = [
        line for line in table.lines if line.strict[0].row and line.strict[0].row.value is not None
    ]
    if not lines:
        return None
    axis = _axis(known_metric(table), lines)
    height = 26 + ROW * len(lines) + 34
    bottom = height - 34
    parts = [_grid(axis, bottom, metric_name(table.main, table.spec))]
    majority = next((line for line in lines if line.key[0] == "majority"), None)
    if majority is not None and majority.strict[0].row is not None:
        x = axis.x(majority.strict[0].row.value or 0.0)
        parts.append(
            Markup(
                '<line class="base" x1="{0}" x2="{0}" y1="20" y2="{1}"/>'
                '<text class="small" x="{0}" y="14" text-anchor="middle">majority</text>'
            ).format(x, bottom)
        )
    parts += [
        _dot(axis, line, label, 26 + ROW * place + ROW / 2)
        for place, (line, label) in enumerate(zip(lines, _labels(lines), strict=True))
    ]
    title = f"{metric_name(table.main, table.spec)} with 95% intervals, {table.task} {table.field}"
    return svg(WIDTH, height, title, parts)


def svg(width: int, height: int, title: str, parts: Sequence[Markup]) -> Markup:
    """A figure of some parts, its title read out to those who do not see it."""
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(width, height, visible(title), Markup("").join(parts))


def _axis(metric: Metric | None, lines: Sequence[TableLine]) -> _Axis:
    if metric is not None and metric.range == UNIT:
        return _Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    seen = [0.0]
    for line in lines:
        row = line.strict[0].row
        if row is not None:
            seen += [v for v in (row.value, row.low, row.high) if v is not None]
    low, high = min(seen), max(seen)
    step = _step(max(high - low, 0.001))
    first, last = floor(low / step), max(ceil(high / step), floor(low / step) + 1)
    ticks = tuple(round(place * step, 6) for place in range(first, last + 1))
    return _Axis(ticks[0], ticks[-1], ticks)


def _step(span: float) -> float:
    """A round step that gives three to eight ticks."""
    power = 10.0 ** floor(log10(span / 4))
    return next(power * m for m in (1, 2, 5, 10) if span / (power * m) <= 6)


def _grid(axis: _Axis, bottom: float, name: str) -> Markup:
    parts = [
        Markup(
            '<line class="grid" x1="{0}" x2="{0}" y1="20" y2="{1}"/>'
            '<text class="small" x="{0}" y="{2}" text-anchor="middle">{3}</text>'
        ).format(axis.x(tick), bottom, bottom + 15, f"{tick:g}")
        for tick in axis.ticks
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        Markup('<text class="small" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            middle, bottom + 31, name
        )
    )
    return Markup("").join(parts)


def _dot(axis: _Axis, line: TableLine, label: Markup, y: float) -> Markup:
    row = line.strict[0].row
    assert row is not None and row.value is not None
    parts = [
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT - 12, y + 4, label)
    ]
    if row.low is not None and row.high is not None:
        low, high = axis.x(row.low), axis.x(row.high)
        parts.append(
            Markup('<path class="whisker" d="M{0} {2}H{1}M{0} {3}V{4}M{1} {3}V{4}"/>').format(
                low, high, y, y - 4, y + 4
            )
        )
    x = axis.x(row.value)
    if line.kind == "model":
        parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="5"/>').format(x, y))
    else:  # hollow: a square for what was not shown the picture, a ring for a baseline
        shape = (
            Markup('<rect class="hollow" x="{}" y="{}" width="9" height="9"/>').format(
                x - 4.5, y - 4.5
            )
            if line.kind == "blank"
            else Markup('<circle class="hollow" cx="{}" cy="{}" r="4.5"/>').format(x, y)
        )
        parts.append(shape)
    told = f"{number(row.value)} {interval(row.low, row.high)}".strip()
    parts.append(Markup('<text x="{}" y="{}">{}</text>').format(WIDTH - RIGHT + 12, y + 4, told))
    return Markup("").join(parts)


def _labels(lines: Sequence[TableLine]) -> list[Markup]:
    """Model, prompt and condition of each line; of a long model name the middle is left out, but for what tells it from the
    others."""
    rests = [_rest(line) for line in lines]
    found = []
    for line, rest in zip(lines, rests, strict=True):
        model = line.key[0]
        room = max(LABEL_CHARACTERS - len(rest), SHORTEST_MODEL)
        beside = [other.key[0] for other, its in zip(lines, rests, strict=True) if its == rest]
        short = short_names(beside, room)[model]
        if len(short) > room:
            short = shortened(model, room)
        title = "" if short == model else Markup("<title>{}</title>").format(visible(model + rest))
        found.append(Markup("{}{}{}").format(visible(short), visible(rest), title))
    return found


def _rest(line: TableLine) -> str:
    """What stands behind the name of a line's model."""
    _, prompt, condition = line.key
    words = (
        [] if line.kind in {"baseline", "ceiling"} else [w for w in (prompt, condition) if said(w)]
    )
    return "".join(f" · {word}" for word in words) + (f" ({line.note})" if line.note else "")


def outcome_bar(counts: Mapping[str, int], name: str) -> Markup:
    """One stacked bar of the eight outcomes; wide enough parts carry their count."""
    total = sum(counts.values())
    width, height = 560, 24
    at = 0.0
    parts = []
    for outcome, (fill, ink, _) in OUTCOMES.items():
        share = counts.get(outcome, 0) / total * width if total else 0.0
        if not share:
            continue
        parts.append(
            Markup(
                '<rect class="part" x="{}" y="0" width="{}" height="{}" fill="{}">'
                "<title>{}</title></rect>"
            ).format(round(at, 2), round(share, 2), height, fill, f"{outcome}: {counts[outcome]}")
        )
        if share > 9 * len(str(counts[outcome])) + 6:
            parts.append(
                Markup(
                    '<text class="in" x="{}" y="16" text-anchor="middle" fill="{}">{}</text>'
                ).format(round(at + share / 2, 2), ink, counts[outcome])
            )
        at += share
    return svg(width, height, f"{name}: {outcome_text(counts)}", parts)


def outcome_text(
    counts: Mapping[str, int],
    failures: Mapping[str, int] | None = None,
    refused_by: Mapping[str, int] | None = None,
) -> str:
    """`60 answered, 3 refused (3 by the platform) and 2 failed (2 timeout)`."""
    told = {
        Outcome.FAILED: failure_words(failures or {}),
        Outcome.REFUSED: refusal_words(refused_by or {}),
    }
    words = [f"{counts[o]:,} {o}{told.get(Outcome(o), '')}" for o in OUTCOMES if counts.get(o)]
    return listed(words) or "nothing asked"
