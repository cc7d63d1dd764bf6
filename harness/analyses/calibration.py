"""Calibration of the labels' probabilities: scores, and confidence against accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import (
    Numbers,
    RowKey,
    by_place,
    has_scores,
    heading,
    measured,
    named,
    places,
    prompt_on,
    row_key,
    who,
)
from harness.analyses.rows.calibration import calibrate
from harness.analyses.words import interval, metric_name, number
from harness.core.blocks import Block, Lines, Note, Place, Point, Points, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow

CALIBRATION = ("brier", "log_loss", "ece", "ece_equal_mass", "captured_mass", "captured_mass_min")
"""Metrics of a calibration table, in the order of its columns."""
NORMALISED = ("accuracy_length_normalised", "uar_length_normalised")

_ABOUT = (
    "The answer is the label with the highest probability as a reply; probabilities are "
    "renormalised over the labels. Captured mass: probability that the reply is one of the "
    "labels at all, before renormalising. Brier score and log loss: lower is better. ECE: "
    "mean gap between probability and accuracy, over 15 bins."
)
_TOLD = {
    "brier": "Brier", "log_loss": "log loss", "ece": "ECE", "captured_mass": "captured mass",
    "captured_mass_min": "least", "uar_length_normalised": "UAR length-normalised",
}  # fmt: skip


def _compute(answers: TaskAnswers) -> Iterator[Any]:
    made = calibrate(answers.records, answers.groups, answers.cells, seed=answers.seed)
    yield from made.rows
    yield from made.reliability


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    lines = tuple(calibration_lines(beside.scores))
    if lines:
        yield Lines(lines=lines, room="little")
    found = by_place(beside.scores)
    for part, field in places(beside):
        numbers = {k: by for k, by in found[part, field].items() if CALIBRATION[0] in by}
        if numbers:
            bins = [e for e in rows if (e["slice"], e["field"]) == (part, field)]
            yield from _field(numbers, bins, Place(field, part))


def calibration_lines(scores: Sequence[ScoreRow]) -> Iterator[str]:
    """A line for each cell with probabilities."""
    cells: dict[tuple[RowKey, str, str], dict[str, ScoreRow]] = {}
    for row in scores:
        if row.metric in (*CALIBRATION, *NORMALISED):
            key = (row.model, prompt_on(row.prompt, row.channel), row.condition)
            cells.setdefault((key, row.field, row.slice), {})[row.metric] = row
    for (key, field, part), rows in cells.items():
        told = [f"{name} {_said(rows[m])}".rstrip() for m, name in _TOLD.items() if m in rows]
        yield f"{' '.join(heading(key))}, {named(field, part)}: {', '.join(told)}"


def _said(row: ScoreRow) -> str:
    return f"{number(row.value)} {interval(row.low, row.high)}".rstrip()


def _field(numbers: Numbers, bins: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    yield Note(at=at, room="much", title="Probabilities of the labels", text=_ABOUT)
    yield Table(
        at=at,
        room="much",
        caption="Calibration, 95% intervals in brackets",
        columns=(
            "", "n", "Brier score", "Log loss", "ECE, equal width", "ECE, equal mass", "Captured mass", "Least",
        ),
        rows=tuple(
            (who(key), by[CALIBRATION[0]].n, *(measured(by.get(m)) for m in CALIBRATION))
            for key, by in numbers.items()
        ),
    )  # fmt: skip
    for entry in bins:
        if entry["scheme"] == "equal-width":
            yield Points(
                at=at,
                room="much",
                x_name="probability of the answer",
                y_name="share right",
                sized=True,
                caption=f"{' · '.join(heading(row_key(entry)))}. Below the line: overconfident.",
                points=tuple(Point(b["confidence"], b["accuracy"], b["n"]) for b in entry["bins"]),
            )
    normalised = [_normalised(key, by) for key, by in numbers.items() if NORMALISED[0] in by]
    if normalised:
        yield Note(
            at=at,
            room="much",
            text="By another estimator, the highest log-probability per token, which gives no "
            f"probabilities: {'; '.join(normalised)}.",
        )
    told = dict.fromkeys((m, by[m].estimator) for by in numbers.values() for m in CALIBRATION)
    yield Lines(
        at=at,
        room="much",
        folded="How the probabilities were scored",
        lines=tuple(f"{metric_name(metric)}: {said}" for metric, said in told),
    )


def _normalised(key: RowKey, by: Mapping[str, ScoreRow]) -> str:
    accuracy, uar = (_said(by[m]) if m in by else "–" for m in NORMALISED)
    return f"{' '.join(heading(key))} accuracy {accuracy}, UAR {uar}"


ANALYSIS = ShippedAnalysis(
    name="calibration",
    title="Probabilities of the labels",
    about="answers with probabilities (channel `logprob`, stated percentages): Brier score, log loss, ECE, reliability",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="reliability",
    order=50,
)
