"""Risk against coverage: how right the surest answers are, and what it costs to leave the others to someone else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import (
    UNSEEN,
    UNSEEN_SAID,
    has_scores,
    heading,
    is_blank,
    row_key,
    who,
)
from harness.analyses.rows.risk_coverage import COVERAGES, SHARED, risk_coverage
from harness.analyses.words import count, interval, listed, number, percent
from harness.core.blocks import Block, Lines, Note, Number, Place, Point, Points, Row, Share, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.confidence import SIGNAL_NAMES, SIGNALS
from harness.score.naming import who_answered

MOST_CURVES = 6
"""Curves of one field that are drawn; the tables hold all."""
MOST_LINES = 8
MOST_POINTS = 24
"""Points of a curve that are drawn; the rows hold more."""
BEYOND = "†"
BEYOND_SAID = f"{BEYOND} not reached by answers: samples without one are counted as wrong"

_ABOUT = (
    "Answers are sorted by confidence, and only the surest are kept. Coverage: share of all samples that is kept. Risk: "
    "share of the kept answers that is wrong. AURC is the mean risk over all coverages: 0 is best, and a confidence that "
    "says nothing gives the share of wrong answers. Excess AURC: what is above the best possible order for as many "
    "errors. AUGRC: the same area with errors counted among all samples. Samples without an answer come last and count "
    "as wrong. A threshold read off this table was chosen on these "
    "samples: harness decide chooses one on some samples and reports it on others."
)


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    yield from risk_coverage(answers.records, answers.groups, answers.cells, seed=answers.seed)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    lines = tuple(risk_lines(rows, most=MOST_LINES))
    if lines:
        yield Lines(lines=lines, room="little")
    by_place: dict[Place, list[Mapping[str, Any]]] = {}
    for entry in rows:
        by_place.setdefault(Place(entry["field"], entry["slice"]), []).append(entry)
    for at, entries in by_place.items():
        yield Note(at=at, room="much", title="Risk against coverage", text=_ABOUT)
        yield risk_table(entries, at)
        yield from curves(entries, at)
        yield from _by_group(entries, at)
        told = dict.fromkeys(entry["estimator"] for entry in entries)
        yield Lines(at=at, room="much", folded="How the areas were computed", lines=tuple(told))


def risk_lines(rows: Sequence[Mapping[str, Any]], *, most: int) -> Iterator[str]:
    """A line for each cell, field and kind of confidence: the area, and the accuracy of the surest."""
    mine = [entry for entry in rows if not is_blank(entry["condition"])]
    for entry in mine[:most]:
        part = "" if entry["slice"] in {"all", entry["field"]} else f" ({entry['slice']})"
        area = entry["aurc"]
        at = ", ".join(
            f"{number(one['accuracy'])}{'' if one['answered'] else BEYOND} at {percent(one['coverage'])}"
            for one in entry["at"]
        )
        yield (
            f"{who_answered(entry)}{part}, sorted by {SIGNAL_NAMES[entry['signal']]}: AURC {number(area['value'])} "
            f"{interval(area['low'], area['high'])}".rstrip()
            + f" (says nothing: {number(entry['error'])}); accuracy {at} coverage"
        )
    if any(not one["answered"] for entry in mine[:most] for one in entry["at"]):
        yield BEYOND_SAID
    if mine[most:]:
        yield f"{count(len(mine) - most)} more curves of risk: see harness report RUN, or --json"


def risk_table(
    entries: Sequence[Mapping[str, Any]], at: Place | None = None, *, brief: bool = False
) -> Table:
    """Areas and accuracies, a row for each cell and kind of confidence; `brief`: AURC is the only area."""
    areas = (
        {"aurc": "AURC"}
        if brief
        else {"aurc": "AURC", "excess_aurc": "Excess AURC", "augrc": "AUGRC"}
    )
    return Table(
        at=at,
        room="any" if at is None else "much",
        caption="; ".join(("95% intervals in brackets", *_marks(entries))),
        columns=(
            "", "Sorted by", "n", "Answered", "Share wrong", *areas.values(),
            *(f"Accuracy at {percent(c)}" for c in COVERAGES),
        ),
        rows=tuple(
            (
                who(row_key(entry)), SIGNAL_NAMES[entry["signal"]], entry["n"], Share(entry["answered"] / entry["n"]),
                Number(entry["error"]), *(_number(entry[name]) for name in areas),
                *(
                    Number(one["accuracy"], one["low"], one["high"], mark=_mark(one))
                    for one in entry["at"]
                ),
            )
            for entry in entries
        ),
    )  # fmt: skip


def _mark(one: Mapping[str, Any]) -> str:
    return ("" if one["spread"] else UNSEEN) + ("" if one.get("answered", True) else BEYOND)


def _marks(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the marks mean that occur."""
    shown = [one for entry in entries for one in (*entry["at"], entry["aurc"])]
    marks = "".join(map(_mark, shown))
    if UNSEEN in marks:
        yield UNSEEN_SAID
    if BEYOND in marks:
        yield BEYOND_SAID


def curves(
    entries: Sequence[Mapping[str, Any]], at: Place | None = None, *, most: int = MOST_CURVES
) -> Iterator[Points]:
    """The curves of the first cells that were shown the pictures."""
    shown = [e for e in entries if not is_blank(e["condition"])] or list(entries)
    for entry in shown[:most]:
        yield Points(
            at=at,
            room="much",
            x_name="coverage",
            y_name="risk",
            joined=True,
            caption=f"{' · '.join(heading(row_key(entry)))}: {SIGNALS[entry['signal']]}.",
            points=tuple(Point(x, y, round(x * entry["n"])) for x, y in _fewer(entry["curve"])),
        )


def _fewer(curve: Sequence[Sequence[float]]) -> list[Sequence[float]]:
    """Evenly spread points of a curve, with the first and the last."""
    most = min(MOST_POINTS, len(curve))
    return [curve[round(k * (len(curve) - 1) / max(1, most - 1))] for k in range(most)]


def _by_group(entries: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    columns = dict.fromkeys(g["column"] for e in entries for g in (*e["groups"], *e["suppressed"]))
    for column in columns:
        rows: list[Row] = []
        for entry in entries:
            mine = [group for group in entry["groups"] if group["column"] == column]
            if mine:
                rows.append(
                    Row(
                        (
                            f"{' · '.join(heading(row_key(entry)))}, by {SIGNAL_NAMES[entry['signal']]}",
                        ),
                        "heading",
                    )
                )
                rows += [Row(_group(group)) for group in mine]
        if rows:
            yield Table(
                at=at,
                room="much",
                folded=f"Risk against coverage by {column}",
                caption=f"One threshold for all, which keeps {percent(SHARED)} of all samples: the share of each group "
                "that is kept, and how right it is. A group of which less is kept is left to someone else more often.",
                columns=(column, "n", "Share wrong", "AURC", "Kept", "Accuracy of the kept"),
                rows=tuple(rows),
            )  # fmt: skip
        hidden = [s for s in entries[0]["suppressed"] if s["column"] == column]
        if hidden:
            told = listed([f"{s['name']} ({s['why']})" for s in hidden])
            yield Note(at=at, room="much", text=f"{column}, suppressed: {told}.")


def _group(group: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        group["name"], group["n"], Number(group["error"]), Number(group["aurc"]), Share(group["kept"]),
        Number(group["accuracy"]),
    )  # fmt: skip


def _number(found: Mapping[str, Any]) -> Number:
    return Number(found["value"], found["low"], found["high"], mark=_mark(found))


ANALYSIS = ShippedAnalysis(
    name="risk-coverage",
    title="Risk against coverage",
    about="answers with a confidence (channel `logprob`, stated shares, a task's `confidence` field, votes, repeats): "
    "risk of the surest answers, its area (AURC), accuracy at stated coverages, by group",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="risk_coverage",
    order=51,
)
