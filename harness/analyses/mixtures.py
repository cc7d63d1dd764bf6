"""Whether answers to mixtures of two labels follow the share of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.rows.mixture import mixture_lines, mixture_scores
from harness.analyses.words import interval, number
from harness.core.blocks import Block, Cell, Lines, Note, Number, Point, Points, Share, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers

_ABOUT = (
    "Samples with two labels at once: does the answer follow the share of each? The slope of "
    "P(own label) on its share is 1 if it does, 0 if it ignores the share, and above 1 if it "
    "jumps from one label to the other."
)


def _compute(answers: TaskAnswers) -> Iterator[Any]:
    rows, entries = mixture_scores(
        answers.records, answers.groups, answers.cells, answers.votes, seed=answers.seed
    )
    yield from rows
    yield from entries


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if not rows:
        return
    yield Lines(lines=tuple(mixture_lines({"mixtures": rows})), room="little")
    yield Note(text=_ABOUT, room="much")
    for entry in rows:
        yield from _mixture(entry)


def _mixture(entry: Mapping[str, Any]) -> Iterator[Block]:
    name = " · ".join(heading(row_key(entry)))
    slope = f"{number(entry['slope'], 2)} {interval(entry['low'], entry['high'])}".strip()
    yield Points(
        room="much",
        title=f"{name}, {entry['mixed']}: slope {slope}",
        x_name="share of the own picture",
        y_name="P(own label)",
        caption="Dashed: P(own label) is its share.",
        points=tuple(
            Point(at["weight"], at["own"], at["n"], at["own_low"], at["own_high"])
            for at in entry["weights"]
        ),
    )
    yield Table(
        room="much",
        caption=f"{entry['field']} by the share of the own label, 95% intervals in brackets",
        columns=(
            "Share",
            "n",
            "Coverage",
            "P(own)",
            "P(other)",
            "Elsewhere",
            "JS",
            "Cross-entropy",
        ),
        rows=tuple(tuple(_cells(at)) for at in entry["weights"]),
    )
    how = ". ".join(text for text in (entry["estimator"], entry["pairing"]) if text)
    yield Note(room="much", text=f"{how}.", folded="How mixtures were made and scored")


def _cells(at: Mapping[str, Any]) -> Iterator[Cell]:
    yield from (f"{at['weight']:g}", at["n"], Share(at["coverage"]))
    for name in ("own", "other", "elsewhere", "js", "cross_entropy"):
        yield Number(at.get(name), at.get(f"{name}_low"), at.get(f"{name}_high"))


ANALYSIS = ShippedAnalysis(
    name="mixtures",
    title="Mixtures",
    about="cells with `mix:LAMBDA`, and blends of two emotions: whether P(label) follows its share",
    applies=lambda task: True,
    compute=_compute,
    blocks=_blocks,
    key="mixtures",
    in_task=True,
    order=20,
)
