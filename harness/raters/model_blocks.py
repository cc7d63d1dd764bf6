"""A model among raters as blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.analyses.words import number
from harness.compare.tables import probability
from harness.core.blocks import Block, Cell, Lines, Note, Number, Row, Table
from harness.core.text import counted
from harness.raters.among import LEAST_COPY, Among, Ranged
from harness.rating.items import PLAIN
from harness.stats.alternative import LEAST_ITEMS, PASSES, Q

FOLDED = 12
"""Raters from which the table of single raters is folded on a page."""
EPSILONS = {0.2: "experts", 0.15: "trained raters", 0.1: "crowd workers"}
"""What the authors of the test suggest."""


def among_blocks(found: Among) -> Iterator[Block]:
    """Where the model stands, the test, and a row for each rater."""
    saw = "" if found.model.saw == PLAIN else f", who saw {found.model.saw}"
    title = (
        f"{found.field.name}: {found.model.name} among {counted(len(found.raters), 'rater')}{saw}"
    )
    yield _standing(found, title)
    yield from _warnings(found)
    yield Lines(title="Alternative annotator test", lines=tuple(_test_lines(found)))
    yield _single(found)


def _standing(found: Among, title: str) -> Table:
    numeric = found.field.control == "number"
    own = [one.own for one in found.raters if not math.isnan(one.own)]
    right = [one.right for one in found.raters if not math.isnan(one.right)]
    sign = -1.0 if numeric else 1.0
    columns = ["", f"agreement with raters ({found.measure})"]
    rows: list[list[Cell]] = [
        ["model", _ranged(found.agreement)],
        ["raters, each with the others, mean", _ranged(found.human)],
        ["model minus raters", _ranged(found.difference)],
        ["lowest and highest rater", _range(own)],
        ["percentile rank of the model", _ranged(found.rank, digits=0)],
    ]
    if found.right_difference is not None:
        columns.append("mean absolute error" if numeric else "right")
        difference = found.right_difference
        low, high = sorted((sign * difference.interval.low, sign * difference.interval.high))
        known = difference.interval.known
        mean = sum(right) / len(right) if right else math.nan
        for row, cell in zip(
            rows,
            (
                _plain(sign * found.right), _plain(sign * mean),
                Number(sign * difference.value, low if known else None, high if known else None),
                _range([sign * value for value in right]),
                _rank(found.right_rank),
            ),
            strict=True,
        ):  # fmt: skip
            row.append(cell)
    lower = " A lower error is a higher rank." if numeric and len(columns) > 2 else ""
    return Table(
        title=title,
        caption="Compared with the raters of this condition alone. Agreement: mean over pairs, percentile intervals over "
        "resampled raters and items. Rank: share of raters below the model, ties half, 50 is the median rater."
        + lower,
        columns=tuple(columns),
        rows=tuple(Row(tuple(row)) for row in rows),
    )


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _rank(value: float) -> Cell:
    return None if math.isnan(value) else Number(value, digits=0)


def _ranged(value: Ranged, digits: int = 3) -> Cell:
    if math.isnan(value.value):
        return None
    if math.isnan(value.low) or value.low == value.high:  # all resamples alike: no certainty
        return Number(value.value, digits=digits) if digits else f"{value.value:.0f}"
    if digits == 0:
        return f"{value.value:.0f} [{value.low:.0f}, {value.high:.0f}]"
    return Number(value.value, value.low, value.high, digits=digits)


def _range(values: list[float]) -> Cell:
    if not values:
        return None
    return f"{number(min(values))} to {number(max(values))}"


def _warnings(found: Among) -> Iterator[Block]:
    if found.copied:
        names = ", ".join(found.copied[:5])
        yield Note(
            text=f"The model repeats every shared answer of {names} ({LEAST_COPY} items or more). This rater is left out of its "
            "mean agreement.",
            warning=True,
        )
    if found.unanswered:
        left = (
            "agreement with nobody in the alternative annotator test; the concordance correlation and the error leave them "
            "out, so that a model seems better which answers what is easy alone"
            if found.field.control == "number"
            else "a miss, and agreement with nobody; kappa leaves them out"
        )
        yield Note(
            text=f"{found.unanswered} of {found.items} rated items have no answer of the model: {left}.",
            warning=True,
        )
    if found.model.repeats > 1:
        yield Note(text=f"Of {found.model.repeats} repeats the first is taken.")


def _test_lines(found: Among) -> Iterator[str]:
    test = found.test
    who = EPSILONS.get(round(test.epsilon, 6))
    meant = f", suggested for {who}" if who else ""
    epsilon = f"epsilon {number(test.epsilon, 2)}{meant}"
    tested = test.tested
    if not tested:
        yield f"Not possible: no two raters share two items with the model ({epsilon})"
        return
    won = sum(seat.won for seat in tested)
    passes = test.winning_rate >= PASSES
    yield (
        f"Winning rate {number(test.winning_rate, 2)} ({won} of {len(tested)} raters; {epsilon}): "
        + ("the model passes" if passes else "the model does not pass")
        + f" ({number(PASSES, 1)} or more is asked)"
    )
    yield (
        f"Advantage probability {number(test.advantage, 2)}: how often the model agrees with the others at least as well as a "
        "rater drawn at random"
    )
    yield (
        f"Calderon, Reichart and Dror 2025: each rater in turn against the model by agreement with the rest, false "
        f"discoveries at {number(Q, 2)} (Benjamini and Yekutieli)"
    )
    few = sum(seat.items < LEAST_ITEMS for seat in tested)
    if few:
        yield (
            f"{few} of {len(tested)} raters have fewer than {LEAST_ITEMS} items: Wilcoxon's test stands in for t, and the "
            "authors advise 50 to 100 items"
        )
    if len(tested) < 3:
        yield "Fewer than three raters: the authors advise three or more"


def _single(found: Among) -> Table:
    seats = {seat.rater: seat for seat in found.test.seats}
    numeric = found.field.control == "number"
    told = any(not math.isnan(one.right) for one in found.raters)
    columns = ["rater", "with the others", "with the model", *(["error" if numeric else "right"] if told else []),
               "model as good", "rater as good", "p", "items"]  # fmt: skip
    rows = []
    for one in found.raters:
        seat = seats[one.name]
        cells: list[Cell] = [one.name, _plain(one.own), _plain(one.model)]
        if told:
            cells.append(_plain(-one.right if numeric else one.right))
        cells += [_plain(seat.model), _plain(seat.human), probability(seat.adjusted), seat.items]
        rows.append(Row(tuple(cells)))
    title = f"{found.field.name}: {found.model.name} beside each rater"
    return Table(
        title=title, folded=title if len(rows) >= FOLDED else "",
        room="any" if len(rows) < FOLDED else "much",
        caption=f"Agreement: {found.measure}. As good: share of items on which the model (the rater) agrees with the remaining "
        "raters at least as well as the other. p: that the model falls short by epsilon or more, adjusted; the model wins "
        f"at {number(Q, 2)} or less",
        columns=tuple(columns), rows=tuple(rows),
    )  # fmt: skip
