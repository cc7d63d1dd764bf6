"""Compare two runs or two cells in a background thread; results are cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.compare import Report, Side, compare, run_side
from harness.compare.tables import Block, blocks
from harness.core.errors import HarnessError
from harness.run.folder import RunFolder

HELD = 32
"""Comparisons kept, the latest."""


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two: a whole run, or one cell of it."""

    folder: RunFolder
    called: str
    cell: str = ""
    """Id of the cell; empty for the whole run."""
    prompt: str = ""
    """The prompt of the cell, which tells an earlier version from the one that stands."""

    @property
    def stamp(self) -> tuple[str, str, str, int, int]:
        """What a result depends on: another stamp, another comparison."""
        sizes = [
            path.stat().st_mtime_ns if path.is_file() else 0
            for path in (self.folder.trials, self.folder.manifest)
        ]
        return (str(self.folder.path), self.cell, self.prompt, sizes[0], sizes[1])

    def side(self) -> Side:
        """The run, or the one cell of it. Raises HarnessError."""
        found = replace(run_side(self.folder), label=self.called)
        if not self.cell:
            return found
        cells = [
            entry
            for entry in found.manifest["cells"]
            if entry["id"] == self.cell and entry["prompt"] == self.prompt
        ]
        if not cells:
            raise HarnessError(f"{self.called} has no such cell", hint="load the page again")
        return replace(found, manifest={**found.manifest, "cells": cells})


@dataclass(slots=True)
class Work:
    """One comparison: under way, done or failed."""

    done: int = 0
    """Pairs that are compared."""
    of: int = 0
    result: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """What the page is told: `blocks`, an `error` with its `hint`, or how far it is."""
        return self.result or {"pairs": self.done, "of": self.of}


class Comparisons:
    """One is made at a time. Threads are daemons: the command ends without waiting for them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Work] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, a: Half, b: Half, *, unlike: bool) -> Work:
        """The comparison, begun where it is not there. Ask again for how far it is."""
        key = (a.stamp, b.stamp, unlike)
        work = self._kept.get(key)
        if work is None:
            work = self._kept[key] = Work()
            while len(self._kept) > HELD:
                self._kept.popitem(last=False)
            threading.Thread(
                target=self._make, args=(work, a, b), kwargs={"unlike": unlike}, daemon=True
            ).start()
        return work

    def _make(self, work: Work, a: Half, b: Half, *, unlike: bool) -> None:
        def on_pair(done: int, of: int) -> None:
            work.done, work.of = done, of

        try:
            with self._turn:
                work.result = _compared(a, b, unlike=unlike, on_pair=on_pair)
        finally:
            if work.result is None:  # what went wrong is told where the command runs
                work.result = {"error": "the comparison failed; the terminal says why", "hint": ""}


def _compared(
    a: Half, b: Half, *, unlike: bool, on_pair: Callable[[int, int], None]
) -> dict[str, Any]:
    try:
        sides = [a.side(), b.side()]
        if sides[0].exported != sides[1].exported:
            raise HarnessError(
                "a run and an export cannot be compared here: their samples have other names",
                hint="harness compare RUN EXPORT does that on the command line",
            )
        report = compare(sides, unlike=unlike, on_pair=on_pair)
        return {"blocks": [asdict(block) for block in _ordered(report)]}
    except HarnessError as error:
        return {"error": error.message, "hint": error.hint or ""}


def _ordered(report: Report) -> Iterator[Block]:
    """The ranking first, then the pairs across the two, or all pairs where there are none."""
    across = tuple(one for one in report.comparisons if one.a.side != one.b.side)
    yield from blocks(replace(report, comparisons=(), factors=(), notes=()))
    yield from blocks(replace(report, comparisons=across or report.comparisons, ranks=()))
