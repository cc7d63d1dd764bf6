"""Progress output of a run: a stream, a notebook, or none."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, TextIO

from harness.api.carry_out import Counting, Watcher
from harness.core.text import visible
from harness.run.cell_table import CellTable
from harness.run.plan import Plan
from harness.run.progress import Progress, Rate, progress_line
from harness.run.tally import Tally

REDRAWN = 0.2
"""Seconds between two changes of the line in a notebook."""


class StreamWatcher:
    """Tells a stream: the plan, a bar on a terminal (a line now and then elsewhere), what went wrong."""

    def __init__(self, file: TextIO | None = None, *, tables: bool = True) -> None:
        """`tables`: the plan has a line for each cell, on a terminal progress too; else only the sums are told."""
        self._file = file or sys.stderr
        self._tables = tables
        self._table: CellTable | None = None

    def planned(self, summary: Mapping[str, Any]) -> None:
        from harness.report.plan_table import plan_lines, print_plan

        if self._tables:
            print_plan(summary, file=self._file)
            return
        for line in plan_lines(summary):  # no table is drawn, which spares programs .02 CPU-s
            print(visible(line), file=self._file)

    def progress(self, plan: Plan) -> AbstractContextManager[Counting]:
        if self._tables and self._file.isatty() and len(plan.cells) > 1:
            self._table = CellTable(plan, file=self._file)
            return self._table
        return Progress(total=plan.trials, file=self._file)

    def tell(self, line: str) -> None:
        if self._table is not None and self._table.shown:
            self._table.tell(visible(line))
        else:
            print(visible(line), file=self._file)


class NotebookWatcher(StreamWatcher):
    """Tells the cell of a notebook, where the line of progress is changed in place."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def progress(self, plan: Plan) -> AbstractContextManager[Counting]:
        return _NotebookProgress(plan.trials)


class _NotebookProgress:
    """A line of a cell's output that is drawn anew."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._handle: Any = None
        self._shown = 0.0
        self._rate = Rate()
        self._last: Tally | None = None

    def __enter__(self) -> _NotebookProgress:
        from IPython.display import DisplayHandle

        self._handle = DisplayHandle()
        self._handle.display(_Line(f"0 of {self._total:,} trials"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._last is not None:
            self._draw(self._last)

    def update(self, tally: Tally) -> None:
        """Draw the line, at most a few times a second."""
        now = time.monotonic()
        self._rate.note(tally, now)
        self._last = tally
        if now - self._shown >= REDRAWN:
            self._shown = now
            self._draw(tally)

    def _draw(self, tally: Tally) -> None:
        rate = self._rate.at(tally, time.monotonic())
        self._handle.update(_Line(progress_line(tally, self._total, rate)))


class _Line:
    """Text that a notebook shows as it stands."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class _Nobody:
    def update(self, tally: Tally) -> None:
        """Nothing."""


class Noting:
    """Passes on what another watcher is told, and keeps the sentences."""

    def __init__(self, watcher: Watcher | None) -> None:
        self._watcher = watcher
        self.lines: list[str] = []

    def planned(self, summary: Mapping[str, Any]) -> None:
        self.lines += [f"note: {note}" for note in summary["notes"]]
        if self._watcher is not None:
            self._watcher.planned(summary)

    def progress(self, plan: Plan) -> AbstractContextManager[Counting]:
        return nullcontext(_Nobody()) if self._watcher is None else self._watcher.progress(plan)

    def tell(self, line: str) -> None:
        self.lines.append(line.strip())
        if self._watcher is not None:
            self._watcher.tell(line)


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, which shows what IPython displays. Imports nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def chosen(progress: bool) -> Watcher | None:
    """Who follows a run started from Python: None where nothing is to be shown."""
    if not progress:
        return None
    return NotebookWatcher() if in_notebook() else StreamWatcher()
