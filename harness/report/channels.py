"""What the page and the terminal say of the channels: probabilities, agreement, constraints that did not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.report.figures import svg
from harness.report.inputs import RowKey, RunView, row_key
from harness.report.square import Square
from harness.report.tables import ScoreTable, Shown, heading, shown
from harness.report.words import count, number, percent
from harness.run.readiness import unconstrained
from harness.score import ScoreRow, Scores

CALIBRATION = ("brier", "log_loss", "ece", "ece_equal_mass", "captured_mass", "captured_mass_min")
"""Metrics of a calibration table, in the order of its columns."""
NORMALISED = ("accuracy_length_normalised", "uar_length_normalised")

_SQUARE = Square(190, 44)


@dataclass(frozen=True, slots=True)
class Reliability:
    """A small figure of confidence against accuracy."""

    name: str
    figure: Markup


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """The probabilities of one field on the whole task or one part."""

    rows: tuple[tuple[RowKey, int, tuple[Shown, ...]], ...]
    """(who, samples, the CALIBRATION numbers)."""
    normalised: tuple[tuple[RowKey, tuple[Shown, ...]], ...]
    """(who, the NORMALISED numbers); empty where no label was scored whole."""
    figures: tuple[Reliability, ...]
    estimators: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """Two channels of one model, prompt and condition."""

    key: tuple[str, str, str]
    channels: tuple[str, str]
    n: int
    equal: str
    kappa: str
    uar: tuple[str, str]


def calibration_view(view: RunView, table: ScoreTable) -> CalibrationView | None:
    """What is known of a field's probabilities; None where there are none."""
    block = view.blocks[table.task, table.slice, table.field]
    found = {key: rows for key, rows in block.items() if CALIBRATION[0] in rows}
    if not found:
        return None
    told = dict.fromkeys(
        (metric, rows[metric].estimator) for rows in found.values() for metric in CALIBRATION
    )
    return CalibrationView(
        rows=tuple(
            (key, rows[CALIBRATION[0]].n, tuple(shown(rows.get(m)) for m in CALIBRATION))
            for key, rows in found.items()
        ),
        normalised=tuple(
            (key, tuple(shown(rows.get(m)) for m in NORMALISED))
            for key, rows in found.items()
            if NORMALISED[0] in rows
        ),
        figures=tuple(_figures(view.scores, table)),
        estimators=tuple(told),
    )


def _figures(scores: Scores, table: ScoreTable) -> Iterator[Reliability]:
    place = (table.task, table.slice, table.field)
    for entry in scores.reliability:
        same = (entry["task"], entry["slice"], entry["field"]) == place
        if same and entry["scheme"] == "equal-width":
            name = " · ".join(heading(row_key(entry)))
            yield Reliability(name, reliability_figure(entry["bins"], name))


def reliability_figure(bins: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """Accuracy by confidence: a dot a bin, its area by the samples in it; on the line all is as it says."""
    square = _SQUARE
    total = sum(b["n"] for b in bins) or 1
    parts = square.axes("probability of the answer", "share right")
    for b in bins:
        told = f"{number(b['confidence'], 2)} said, {number(b['accuracy'], 2)} right, {count(b['n'])} samples"
        radius = round(2.5 + 8 * (b["n"] / total) ** 0.5, 1)
        dot = Markup('<circle class="dot" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
        parts.append(dot.format(square.x(b["confidence"]), square.y(b["accuracy"]), radius, told))
    words = "; ".join(f"{number(b['confidence'], 2)}: {number(b['accuracy'], 2)}" for b in bins)
    return svg(square.size, square.size, f"Share right by probability, {name}: {words}", parts)


def agreement_lines(scores: Scores, task: str, slice_name: str, field: str) -> list[AgreementLine]:
    """Each two channels that answered the same samples."""
    return [
        AgreementLine(
            key=(entry["model"], entry["prompt"], entry["condition"]),
            channels=(entry["channels"][0], entry["channels"][1]),
            n=entry["n"],
            equal=percent(entry["equal"]),
            kappa=number(entry["kappa"]),
            uar=(number(entry["uar"][0]), number(entry["uar"][1])),
        )
        for entry in scores.agreement
        if (entry["task"], entry["slice"], entry["field"]) == (task, slice_name, field)
    ]


def constraint_notes(manifest: Mapping[str, Any], scores: Scores, task: str) -> Iterator[str]:
    """Where the channel choice went on in free text, and how many replies were not what they were held to."""
    for cell in manifest["cells"]:
        kinds = unconstrained(manifest, cell) if cell["task"] == task else ()
        if kinds:
            yield (
                f"{' '.join(heading(row_key(cell)))}: not held to its answers ({', '.join(kinds)}), since no "
                "spelling that was tried held on the server: these are replies in free text"
            )
    for state in scores.tasks:
        for entry in state.get("broken", ()) if state["task"] == task else ():
            yield (
                f"{' '.join(heading(row_key(entry)))}: constraint broken in {count(entry['replies'])} replies, "
                "which were read all the same"
            )


def channel_lines(scores: Scores, task: str) -> Iterator[str]:
    """What a terminal says under the tables: a line for each cell with probabilities, one for each agreement."""
    cells: dict[tuple[RowKey, str, str], dict[str, ScoreRow]] = {}
    for row in scores.scores:
        if row.task == task and row.metric in (*CALIBRATION, *NORMALISED):
            key = row_key({"model": row.model, "prompt": row.prompt, "condition": row.condition,
                           "channel": row.channel})  # fmt: skip
            cells.setdefault((key, row.field, row.slice), {})[row.metric] = row
    for (key, field, slice_name), rows in cells.items():
        part = "" if slice_name in {"all", field} else f" ({slice_name})"
        told = [
            f"{name} {shown(rows[m]).value} {shown(rows[m]).interval}".rstrip()
            for m, name in _TOLD.items()
            if m in rows
        ]
        yield f"{' '.join(heading(key))}, {field}{part}: {', '.join(told)}"
    for entry in scores.agreement:
        if entry["task"] == task:
            part = "" if entry["slice"] in {"all", entry["field"]} else f" ({entry['slice']})"
            who = " ".join(heading((entry["model"], entry["prompt"], entry["condition"])))
            a, b = entry["channels"]
            yield (
                f"{who}, {entry['field']}{part}: {a} and {b} agree on {percent(entry['equal'])} of "
                f"{count(entry['n'])}, kappa {number(entry['kappa'])}, UAR {number(entry['uar'][0])} and "
                f"{number(entry['uar'][1])}"
            )


_TOLD = {
    "brier": "Brier", "log_loss": "log loss", "ece": "ECE", "captured_mass": "captured mass",
    "captured_mass_min": "least", "uar_length_normalised": "UAR length-normalised",
}  # fmt: skip
