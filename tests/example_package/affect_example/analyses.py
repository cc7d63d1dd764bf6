"""An analysis: do replies that were refused or could not be read differ in length from answers?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.core.blocks import Bars, Block, Lines, Number, Table, Who
from harness.core.task import Task
from harness.score.analysis import ScoredTask, TaskAnswers


@dataclass(frozen=True)
class Length:
    """The replies of one cell with one outcome."""

    model: str
    prompt: str
    condition: str
    outcome: str
    n: int
    """Answers; a reply that fills two fields counts for both."""
    mean: float
    """Characters."""
    longest: int


class ReplyLength:
    """How long replies are, by what became of them."""

    name = "reply-length"
    title = "Length of replies"
    about = "tasks asked of a model: characters of the replies, by outcome"
    row = Length

    def applies(self, task: Task) -> bool:
        return any(spec.scored for spec in task.fields.values())

    def compute(self, answers: TaskAnswers) -> Iterator[Length]:
        found: dict[tuple[str, str, str, str], list[int]] = {}
        for row in answers.trials():
            if not row["failure"]:
                key = (row["model"], row["prompt"], row["condition"], row["outcome"])
                found.setdefault(key, []).append(len(row["text"]))
        for key, lengths in sorted(found.items()):
            mean = round(sum(lengths) / len(lengths), 6)
            yield Length(*key, n=len(lengths), mean=mean, longest=max(lengths))

    def blocks(self, rows: Sequence[Length], beside: ScoredTask) -> Iterator[Block]:
        yield Table(
            columns=("", "outcome", "n", "mean length", "longest"),
            rows=tuple(
                (Who(row.model, row.prompt, row.condition), row.outcome, row.n, Number(row.mean, digits=1), row.longest)
                for row in rows
            ),
            caption="Characters of the replies, by what became of them",
        )  # fmt: skip
        by_outcome: dict[str, list[Length]] = {}
        for row in rows:
            by_outcome.setdefault(row.outcome, []).append(row)
        means = {
            outcome: sum(r.mean * r.n for r in some) / sum(r.n for r in some)
            for outcome, some in by_outcome.items()
        }
        yield Bars(bars=tuple(means.items()), unit="characters", room="much")
        longest = max(rows, key=lambda row: row.mean)
        yield Lines(
            lines=(
                f"longest replies: {longest.model} {longest.prompt}, {longest.outcome}, "
                f"{longest.mean:.1f} characters on average",
            )
        )


REPLY_LENGTH = ReplyLength()
