"""Scores and non-answers by group, as the page and the terminal show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.core.outcome import Outcome
from harness.report.figures import svg
from harness.report.inputs import RunView, row_key
from harness.report.tables import BLANK, ScoreTable, heading
from harness.report.words import count, interval, listed, metric_name, number, percent
from harness.score import Scores
from harness.score.naming import who_answered
from harness.score.table import SHARED

_WIDE, _HIGH, _EDGE = 170, 18, 6


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of one annotation."""

    name: str
    n: str
    scored: str
    """How many of them are behind the score, where not all."""
    clusters: str
    score: str
    interval: str
    strip: Markup | None
    """Dot and whisker, to one scale in the whole table."""
    majority: str
    answered: str
    refused: str
    """Share and count; empty for none."""
    others: str
    """Other non-answers by kind; empty for none."""
    end: str
    """`worst` or `best`; empty for the others, and where all are alike."""


@dataclass(frozen=True, slots=True)
class GroupBlock:
    """One model and prompt on one annotation."""

    who: str
    gap: str
    """A sentence on the widest gap; empty where there is one group only."""
    rows: tuple[GroupRow, ...]


@dataclass(frozen=True, slots=True)
class SliceTable:
    """One annotation on one field and part."""

    column: str
    metric: str
    unit: str
    blocks: tuple[GroupBlock, ...]
    notes: tuple[str, ...]
    """Suppressed groups, samples without a value, shared classes."""
    estimator: str


def slice_tables(view: RunView, table: ScoreTable) -> tuple[SliceTable, ...]:
    """The annotations that a field was sliced by, on the table's part."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in view.scores.slices:
        if (entry["task"], entry["slice"], entry["field"]) == (
            table.task,
            table.slice,
            table.field,
        ):
            found.setdefault(entry["column"], []).append(entry)
    return tuple(_table(view, column, entries) for column, entries in found.items())


def _table(view: RunView, column: str, found: Sequence[Mapping[str, Any]]) -> SliceTable:
    entries = sorted(found, key=lambda entry: bool(entry["condition"] == BLANK))
    seen = [entry for entry in entries if entry["condition"] != BLANK] or entries
    groups = [group for entry in seen for group in entry["groups"] if group["value"] is not None]
    reach = [v for g in groups for v in (g["value"], g["low"], g["high"]) if v is not None]
    scale = (min(reach), max(reach)) if reach else (0.0, 1.0)
    fullest = max(entries, key=lambda entry: sum(group["n"] for group in entry["groups"]))
    return SliceTable(
        column=column,
        metric=metric_name(fullest["metric"]),
        unit=fullest["unit"],
        blocks=tuple(
            GroupBlock(
                who=" · ".join(heading(row_key(entry))),
                gap=gap_words(entry),
                rows=tuple(_row(view, entry, group, scale) for group in entry["groups"]),
            )
            for entry in entries
        ),
        notes=tuple(_notes(fullest)),
        estimator=next((entry["estimator"] for entry in entries if entry["estimator"]), ""),
    )


def _row(
    view: RunView,
    entry: Mapping[str, Any],
    group: Mapping[str, Any],
    scale: tuple[float, float],
) -> GroupRow:
    outcomes, asked = group["outcomes"], sum(group["outcomes"].values())
    refused = outcomes.get(Outcome.REFUSED, 0)
    others = [
        f"{outcome.value} {count(outcomes[outcome])}"
        for outcome in Outcome
        if outcome in outcomes and outcome not in {Outcome.ANSWERED, Outcome.REFUSED}
    ]
    ends = {entry["worst"]: "worst", entry["best"]: "best"} if _differ(entry) else {}
    return GroupRow(
        name=group["name"],
        n=count(group["n"]),
        scored="" if group["scored"] == group["n"] else f"{count(group['scored'])} scored",
        clusters=count(group["clusters"]),
        score=number(group["value"]),
        interval=interval(group["low"], group["high"]),
        strip=_strip(group, scale),
        majority=_majority(view, entry, group["name"]),
        answered=percent(group["coverage"]),
        refused=f"{percent(refused / asked)} ({count(refused)})" if refused else "",
        others=", ".join(others),
        end=ends.get(group["name"], ""),
    )


def _differ(entry: Mapping[str, Any]) -> bool:
    return entry["worst"] is not None and bool(entry["gap"]) and entry["gap"]["value"] > 0


def _majority(view: RunView, entry: Mapping[str, Any], name: str) -> str:
    """What always giving the commonest answer earns in the same group."""
    told = f"{entry['column']}={name}"
    told = told if entry["slice"] == "all" else f"{entry['slice']}, {told}"
    block = view.blocks.get((entry["task"], told, entry["field"]), {})
    metric = entry["metric"] + (SHARED if entry["classes"] else "")
    rows = next((rows for key, rows in block.items() if key[0] == "majority"), {})
    return number(rows[metric].value) if metric in rows else "–"


def _strip(group: Mapping[str, Any], scale: tuple[float, float]) -> Markup | None:
    low, high = scale
    if group["value"] is None or not low <= group["value"] <= high:
        return None
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - low) / span * (_WIDE - 2 * _EDGE), 1)

    parts = []
    if group["low"] is not None and group["high"] is not None:
        parts.append(
            Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                x(group["low"]), x(group["high"]), _HIGH / 2, _HIGH / 2
            )
        )
    parts.append(
        Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>').format(x(group["value"]), _HIGH / 2)
    )
    told = f"{group['name']}: {number(group['value'])} {interval(group['low'], group['high'])}"
    return svg(_WIDE, _HIGH, told, parts)


def _notes(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["classes"] is not None:
        shared = listed(entry["classes"]) or "none"
        yield f"The groups hold different classes; scores are over those that they share: {shared}."
    by_reason: dict[str, list[str]] = {}
    for group in entry["suppressed"]:
        by_reason.setdefault(group["why"], []).append(group["name"])
    for why, names in by_reason.items():
        yield f"Suppressed ({why}): {listed(names)}."
    if entry["unknown"]:
        yield f"{count(entry['unknown'])} samples have no value and are in no group."


def gap_words(entry: Mapping[str, Any]) -> str:
    """`gap .080 [.00, .28], where equal groups would show .11`; empty where there are not two groups."""
    gap = entry["gap"]
    if gap is None:
        return ""
    luck = gap["equal_groups"]
    told = f"gap {number(gap['value'])} {interval(gap['low'], gap['high'])}".rstrip()
    return told if luck is None else f"{told}, where equal groups would show {number(luck, 2)}"


def slice_lines(scores: Scores, task: str, *, most: int) -> Iterator[str]:
    """A line for each model, field and annotation: worst group, best, gap, who is refused most, what is suppressed."""
    mine = [
        entry
        for entry in scores.slices
        if entry["task"] == task and (entry["condition"] != BLANK or len(scores.slices) == 1)
    ]
    for entry in mine[:most]:
        part = "" if entry["slice"] in {"all", entry["field"]} else f" ({entry['slice']})"
        told = "; ".join((*_ends(entry), *_refused(entry), *_small(entry)))
        yield f"{who_answered(entry)}{part} by {entry['column']}: {told or 'one group'}"
    if mine[most:]:
        yield f"{count(len(mine) - most)} more tables of groups: harness report RUN, or --json"


def _ends(entry: Mapping[str, Any]) -> Iterator[str]:
    by_name = {group["name"]: group for group in entry["groups"]}
    if entry["worst"] is None or entry["gap"] is None:
        return
    worst, best = (
        f"{number(by_name[name]['value'])} ({name}, n {count(by_name[name]['n'])})"
        for name in (entry["worst"], entry["best"])
    )
    over = f" over {len(entry['classes'])} shared classes" if entry["classes"] is not None else ""
    yield f"{metric_name(entry['metric'])}{over} worst {worst}, best {best}, {gap_words(entry)}"


def _refused(entry: Mapping[str, Any]) -> Iterator[str]:
    shares = [
        (refused / asked, group["name"], refused, asked)
        for group in entry["groups"]
        if (refused := group["outcomes"].get(Outcome.REFUSED, 0))
        and (asked := sum(group["outcomes"].values()))
    ]
    if shares:
        share, name, refused, asked = max(shares)
        yield f"refused up to {percent(share)} ({name}, {count(refused)} of {count(asked)})"


def _small(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["suppressed"]:
        names = [f"{group['name']} ({group['why']})" for group in entry["suppressed"]]
        yield f"suppressed: {', '.join(names)}"
