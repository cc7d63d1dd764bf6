"""How many answers changed when finished trials were asked again (`--again`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import heading, row_key, who
from harness.analyses.words import count, percent
from harness.core.blocks import Block, Lines, Note, Number, Table
from harness.core.task import Task
from harness.score.again import AGAIN
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers

Entry = Mapping[str, Any]


def _applies(task: Task) -> bool:
    return True


def _compute(answers: TaskAnswers) -> Iterator[Entry]:
    return iter(())  # read off again.jsonl beside the scores, and kept in extras.json


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    found = beside.extras.get(AGAIN, ())
    if not found:
        return
    yield Table(
        room="much",
        columns=("", "Round", "Field", "n", "Answers changed", "Texts changed", "Failed"),
        rows=tuple(
            (
                who(row_key(row)), row["round"], name, told["n"],
                Number(told["share"], told["low"], told["high"]), row["texts"], row["failed"],
            )
            for row in found
            for name, told in row["fields"].items()
        ),
        caption="Finished trials asked again with the same settings; scores do not change. Share of changed answers "
        "with a 95% Wilson interval over trials; a missing answer counts as an answer of its own.",
    )  # fmt: skip
    yield Lines(lines=tuple(line for row in found for line in _short(row)), room="little")
    for line in (line for row in found for line in _drift(row)):
        yield Note(text=f"{line}.", title="Another model may have answered", warning=True)


def _short(row: Entry) -> Iterator[str]:
    name = " ".join(heading(row_key(row)))
    for key, told in row["fields"].items():
        yield (
            f"{name}, {key}: asked again on {row['round']}, {count(told['changed'])} of {count(told['n'])} answers "
            f"changed ({percent(told['share'])}, 95% interval {percent(told['low'])} to {percent(told['high'])}); "
            f"{count(row['texts'])} texts did"
        )
    if row["failed"] or row["otherwise"]:
        yield (
            f"{name}: asked again on {row['round']}, {count(row['failed'])} trials failed "
            f"and {count(row['otherwise'])} have different requests by now; these are not compared"
        )


def _drift(row: Entry) -> Iterator[str]:
    """Where the replies of now name another model or fingerprint than those before."""
    moved = [(old, new, n) for old, new, n in row["sources"] if old != new]
    if moved:
        told = "; ".join(
            f"{old or 'not named'}, now {new or 'not named'} ({count(n)} replies)"
            for old, new, n in moved
        )
        yield f"{' '.join(heading(row_key(row)))}: replies came from {told}"


ANALYSIS = ShippedAnalysis(
    name="again",
    title="Asked anew",
    about="runs with `--again`: how many answers and texts changed, and which model version replied",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    order=17,
)
