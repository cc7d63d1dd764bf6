"""Degraded pictures: scores and answers by severity, what an enhancement restores, and whether a gap widens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from harness.analyses.keys import BLANK, UNSEEN, UNSEEN_SAID, has_scores, heading, row_key, who
from harness.analyses.rows.severity import AREA, LEAST_LOSS, severity_entries
from harness.analyses.rows.together import SEVERITIES
from harness.analyses.words import count, interval, listed, metric_name, number, percent
from harness.core.blocks import (
    Block,
    Cell,
    Column,
    Lines,
    MarkedText,
    Note,
    Number,
    Place,
    Point,
    Points,
    Row,
    Share,
    Table,
    Who,
)
from harness.metrics import metric_of
from harness.metrics.metric import UNIT
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.naming import who_answered

_Entry: TypeAlias = "Mapping[str, Any]"

MOST_LINES = 10
MOST_CURVES = 16
WIDENS, UNEQUAL, NOT_SHOWN = "widens", "unequal loss", "not shown"

_ABOUT = (
    "Scores by severity, 0 being the same pictures undegraded. All points of a curve are over the same samples and are "
    f"resampled together. Area: {AREA}, so that it is a mean score over severities."
)
_RESTORED = (
    "Share of the loss that the repair restores: (repaired - degraded) / (clean - degraded), over the same samples. 0: nothing, "
    f"1: all; below 0 the repair does harm. Where the loss is below {number(LEAST_LOSS, 2)} or its interval reaches 0 there "
    "is no loss to restore, and no share."
)
_ANSWERS = (
    "What becomes of the answers, as shares of all samples. A wrong answer is given as an answer all the same; a confident one "
    "is at least as sure as half of the right answers on clean pictures (only where answers come with a confidence). What "
    "remains on a blank picture comes from the prompt alone."
)
_MCE = (
    "Mean corruption error relative to a reference: the mean over kinds of the summed errors (1 - score) at severity 1 to 5, "
    "divided by those of the reference (Hendrycks and Dietterich, 2019). Below 1: fewer errors than the reference. "
    "`harness score RUN --reference MODEL` chooses one reference."
)
_GROUPS = (
    "Does the degradation widen the gap between groups? Widened by: the widest gap at the severity less the widest gap on "
    "clean pictures. Its interval bounds both gaps at once and is wide. Unequal loss: the largest loss of a group less the "
    "smallest, with Tukey's simultaneous interval, which finds smaller effects; groups that lose equally in truth show the "
    "number in the next column on average, by chance. Each interval stands for itself: of many rows one in twenty finds "
    "something by chance."
)


def _compute(answers: TaskAnswers) -> Iterator[_Entry]:
    yield from severity_entries(
        answers.records,
        answers.groups,
        answers.cells,
        seed=answers.seed,
        reference=answers.reference,
    )


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if not rows:
        return
    lines = tuple(_lines(rows))
    if lines:
        yield Lines(lines=lines, room="little")
    places = dict.fromkeys((entry["field"], entry["slice"]) for entry in rows)
    for field, part in places:
        here = [e for e in rows if (e["field"], e["slice"]) == (field, part)]
        yield from _place(here, Place(field, part), beside)


def _place(entries: Sequence[_Entry], at: Place, beside: ScoredTask) -> Iterator[Block]:
    curves = [e for e in entries if e["what"] == "curve" and "suppressed" not in e]
    spec = beside.task.fields[at.field]
    yield Note(at=at, room="much", title="By severity of degradation", text=_ABOUT)
    for entry in entries:
        if "suppressed" in entry:
            told = f"{who_answered(entry)}: suppressed ({entry['suppressed']})."
            yield Note(at=at, room="much", text=told)
    if curves:
        yield _scores(curves, at)
        measure = metric_of(spec, curves[0]["metric"])
        if measure.range == UNIT:
            yield from _figures(curves, at)
        yield from _restorations(curves, at)
        yield _answers(curves, at)
        yield from _gaps(curves, at)
    errors = [e for e in entries if e["what"] == "mce"]
    if errors:
        yield _mce_table(errors, at)
    how = tuple(dict.fromkeys(e["estimator"] for e in curves))
    if how:
        yield Lines(
            at=at, room="much", folded="How the numbers by severity were computed", lines=how
        )


def _scores(curves: Sequence[_Entry], at: Place) -> Table:
    """A row for each curve, a column for each severity."""
    metric = metric_name(curves[0]["metric"])
    marked = any(not p["spread"] for e in curves for p in e["points"])
    return Table(
        at=at,
        room="much",
        caption="; ".join((f"{metric}, strict, 95% intervals in brackets", *([UNSEEN_SAID] if marked else []))),
        columns=(
            "", Column("n"), *(Column(str(s), group="Severity") for s in range(SEVERITIES + 1)), Column("Area"),
        ),
        rows=tuple(
            Row((
                who(row_key(e)), e["n"], *(_point(_points(e).get(s)) for s in range(SEVERITIES + 1)),
                _number(e["area"]) if e["area"] else None,
            ))
            for e in curves
        ),
    )  # fmt: skip


def _points(entry: _Entry) -> dict[int, _Entry]:
    return {point["severity"]: point for point in entry["points"]}


def _point(point: _Entry | None) -> Cell:
    if point is None:
        return None
    return Number(
        point["value"], point["low"], point["high"], mark="" if point["spread"] else UNSEEN
    )


def _number(found: _Entry) -> Number:
    return Number(found["value"], found["low"], found["high"])


def _figures(curves: Sequence[_Entry], at: Place) -> Iterator[Points]:
    for entry in curves[:MOST_CURVES]:
        points = tuple(
            Point(p["severity"], p["value"], entry["n"], p["low"], p["high"])
            for p in entry["points"]
            if p["value"] is not None
        )
        if len(points) > 1:
            yield Points(
                at=at,
                room="much",
                x_name="severity",
                y_name=metric_name(entry["metric"]),
                joined=True,
                most=float(SEVERITIES),
                caption=f"{' · '.join(heading(row_key(entry)))}, n {count(entry['n'])}.",
                points=points,
            )
    if curves[MOST_CURVES:]:
        left = f"{count(len(curves) - MOST_CURVES)} more curves are in the table above."
        yield Note(at=at, room="much", text=left)  # type: ignore[misc]


def _restorations(curves: Sequence[_Entry], at: Place) -> Iterator[Block]:
    rows = [
        Row((
            who(row_key(entry)), one["severity"], Number(one["lost"], one["lost_low"], one["lost_high"]),
            one["said"] or _number(one),
        ))
        for entry in curves
        for one in entry["restored"]
    ]  # fmt: skip
    if rows:
        yield Note(at=at, room="much", title="What a repair restores", text=_RESTORED)
        yield Table(
            at=at,
            room="much",
            caption="95% intervals in brackets, resampled together",
            columns=("", "Severity", "Lost", "Restored"),
            rows=tuple(rows),
        )


def _answers(curves: Sequence[_Entry], at: Place) -> Table:
    """Answered, refused and wrong by severity, beside a blank picture."""
    first = [point for entry in curves for point in entry["points"]]
    wrong = any("wrong" in point for point in first)
    sure = any(point.get("confident_wrong") is not None for point in first)
    columns = ["", "Severity", "Answered", "Refused", "Off-list", "Other non-answers"]
    columns += (["Wrong answer"] if wrong else []) + (["Wrong and confident"] if sure else [])

    def cells(point: _Entry) -> Iterator[Cell]:
        yield from (Share(point[name]) for name in ("answered", "refused", "off_list", "other"))
        if wrong:
            yield Share(point.get("wrong"))
        if sure:
            yield Share(point.get("confident_wrong"))

    rows: list[Row] = []
    for entry in curves:
        rows += [Row((who(row_key(entry)), p["severity"], *cells(p))) for p in entry["points"]]
        if entry["blank"]:
            model, prompt, _ = row_key(entry)
            rows.append(Row((Who(model, prompt, BLANK), None, *cells(entry["blank"])), "blank"))
    return Table(
        at=at, room="much", folded="Answers by severity", caption=_ANSWERS, columns=tuple(columns), rows=tuple(rows)
    )  # fmt: skip


def _gaps(curves: Sequence[_Entry], at: Place) -> Iterator[Block]:
    columns = dict.fromkeys(g["column"] for e in curves for g in e["groups"])
    if columns:
        yield Note(at=at, room="much", title="Groups by severity", text=_GROUPS)
    for column in columns:
        rows: list[Row] = []
        for entry in curves:
            mine = [g for g in entry["groups"] if g["column"] == column]
            if mine:
                names = listed([f"{g['name']} (n {g['n']})" for g in mine[0]["groups"]])
                rows.append(Row((f"{' · '.join(heading(row_key(entry)))}: {names}",), "heading"))
                rows += [Row(tuple(_gap(one))) for one in mine]
        yield Table(
            at=at,
            room="much",
            caption=f"Gap by {column}, 95% intervals in brackets",
            columns=(
                "Severity", "Gap, clean", "Gap, degraded", "Widened by", "Unequal loss", "Of equal groups", "Worst then",
                "Gap",
            ),
            rows=tuple(rows),
        )  # fmt: skip


def _gap(one: _Entry) -> Iterator[Cell]:
    worst = min(one["groups"], key=lambda g: g["degraded"] if g["degraded"] is not None else 0.0)
    yield from (one["severity"], Number(one["gap_clean"]), Number(one["gap_degraded"]))
    yield Number(one["widened"], one["low"], one["high"])
    yield Number(one["unequal"], one["unequal_low"], one["unequal_high"])
    yield from (Number(one["equal_groups"]), worst["name"])
    yield MarkedText(verdict(one))


def verdict(one: _Entry) -> str:
    """What the intervals of a gap say: it widens; groups lose unequally; or nothing is shown."""
    if one["low"] is not None and one["low"] > 0:
        return WIDENS
    if one["unequal_low"] is not None and one["unequal_low"] > 0:
        return UNEQUAL
    return NOT_SHOWN


def _mce_table(errors: Sequence[_Entry], at: Place) -> Table:
    return Table(
        at=at,
        room="much",
        title="Mean corruption error",
        caption=_MCE,
        columns=("", "Reference", "Kinds", "n", "mCE"),
        rows=tuple(
            Row((who(row_key(e)), e["reference"], listed(e["kinds"]), e["n"], e.get("said") or _number(e))) for e in errors
        ),
    )  # fmt: skip


def _lines(rows: Sequence[_Entry]) -> Iterator[str]:
    """A line for each curve, each repair, each model against another, and each gap that widens."""
    found = [*_curve_lines(rows), *_mce_lines(rows)]
    yield from found[:MOST_LINES]
    if found[MOST_LINES:]:
        left = count(len(found) - MOST_LINES)
        yield f"{left} more lines about severity: see harness report RUN, or --json"


def _curve_lines(rows: Sequence[_Entry]) -> Iterator[str]:
    for entry in rows:
        if entry["what"] != "curve":
            continue
        if "suppressed" in entry:
            yield f"{who_answered(entry)}: by severity suppressed ({entry['suppressed']})"
            continue
        each = ", ".join(f"{p['severity']}: {number(p['value'])}" for p in entry["points"])
        area = entry["area"]
        told = (
            f"; area {number(area['value'])} {interval(area['low'], area['high'])}".rstrip()
            if area
            else ""
        )
        yield f"{who_answered(entry)}, {metric_name(entry['metric'])} by severity {each}{told}".rstrip()
        if entry["restored"]:
            shares = (f"{one['severity']}: {_restored(one)}" for one in entry["restored"])
            yield f"  share of the loss that {entry['repair']} restores, by severity {', '.join(shares)}"
        last = entry["points"][-1]
        if last.get("confident_wrong") is not None:
            yield (
                f"  at severity {last['severity']}: refused {percent(last['refused'])}, wrong and confident "
                f"{percent(last['confident_wrong'])}"
            )
        for one in entry["groups"]:
            if verdict(one) != NOT_SHOWN:
                yield (
                    f"  {one['column']}, severity {one['severity']}: {verdict(one)}; gap {number(one['gap_clean'])} on clean "
                    f"pictures, {number(one['gap_degraded'])} degraded, widened by {number(one['widened'])} "
                    f"{interval(one['low'], one['high'])}"
                )


def _restored(one: _Entry) -> str:
    if one["said"]:
        return str(one["said"])
    return f"{number(one['value'], 2)} {interval(one['low'], one['high'])}".rstrip()


def _mce_lines(rows: Sequence[_Entry]) -> Iterator[str]:
    for entry in rows:
        if entry["what"] != "mce":
            continue
        if entry["value"] is not None:
            yield (
                f"{who_answered(entry)}: mean corruption error {number(entry['value'])} "
                f"{interval(entry['low'], entry['high'])} relative to {entry['reference']} ({listed(entry['kinds'])})"
            )
        elif entry.get("said"):
            yield f"{who_answered(entry)}: no mean corruption error relative to {entry['reference']} ({entry['said']})"


ANALYSIS = ShippedAnalysis(
    name="severity",
    title="By severity of degradation",
    about="cells with `degrade:KIND=SEVERITY`: scores by severity with their area, mean corruption error, what an "
    "enhancement restores, refusals and confident wrong answers, gaps between groups",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="severity",
    sparse=True,
    order=33,
)
