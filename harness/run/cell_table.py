"""Progress of a run on a terminal: a table of its cells, redrawn while the run works."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from harness.core.text import visible
from harness.run.progress import Rate, progress_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from harness.core.cell import Cell
    from harness.run.plan import Plan
    from harness.run.tally import Tally

REDRAWN = 0.25
"""Seconds between two drawings."""
BAR = 20
"""Columns of a bar."""
SPARE = 6
"""Lines of the terminal that the table leaves free."""


class CellTable:
    """Context manager; `update` may be called as often as there are trials."""

    def __init__(self, plan: Plan, *, file: TextIO) -> None:
        self._plan = plan
        self._file = file
        self._rate = Rate()
        self._drawn = 0.0
        self._last: Tally | None = None
        self._console: Console | None = None
        self._live: Live | None = None

    @property
    def shown(self) -> bool:
        """Whether the table is on the terminal now."""
        return self._live is not None

    def __enter__(self) -> CellTable:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=self._file, markup=False, highlight=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        if self._last is not None:
            print(self._line(self._last), file=self._file, flush=True)

    def update(self, tally: Tally) -> None:
        """Take note of a finished trial; draws a few times a second."""
        now = time.monotonic()
        self._rate.note(tally, now)
        self._last = tally
        if now - self._drawn >= REDRAWN and self._live is not None:
            self._drawn = now
            self._live.update(self._table(tally), refresh=True)

    def tell(self, line: str) -> None:
        """Print a line above the table."""
        if self._console is not None:
            self._console.print(line)

    def _line(self, tally: Tally) -> str:
        return progress_line(tally, self._plan.trials, self._rate.at(tally, time.monotonic()))

    def _table(self, tally: Tally) -> Table:
        from rich.table import Table

        grid = Table(box=None, caption=self._line(tally), caption_justify="left", pad_edge=False)
        for heading in ("cell", "", "done", "failed"):
            grid.add_column(
                heading, justify="left" if heading in ("cell", "") else "right", no_wrap=True
            )
        assert self._console is not None
        cells, left_out = self._open_ones(tally, max(3, self._console.size.height - SPARE))
        for cell in cells:
            done, total = tally.cells[cell.id], self._plan.counts.get(cell.id, 0)
            full = round(BAR * done / total) if total else BAR
            failed = tally.cells_failed[cell.id]
            grid.add_row(
                visible(_named(cell)), "━" * full + " " * (BAR - full), f"{done:,} of {total:,}",
                f"{failed:,}" if failed else "",
            )  # fmt: skip
        if left_out:
            grid.add_row(f"and {left_out} more", "", "", "")
        return grid

    def _open_ones(self, tally: Tally, most: int) -> tuple[list[Cell], int]:
        """As many cells as there is room for, those first that are not finished; and how many are not shown."""
        cells = list(self._plan.cells)
        if len(cells) > most:
            counts = self._plan.counts
            cells.sort(key=lambda cell: tally.cells[cell.id] >= counts.get(cell.id, 0))
            return cells[:most], len(cells) - most
        return cells, 0


def _named(cell: Cell) -> str:
    parts = [cell.task, cell.model, cell.prompt]
    parts += [cell.shown_condition] * (cell.shown_condition != "none")
    parts += [cell.taken] * (cell.taken != "free")
    return " ".join(parts)
