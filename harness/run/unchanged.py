"""Passing over trials that are finished and whose samples have not changed since."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition
from harness.core.cell import Cell, trial_id
from harness.core.sample import Sample
from harness.run.folder import RunFolder
from harness.run.left_open import left_open
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask
from harness.run.stamps import Stamps, stamp_of
from harness.run.tally import Tally

AT_ONCE = 256
"""Samples that are passed over before others get a turn."""


class Unchanged:
    """Says which trials of a model need not be rendered. Told apart are only cells that show a sample by itself: no
    few-shot examples, no tools, no mixtures, no enhancement by an endpoint."""

    def __init__(
        self,
        stamps: Stamps,
        plan: Plan,
        bases: Mapping[str, Sequence[str]],
        *,
        together: bool,
        folder: RunFolder,
    ) -> None:
        """`folder` holds the plan's samples, `bases` are those of each cell by its id. `together`: the trials of a block are
        computed together, so that one is passed over only where all are."""
        self._stamps, self._plan, self._bases = stamps, plan, bases
        self._together, self._folder = together, folder
        self._alone = {
            cell.id
            for cell in plan.cells
            if not cell.shots and not cell.tools and not plan.enhancers
            and not mixes(load_condition(cell.condition))
        }  # fmt: skip
        self._passed: deque[tuple[str, int]] = deque()
        """(cell id, trials) that were passed over and are not counted yet; filled in one thread, emptied in another."""

    def open_samples(self, planned: PlannedTask, cells: Sequence[Cell]) -> frozenset[str] | None:
        """The ids of the samples of which anything is left, where most are passed over and the samples file tells; those
        passed over are counted. None: all have to be looked at."""
        record = planned.record
        if record is None or not record.bare or self._together:
            return None
        fields = tuple(planned.task.fields)
        asking = [c for c in cells if self._plan.prompts[c.prompt].head.fills(fields)]
        if not asking or any(cell.id not in self._alone for cell in asking):
            return None
        left = left_open(
            self._folder.samples(planned.task.name),
            [(cell, self._bases[cell.id]) for cell in asking],
            self._stamps,
            repeats=self._plan.repeats, count=record.count, now=time.time(),
        )  # fmt: skip
        if left is not None:
            over = (record.count - len(left)) * self._plan.repeats
            self._passed.extend((cell.id, over) for cell in asking)
        return left

    def left(
        self, samples: Iterable[tuple[Sample, int, Sequence[Cell]]]
    ) -> Iterator[tuple[Sample, int, Sequence[Cell], bytes | None]]:
        """Each sample with its block, the cells in which it has to be put, and its stamp."""
        key = (lambda one: one[1]) if self._together else id  # each by itself, or all of a block
        for _, group in groupby(samples, key=key):
            some = [(one, stamp_of(one[0], now=time.time())) for one in group]
            held = [
                [cell for cell in cells if self._holds(cell, sample, stamp)]
                for (sample, _, cells), stamp in some
            ]
            if self._together and any(
                len(cells) < len(one[2]) for (one, _), cells in zip(some, held, strict=True)
            ):
                held = [[] for _ in some]
            for ((sample, block, asked), stamp), over in zip(some, held, strict=True):
                self._passed.extend((cell.id, self._plan.repeats) for cell in over)
                left = [cell for cell in asked if cell not in over] if over else asked
                yield sample, block, left, stamp

    def _holds(self, cell: Cell, sample: Sample, stamp: bytes | None) -> bool:
        return (
            stamp is not None
            and cell.id in self._alone
            and all(
                self._stamps.holds(trial_id(cell, sample.id, repeat), self._bases[cell.id], stamp)
                for repeat in range(self._plan.repeats)
            )
        )

    def note(self, trial: str, cell: Cell, stamp: bytes | None) -> None:
        """Note that a trial was finished, and on which stamp of its sample."""
        if stamp is not None and cell.id in self._alone:
            self._stamps.put(trial, self._bases[cell.id], stamp)

    def count(self, tally: Tally) -> bool:
        """Count what was passed over since the last time: its replies are found in the journal. False where nothing was."""
        before = tally.trials
        while self._passed:
            cell, trials = self._passed.popleft()
            tally.trials += trials
            tally.cells[cell] += trials
            tally.reused += trials * self._plan.requests.get(cell, 1)
        return tally.trials > before
