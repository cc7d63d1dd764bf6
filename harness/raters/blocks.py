"""The results of a rating study as blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.compare.tables import probability
from harness.core.blocks import Block, Cell, Lines, Matrix, Note, Number, Row, Table
from harness.core.text import counted, sentence
from harness.raters.accuracy import ALL, MEAN, UNSURE, Accuracy, Difference, Scored
from harness.raters.agreement import Agreed
from harness.raters.model_blocks import among_blocks
from harness.raters.numbers import BIAS, ERROR, MEAN_RATING, Scale
from harness.raters.study import LEAST_RATERS, FieldResult, StudyResult
from harness.rating.items import PLAIN
from harness.stats.crossed import CrossedEstimate

FEW_MARK = " *"
NO_SPREAD = " †"
ALONE = " ‡"
_MARKS = {
    FEW_MARK: "* fewer than 5 raters or items: such intervals cover less often than 95%",
    NO_SPREAD: "† no spread was seen between raters or items, which is not certainty",
    ALONE: "‡ one rater or one item only: the interval is over the other alone",
}
_ICC = (
    ". ICC(2,1): two-way random model, absolute agreement of one rater; ICC(2,k): of the mean of all (Shrout and Fleiss "
    "1979)"
)
_COVER = (
    "95% intervals over raters and items (pigeonhole bootstrap and two-way jackknife): for other raters and other items "
    "like these"
)


def headline(found: StudyResult) -> str:
    """What was rated, by how many."""
    conditions = found.table.conditions
    under = "" if conditions == (PLAIN,) else f" under {', '.join(conditions)}"
    answers = counted(len(found.table.ratings.given), "rating")
    return (
        f"{counted(found.raters, 'rater')}, {counted(found.samples, 'item')}, {answers} of "
        f"{', '.join(f.name for f in found.table.fields)}{under}"
    )


def study_blocks(found: StudyResult) -> Iterator[Block]:
    """A headline, then field by field, then agreement and the models among the raters."""
    truth = (
        f"Truth: {found.truth}"
        if found.truth
        else "No truth was given: nothing says who is right (--task, --truth)"
    )
    notes = (sentence(note, names=(found.table.name,)) for note in found.notes)
    yield Lines(lines=(headline(found), truth))
    if found.notes:
        yield Lines(lines=tuple(notes))
    for one in found.fields:
        yield from _field(found, one)
    yield from _agreement(found)
    for one in found.fields:
        for placed in one.among:
            yield from among_blocks(placed)


def _field(found: StudyResult, one: FieldResult) -> Iterator[Block]:
    if one.accuracy is not None:
        yield from _accuracy(one.accuracy)
    if one.scale is not None:
        yield from _scale(one.scale)
    if one.groups:
        yield _groups(found, one)


def _accuracy(found: Accuracy) -> Iterator[Block]:
    name = found.field.name
    marks: set[str] = set()
    rows: list[Row] = []
    for condition in dict.fromkeys(s.condition for s in found.scores):
        rows += _heading(condition, len({s.condition for s in found.scores}))
        rows += [
            _score_row(s, marks, strict=True) for s in found.scores if s.condition == condition
        ]
    untold = (
        f". {found.untold:,} ratings of items without a true value are left out"
        if found.untold
        else ""
    )
    yield Table(
        title=f"{name}: how often raters are right",
        caption=f"{_COVER}. Strict: {UNSURE} counts as a miss{untold}{_told(marks)}",
        columns=(
            "true value",
            "right",
            "of those who answered",
            "ratings",
            "raters",
            "items",
            UNSURE,
        ),
        rows=tuple(rows),
    )
    if found.differences:
        yield _differences(
            f"{name}: difference between conditions", found.differences,
            "Right under the first condition minus the second; p by t, adjusted by Holm over the true values",
        )  # fmt: skip
    several = len(found.confusion) > 1
    for condition, counts in found.confusion.items():
        columns = tuple(
            a for a in found.answers if a != UNSURE or any(k[1] == UNSURE for k in counts)
        )
        yield Matrix(
            title=f"{name}: what was taken for what" + (f", {condition}" if several else ""),
            rows=found.truths, columns=columns, paired=True,
            counts=tuple(tuple(counts.get((t, a), 0) for a in columns) for t in found.truths),
        )  # fmt: skip


def _heading(condition: str, count: int) -> list[Row]:
    return [Row((condition,), role="heading")] if count > 1 else []


def _score_row(one: Scored, marks: set[str], *, strict: bool) -> Row:
    shown = estimate_cell(one.estimate, few=one.few, marks=marks, digits=3)
    cells: tuple[Cell, ...] = (one.name, shown)
    if strict:
        cells += (None if math.isnan(one.answered) else one.answered,)
    cells += (one.ratings, one.raters, one.items, one.unsure)
    return Row(cells, role="total" if one.name in (ALL, MEAN) else "model")


def estimate_cell(
    estimate: CrossedEstimate, *, few: bool = False, marks: set[str], digits: int = 3
) -> Cell:
    """A value with its interval and a mark that says what is wrong with it."""
    if math.isnan(estimate.value):
        return None
    interval = estimate.interval
    if not interval.known or interval.is_point:
        marks.add(NO_SPREAD)
        return Number(estimate.value, digits=digits, mark=NO_SPREAD)
    mark = ""
    if "no spread" in interval.reason:
        mark = NO_SPREAD
    elif interval.reason.startswith("one "):
        mark = ALONE
    elif few:
        mark = FEW_MARK
    if mark:
        marks.add(mark)
    return Number(estimate.value, interval.low, interval.high, digits=digits, mark=mark)


def _told(marks: set[str]) -> str:
    """The marks of a table in words, behind its caption."""
    return "".join(f". {words}" for mark, words in _MARKS.items() if mark in marks)


def _differences(title: str, found: Sequence[Difference], caption: str) -> Table:
    marks: set[str] = set()
    rows: list[Row] = []
    for pair in dict.fromkeys((d.design.first, d.design.second) for d in found):
        own = [d for d in found if (d.design.first, d.design.second) == pair]
        rows.append(Row((f"{pair[0]} minus {pair[1]}: {own[0].design.words}",), role="heading"))
        rows += [
            Row((d.name, estimate_cell(d.estimate, few=d.few, marks=marks), probability(d.p)),
                role="total" if d.name in (ALL, MEAN) else "model")
            for d in own
        ]  # fmt: skip
    return Table(
        title=title,
        caption=f"{caption}{_told(marks)}",
        columns=("", "difference", "p"),
        rows=tuple(rows),
    )


def _scale(found: Scale) -> Iterator[Block]:
    name, marks = found.field.name, set[str]()
    spec = found.field.spec
    conditions = list(dict.fromkeys(s.condition for s in found.scores))
    rows = []
    for condition in conditions:
        rows += _heading(condition, len(conditions))
        rows += [
            _score_row(s, marks, strict=False) for s in found.scores if s.condition == condition
        ]
    told = (
        f", {ERROR} and {BIAS} (rated minus true) where the truth is known" if found.truths else ""
    )
    yield Table(
        title=f"{name}: ratings from {spec.low:g} to {spec.high:g}",
        caption=f"Means of ratings as interval data{told}. {_COVER}{_told(marks)}",
        columns=("", "value", "ratings", "raters", "items", UNSURE),
        rows=tuple(rows),
    )
    if found.shares:
        values = sorted({v for own in found.shares.values() for v in own})
        yield Matrix(
            title=f"{name}: how often each value was given", row_name="Condition", column_name="Rating",
            rows=tuple(found.shares), columns=tuple(f"{v:g}" for v in values),
            counts=tuple(tuple(own.get(v, 0) for v in values) for own in found.shares.values()),
        )  # fmt: skip
    if found.differences:
        yield _differences(
            f"{name}: difference of means between conditions", found.differences,
            "Mean under the first condition minus the second (interval data), p by t",
        )  # fmt: skip
    if found.higher:
        yield _higher(name, found.higher)


def _higher(name: str, found: Sequence[Difference]) -> Table:
    """The chance of the higher rating, shown as a chance again."""
    rows = []
    for one in found:
        interval, value = one.estimate.interval, one.estimate.value
        shown = (
            Number(value + 0.5, interval.low + 0.5, interval.high + 0.5)
            if interval.known and not interval.is_point
            else Number(value + 0.5)
        )
        rows.append(
            Row((f"{one.design.first} above {one.design.second}", shown, probability(one.p)))
        )
    return Table(
        title=f"{name}: which condition is rated higher",
        caption="Chance that of two ratings, one under each condition, the first is higher; ties count one half, .5 is no "
        "difference (ordinal data). p by t",
        columns=("", "chance", "p"),
        rows=tuple(rows),
    )


def _groups(found: StudyResult, one: FieldResult) -> Table:
    name, marks = one.field.name, set[str]()
    numeric = one.field.control == "number"
    rows: list[Row] = []
    for column in found.by:
        rows.append(Row((column,), role="heading"))
        for group in (g for g in one.groups if g.column == column):
            if group.score is None:
                told = f"{group.group}: {counted(group.raters, 'rater')}, fewer than {LEAST_RATERS}, not shown"
                rows.append(Row((told, group.condition or None, None, None, None), role="model"))
                continue
            score = group.score
            rows.append(
                Row((group.group, score.condition, estimate_cell(score.estimate, few=score.few, marks=marks),
                     score.ratings, score.raters))
            )  # fmt: skip
    what = "mean rating" if numeric else "how often they are right"
    return Table(
        title=f"{name}: {what}, by group of raters",
        caption=f"{_COVER}{_told(marks)}",
        columns=("", "condition", MEAN_RATING if numeric else "right", "ratings", "raters"),
        rows=tuple(rows),
    )


def _agreement(found: StudyResult) -> Iterator[Block]:
    if not found.agreement:
        yield Note(text="Agreement is not computed: no field was answered by two raters.")
        return
    rows: list[Row] = []
    before = ""
    numeric = any(field.control == "number" for field in found.table.fields)
    for one in found.agreement:
        measure = one.measure
        head = measure.field + (f", {measure.option}" if measure.option else "")
        head += "" if found.table.conditions == (PLAIN,) else f", {one.condition}"
        if head != before:
            rows.append(Row((head,), role="heading"))
            before = head
        rows.append(Row((measure.name, _agreement_cell(one), measure.items, measure.raters)))
    yield Table(
        title="Agreement between raters",
        caption="Over the raters of each condition. 95% intervals resample items. Coefficients: 1 is full agreement, 0 is "
        f"chance{_ICC if numeric else ''}",
        columns=("", "value", "items", "raters"),
        rows=tuple(rows),
    )


def _agreement_cell(one: Agreed) -> Cell:
    measure = one.measure
    if math.isnan(measure.value):
        return f"undefined: {measure.reason}"
    interval = measure.interval
    if interval is None or not interval.known or interval.is_point:
        return Number(measure.value)
    return Number(measure.value, interval.low, interval.high)
