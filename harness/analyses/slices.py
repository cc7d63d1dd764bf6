"""Scores and non-answers by groups of an annotation: worst, best, gap, and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import BLANK, Numbers, by_place, heading, row_key
from harness.analyses.rows.slices import slice_tables
from harness.analyses.words import count, interval, listed, metric_name, number, percent
from harness.core.blocks import (
    Block,
    Cell,
    Column,
    Count,
    Lines,
    MarkedText,
    Note,
    Number,
    Place,
    Row,
    Share,
    Table,
)
from harness.core.outcome import Outcome
from harness.core.task import Task
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.grouping import LEAST_CLUSTERS, LEAST_SAMPLES, MOST_VALUES
from harness.score.naming import who_answered
from harness.score.table import SHARED

MOST_LINES = 8
"""Lines of groups below the tables of one task."""
MOST_OPEN = 2
"""Models and prompts of one annotation that are not folded away."""

_ABOUT = (
    "Each group’s score and outcomes. The gap is the difference between the best and the "
    "worst group. The widest of several differences is biased upwards: groups that are truly "
    "equal also show a gap, and the average size of that gap is shown next to it; the "
    f"interval reaches 0 if the groups may be equal. Groups of fewer than {LEAST_SAMPLES} "
    f"samples or {LEAST_CLUSTERS} subjects (or other clusters) are suppressed."
)


def _applies(task: Task) -> bool:
    return bool(task.slices)


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    for column, rows in answers.scored:
        yield from slice_tables(column, rows, seed=answers.seed)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    lines = tuple(slice_lines(rows, most=MOST_LINES))
    if lines:
        yield Lines(lines=lines, room="little")
    yield from _no_groups(beside)
    numbers = by_place(beside.scores)
    found: dict[Place, dict[str, list[Mapping[str, Any]]]] = {}
    for entry in rows:
        place = Place(entry["field"], entry["slice"])
        found.setdefault(place, {}).setdefault(entry["column"], []).append(entry)
    for at, by_column in found.items():
        yield Note(at=at, room="much", title="By group", text=_ABOUT)
        for column, entries in by_column.items():
            yield from _column(at, column, entries, numbers)
        how = next((e["estimator"] for es in by_column.values() for e in es if e["estimator"]), "")
        if how:
            yield Note(at=at, room="much", text=f"{how}.", folded="How the gaps were computed")


def _no_groups(beside: ScoredTask) -> Iterator[Note]:
    """Columns with too many values to be groups, such as measured angles."""
    for told in beside.summary.get("left_out", ()):
        column, _, why = str(told).partition(": ")
        if column in beside.task.slices:
            yield Note(
                text=f"{column}: {why} are too many for groups (at most {MOST_VALUES}); name a column of classes in `slices`"
            )


def _column(
    at: Place,
    column: str,
    found: Sequence[Mapping[str, Any]],
    numbers: Mapping[tuple[str, str], Numbers],
) -> Iterator[Block]:
    """One annotation: the first cells open, the others folded away, blank pictures last."""
    entries = sorted(
        (entry for entry in found if entry["groups"]),
        key=lambda entry: bool(entry["condition"] == BLANK),
    )
    if entries:
        yield _table(at, column, entries[:MOST_OPEN], numbers, "")
    if entries[MOST_OPEN:]:
        folded = f"{column}: {len(entries) - MOST_OPEN} more"
        yield _table(at, column, entries[MOST_OPEN:], numbers, folded)
    fullest = max(found, key=lambda entry: sum(group["n"] for group in entry["groups"]))
    for note in _notes(fullest) if entries else _all_small(column, fullest):
        yield Note(at=at, room="much", text=note)


def _all_small(column: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """The notes of an annotation none of whose groups is shown."""
    yield from (f"{column}: {note[:1].lower()}{note[1:]}" for note in _notes(entry))


def _table(
    at: Place,
    column: str,
    entries: Sequence[Mapping[str, Any]],
    numbers: Mapping[tuple[str, str], Numbers],
    folded: str,
) -> Table:
    metric, unit = metric_name(entries[0]["metric"]), entries[0]["unit"]
    rows: list[Row] = []
    for entry in entries:
        named = " · ".join(heading(row_key(entry)))
        rows.append(Row((MarkedText(named, gap_words(entry)),), "heading"))
        rows += [Row(tuple(_cells(entry, group, numbers))) for group in entry["groups"]]
    clusters = [] if unit == "image" else [Column(f"{unit}s")]
    return Table(
        at=at,
        room="much",
        folded=folded,
        caption=f"{metric} by {column}, strict",
        columns=(
            Column(column), Column("n"), *clusters, Column(metric, strip=True), Column("Majority"), Column("Answered"),
            Column("Refused"), Column("Other non-answers"),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _cells(
    entry: Mapping[str, Any],
    group: Mapping[str, Any],
    numbers: Mapping[tuple[str, str], Numbers],
) -> Iterator[Cell]:
    outcomes, asked = group["outcomes"], sum(group["outcomes"].values())
    refused = outcomes.get(Outcome.REFUSED, 0)
    others = [
        f"{outcome.value} {count(outcomes[outcome])}"
        for outcome in Outcome
        if outcome in outcomes and outcome not in {Outcome.ANSWERED, Outcome.REFUSED}
    ]
    ends = {entry["worst"]: "worst", entry["best"]: "best"} if _differ(entry) else {}
    scored = "" if group["scored"] == group["n"] else f"{count(group['scored'])} scored"
    yield MarkedText(group["name"], ends.get(group["name"], ""))
    yield Count(group["n"], note=scored)
    if entry["unit"] != "image":
        yield group["clusters"]
    yield Number(group["value"], group["low"], group["high"])
    yield Number(_majority(entry, group["name"], numbers))
    yield Share(group["coverage"])
    yield Share(refused / asked, refused) if refused else None
    yield ", ".join(others) or None


def _differ(entry: Mapping[str, Any]) -> bool:
    return entry["worst"] is not None and bool(entry["gap"]) and entry["gap"]["value"] > 0


def _majority(
    entry: Mapping[str, Any], name: str, numbers: Mapping[tuple[str, str], Numbers]
) -> float | None:
    """What always giving the commonest answer earns in the same group."""
    told = f"{entry['column']}={name}"
    told = told if entry["slice"] == "all" else f"{entry['slice']}, {told}"
    found = numbers.get((told, entry["field"]), {})
    metric = entry["metric"] + (SHARED if entry["classes"] else "")
    rows = next((rows for key, rows in found.items() if key[0] == "majority"), {})
    return rows[metric].value if metric in rows else None


def _notes(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["classes"] is not None:
        shared = listed(entry["classes"]) or "none"
        yield (
            "The groups have different classes; scores are over the classes that they share: "
            f"{shared}."
        )
    by_reason: dict[str, list[str]] = {}
    for group in entry["suppressed"]:
        by_reason.setdefault(group["why"], []).append(group["name"])
    for why, names in by_reason.items():
        yield f"Suppressed ({why}): {listed(names)}."
    if entry["unknown"]:
        yield f"{count(entry['unknown'])} samples have no value and belong to no group."


def gap_words(entry: Mapping[str, Any]) -> str:
    """`gap .080 [.00, .28], where equal groups would show .11`; empty where there are not two groups."""
    gap = entry["gap"]
    if gap is None:
        return ""
    luck = gap["equal_groups"]
    told = f"gap {number(gap['value'])} {interval(gap['low'], gap['high'])}".rstrip()
    return told if luck is None else f"{told}, where equal groups would show {number(luck, 2)}"


def slice_lines(rows: Sequence[Mapping[str, Any]], *, most: int) -> Iterator[str]:
    """A line for each model, field and annotation: worst group, best, gap, who is refused most, what is suppressed."""
    mine = [entry for entry in rows if entry["condition"] != BLANK or len(rows) == 1]
    for entry in mine[:most]:
        part = "" if entry["slice"] in {"all", entry["field"]} else f" ({entry['slice']})"
        told = "; ".join((*_ends(entry), *_refused(entry), *_small(entry)))
        yield f"{who_answered(entry)}{part} by {entry['column']}: {told or 'one group'}"
    if mine[most:]:
        yield (
            f"{count(len(mine) - most)} more tables of groups: see harness report RUN, or --json"
        )


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


ANALYSIS = ShippedAnalysis(
    name="slices",
    title="By group",
    about="tasks with `slices`: scores and non-answers of each group, the worst, and the widest gap",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="slices",
    order=32,
)
