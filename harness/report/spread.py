"""How each cell's answers spread over the labels, as the page and the terminal show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.report.inputs import RowKey, row_key
from harness.report.tables import Shown, shown
from harness.report.words import count, percent
from harness.score import ScoreRow, Scores
from harness.score.naming import who_answered
from harness.score.prediction_spread import TOPK


@dataclass(frozen=True, slots=True)
class Spread:
    """One cell on one label field."""

    key: RowKey
    n: str
    entropy: str
    """Bits, and their share of the most possible."""
    answer: str
    """The commonest answer and its share."""
    ordering: str
    """The commonest ordering and its share; empty where answers are no ranked lists."""
    orderings: str
    """How many there are."""
    topk: tuple[Shown, ...]
    """For each k of the field."""
    collapsed: str
    """A sentence, or nothing."""


@dataclass(frozen=True, slots=True)
class FieldSpread:
    """All cells on one label field."""

    field: str
    ks: tuple[str, ...]
    """k of top-k, where answers are ranked lists."""
    ranked: bool
    rows: tuple[Spread, ...]


def field_spreads(scores: Scores, task: str) -> tuple[FieldSpread, ...]:
    """The label fields of a task that have answers."""
    state = _state(scores, task)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in state.get("answers", ()):
        found.setdefault(entry["field"], []).append(entry)
    return tuple(_field(scores, task, field, entries) for field, entries in found.items())


def _state(scores: Scores, task: str) -> Mapping[str, Any]:
    return next((state for state in scores.tasks if state["task"] == task), {})


def _field(
    scores: Scores, task: str, field: str, entries: Sequence[Mapping[str, Any]]
) -> FieldSpread:
    rows = {
        (*row_key(asdict(row)), row.metric.removeprefix(TOPK)): row
        for row in topk_on_whole(scores, task)
        if row.field == field
    }
    ks = tuple(sorted({key[3] for key in rows}, key=int))
    return FieldSpread(
        field=field,
        ks=ks,
        ranked=any(entry.get("rankings") for entry in entries),
        rows=tuple(_spread(entry, rows, ks) for entry in entries),
    )


def topk_on_whole(scores: Scores, task: str) -> Iterator[ScoreRow]:
    """Top-k rows of the whole task or its parts."""
    return (
        row
        for row in scores.scores
        if row.task == task and row.metric.startswith(TOPK) and "=" not in row.slice
    )


def _spread(
    entry: Mapping[str, Any],
    rows: Mapping[tuple[str, str, str, str], ScoreRow],
    ks: Sequence[str],
) -> Spread:
    key = row_key(entry)
    ordering = ""
    if entry.get("rankings"):
        listed = ", ".join(entry["top_ordering"])
        often = f"{count(entry['top_ordering_n'])} of {count(entry['rankings'])}"
        ordering = f"{listed}: {percent(entry['top_ordering_share'])} ({often})"
    return Spread(
        key=key,
        n=count(entry["n"]),
        entropy=f"{entry['entropy_bits']:.2f} bits, {percent(entry['entropy_normalised'])}",
        answer=f"{entry['top_answer']} {percent(entry['top_share'])}" if entry["n"] else "–",
        ordering=ordering,
        orderings=count(entry["orderings"]) if entry.get("rankings") else "",
        topk=tuple(shown(rows.get((*key, k))) for k in ks),
        collapsed=entry["collapsed"],
    )


def collapses(scores: Scores) -> tuple[tuple[str, str], ...]:
    """(task, model, prompt, condition and field; what collapsed) of every warning."""
    return tuple(
        (f"{state['task']}: {who_answered(entry)}", entry["collapsed"])
        for state in scores.tasks
        for entry in state.get("answers", ())
        if entry["collapsed"]
    )


def topk_lines(scores: Scores, task: str) -> Iterator[str]:
    """`predictions:x.csv, emotion: top-2 .848 [.84, .86], top-3 ...`, a line for each cell, field and part."""
    told: dict[str, list[str]] = {}
    for row in topk_on_whole(scores, task):
        part = "" if row.slice in {"all", row.field} else f" ({row.slice})"
        number = shown(row)
        told.setdefault(who_answered(asdict(row)) + part, []).append(
            f"top-{row.metric.removeprefix(TOPK)} {number.value} {number.interval}".strip()
        )
    for who, numbers in told.items():
        yield f"{who}: {', '.join(numbers)}"
