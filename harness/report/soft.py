"""What the page and the terminal say of true distributions: a table against the votes, and what mixtures showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from harness.report.figures import svg
from harness.report.inputs import RowKey, RunView, row_key
from harness.report.square import Square
from harness.report.tables import Line, LineKind, ScoreTable, heading, is_baseline, shown
from harness.report.words import interval, number, percent
from harness.score import ScoreRow
from harness.score.baselines import CEILINGS

COLUMNS = (
    ("expected_accuracy", "Exp. acc."),
    ("js", "JS"),
    ("kl", "KL"),
    ("cross_entropy", "Cross-entropy"),
    ("expected_accuracy@2", "Exp. acc. @2"),
)
"""Metric and heading of each column; of JS, KL and cross-entropy less is better."""
BRIEF = 3
"""Columns that a terminal has room for."""

_SQUARE = Square(210, 46)


def soft_table(view: RunView, table: ScoreTable, *, most: int = len(COLUMNS)) -> ScoreTable | None:
    """The field of a table against its true distributions, in at most so many columns; None where it has none."""
    block = view.blocks[table.task, table.slice, table.field]
    found = {
        key: rows for key, rows in block.items() if any(metric in rows for metric, _ in COLUMNS[:2])
    }
    if not found:
        return None
    columns = [c for c in COLUMNS[:most] if any(c[0] in rows for rows in found.values())]
    order = sorted(found, key=_rank)
    return replace(
        table,
        field=f"{table.field}, against its votes or soft labels",
        columns=tuple(columns),
        lines=tuple(_line(key, found[key], [metric for metric, _ in columns]) for key in order),
    )


def _rank(key: RowKey) -> int:
    """Ceilings first, then baselines, then models as they come."""
    return 0 if key[0] in CEILINGS else 1 if is_baseline(key) else 2


def _line(key: RowKey, rows: Mapping[str, ScoreRow], metrics: Sequence[str]) -> Line:
    first = next(rows[metric] for metric in metrics if metric in rows)
    kinds: tuple[LineKind, ...] = ("ceiling", "baseline", "model")
    told = "in-sample" if "in-sample" in first.estimator else CEILINGS.get(key[0], "")
    if key[0] == next(iter(CEILINGS)):
        told = "one, against another"
    return Line(
        kind=kinds[_rank(key)],
        key=key,
        note=told,
        n=first.n,
        coverage=percent(first.coverage),
        strict=tuple(shown(rows.get(metric)) for metric in metrics),
        answered=tuple(shown(rows.get(f"{metric}_answered")) for metric in metrics),
    )


def soft_estimators(view: RunView, table: ScoreTable) -> tuple[tuple[str, str], ...]:
    """(heading, how it was computed) of each column, as the last model's rows say."""
    block = view.blocks[table.task, table.slice, table.field]
    told: dict[str, str] = {}
    for key in sorted(block, key=_rank):
        told |= {head: block[key][m].estimator for m, head in COLUMNS if m in block[key]}
    return tuple(told.items())


@dataclass(frozen=True, slots=True)
class MixtureView:
    """What one model, prompt and channel gave to mixtures."""

    name: str
    """`affect-tiny · emotion/plain on logprob`."""
    mixed: str
    field: str
    slope: str
    """With its interval."""
    rows: tuple[tuple[str, ...], ...]
    """Share, n, coverage, P(own), P(other), elsewhere, JS, cross-entropy."""
    figure: Markup
    estimator: str


def mixture_views(state: Mapping[str, Any]) -> tuple[MixtureView, ...]:
    """The mixtures of one task's entry in scores.json."""
    return tuple(
        MixtureView(
            name=" · ".join(heading(row_key(entry))),
            mixed=entry["mixed"],
            field=entry["field"],
            slope=f"{number(entry['slope'], 2)} {interval(entry['low'], entry['high'])}".strip(),
            rows=tuple(tuple(_cells(at)) for at in entry["weights"]),
            figure=mixture_figure(entry["weights"], " · ".join(heading(row_key(entry)))),
            estimator=". ".join(text for text in (entry["estimator"], entry["pairing"]) if text),
        )
        for entry in state.get("mixtures", ())
    )


def _cells(at: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{at['weight']:g}", f"{at['n']:,}", percent(at["coverage"]))
    for name in ("own", "other", "elsewhere", "js", "cross_entropy"):
        between = interval(at.get(f"{name}_low"), at.get(f"{name}_high"))
        yield f"{number(at.get(name))} {between}".strip()


def mixture_figure(weights: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """P(own label) by its share in the mixture, with intervals; on the dashed line it is the share itself."""
    square = _SQUARE
    parts = square.axes("share of the own picture", "P(own label)")
    for at in weights:
        told = f"{at['weight']:g}: {number(at['own'])} {interval(at['own_low'], at['own_high'])}, {at['n']:,} trials"
        if at["own_low"] is not None and at["own_high"] is not None:
            parts.append(
                Markup('<path class="whisker" d="M{0} {1}V{2}"/>').format(
                    square.x(at["weight"]), square.y(at["own_low"]), square.y(at["own_high"])
                )
            )
        dot = Markup('<circle class="dot" cx="{}" cy="{}" r="5"><title>{}</title></circle>')
        parts.append(dot.format(square.x(at["weight"]), square.y(at["own"]), told))
    words = "; ".join(f"{at['weight']:g}: {number(at['own'], 2)}" for at in weights)
    return svg(square.size, square.size, f"P(own label) by its share, {name}: {words}", parts)
