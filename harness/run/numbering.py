"""Which block of the plan a sample belongs to, and which shard of a run.

A block is what a model that computes in batches is given together (`harness.run.waves`). Where blocks end follows from
the samples and cells alone, without a look at any picture: so it is the same in each start, on each machine and in
each shard of a run. The samples of one picture or clip are not parted.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.medium import Medium

BLOCK = 64
"""Trials of a block: among so many requests, four batches of like lengths are found."""
MOST_TRIALS = 4 * BLOCK
"""Of a block that grows so that the samples of one picture stay together."""
MOST_FRAMES = 512
"""Frames of clips with which a block of fewer trials ends: two or three blocks lie in memory."""
OF_ONE = 32
"""The most frames that are counted of one clip: few conditions show more."""


class Numbering:
    """Numbers samples as they come, in the order of the plan."""

    def __init__(self) -> None:
        self._block = self._trials = self._frames = 0
        self._last: tuple[str, ...] = ()

    def block(self, medium: Medium, trials: int) -> int:
        """The block of the next sample, counted from 0."""
        names = tuple(frame.name for frame in medium.frames)
        full = self._trials >= BLOCK or self._frames >= MOST_FRAMES
        if full and (names != self._last or self._trials >= MOST_TRIALS):
            self._block, self._trials, self._frames = self._block + 1, 0, 0
        if names != self._last:
            self._frames += min(len(names), OF_ONE)
        self._last = names
        self._trials += trials
        return self._block


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of a run, each of which has every so-manieth block."""

    number: int
    """From 1."""
    count: int

    def has(self, block: int) -> bool:
        """Whether a block belongs to it."""
        return block % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def read_shard(text: str) -> Shard:
    """What `--shard` says: `2/8`. Raises HarnessError."""
    number, mark, count = text.partition("/")
    if not (mark and number.isdecimal() and count.isdecimal()) or not (
        1 <= int(number) <= int(count) <= 100_000
    ):
        raise HarnessError(
            f"--shard {text}: no shard", hint="write I/N, from 1/N to N/N, such as --shard 2/8"
        )
    return Shard(int(number), int(count))
