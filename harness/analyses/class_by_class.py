"""Label fields class by class: confusion matrices, class frequencies, recall, precision and F1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import (
    BLANK,
    by_place,
    has_scores,
    heading,
    is_baseline,
    measured,
    row_key,
)
from harness.analyses.words import count, percent
from harness.core.blocks import Block, Count, Matrix, Note, Place, Table
from harness.score.analysis import Entry, ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow

METRICS = ("recall", "precision", "f1")
NO_CLASS = "no class"
MOST_OPEN = 2
"""Models and prompts of one field that are not folded away."""

_ABOUT = (
    "Rows: true class. Columns: answer; “no class” holds replies without a usable answer and "
    "answers outside the true classes. Percent of the row, count below."
)
_HABIT = "A class answered much more often than it is true is a habit of the model’s"


def _compute(answers: TaskAnswers) -> Sequence[Entry]:
    """Nothing: the counts stand under `confusions` in any case, since scores rest on them."""
    return ()


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    numbers = by_place(beside.scores)
    found: dict[Place, list[Entry]] = {}
    for entry in beside.confusions:
        if not is_baseline(row_key(entry)):
            found.setdefault(Place(entry["field"], entry["slice"]), []).append(entry)
    for at, entries in found.items():
        yield Note(at=at, room="much", title="Confusion matrices", text=_ABOUT)
        for place, entry in enumerate(entries):
            yield _matrix(entry, at, _folded(place, len(entries), "confusion matrix", "matrices"))
        block = numbers.get((at.part, at.field), {})
        blank_last = sorted(entries, key=lambda entry: bool(entry["condition"] == BLANK))
        for place, entry in enumerate(blank_last):
            folded = _folded(place, len(entries), "by class", "by class")
            title = "" if place else "Results per class"
            yield _classes(entry, block.get(row_key(entry), {}), at, folded, title)


def _folded(place: int, total: int, one: str, many: str) -> str:
    if place < MOST_OPEN:
        return ""
    more = total - MOST_OPEN
    return f"{count(more)} more {one if more == 1 or one == many else f'confusion {many}'}"


def _matrix(entry: Entry, at: Place, folded: str) -> Matrix:
    classes = tuple(entry["classes"])
    return Matrix(
        at=at,
        room="much",
        folded=folded,
        caption=" · ".join(heading(row_key(entry))),
        rows=classes,
        columns=(*classes, NO_CLASS),
        counts=tuple(tuple(counts) for counts in entry["counts"]),
        paired=True,
    )


def _classes(
    entry: Entry, numbers: Mapping[str, ScoreRow], at: Place, folded: str, title: str
) -> Table:
    counts = entry["counts"]
    total = sum(map(sum, counts))
    none = sum(row[-1] for row in counts)
    left = f"; {count(none)} ({percent(none / total)}) have no answer among these" if none else ""
    return Table(
        at=at,
        room="much",
        folded=folded,
        title=title,
        caption=f"{' · '.join(heading(row_key(entry)))}, strict. {_HABIT}{left}",
        columns=("Class", "True", "Answered", "Recall", "Precision", "F1"),
        rows=tuple(
            (
                name,
                Count(sum(counts[place]), total),
                Count(sum(row[place] for row in counts), total),
                *(measured(numbers.get(f"{metric}[{name}]")) for metric in METRICS),
            )
            for place, name in enumerate(entry["classes"])
        ),
    )


ANALYSIS = ShippedAnalysis(
    name="class-by-class",
    title="Results per class",
    about="label and yes-no fields: confusion matrices, and recall, precision and F1 of each class",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    order=2,
)
