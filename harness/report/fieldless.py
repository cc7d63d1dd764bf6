"""Scores that stand under no field of a task, in columns: answers as texts, and spotted intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.report.spots import spot_lines
from harness.report.texts import text_lines
from harness.score import ScoreRow


def fieldless_lines(rows: Sequence[ScoreRow], task: str) -> Iterator[str]:
    """The lines of one task; none for most."""
    yield from text_lines(rows, task)
    yield from spot_lines([row for row in rows if row.task == task], whole=False)
