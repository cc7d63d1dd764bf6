"""Cut the trials of a plan: into blocks, whose requests are computed together, or into chunks, to prepare them beside the
requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

from harness.core.message import Audio, Image, Video, Visual
from harness.run.prepare import Prepared

BLOCK = 64
"""Trials of a block: among so many requests, four batches of like lengths are found."""
MOST_TRIALS = 4 * BLOCK
"""Of a block that grows so that the trials of one picture stay together."""
MOST_BYTES = 64 << 20
"""Bytes of pictures with which a block of fewer trials ends: two or three blocks lie in memory."""

CHUNK = 8
"""Samples prepared at a time in the helper thread; one chunk waits while one is sent."""

QUICK = 0.001
"""Seconds: a sample that took less is followed by the next without a thread. Two threads that read small files and
write to sockets lose more to each other, whenever one wants the interpreter back, than the reading takes."""


def in_blocks(samples: Iterator[list[Prepared]]) -> Iterator[list[Prepared]]:
    """The trials in the order of the plan, some `BLOCK` at a time.

    Where a block ends hangs on the trials alone: on their number, and on the bytes of their pictures. The trials of one
    picture are not parted.
    """
    block: list[Prepared] = []
    held = 0
    last: tuple[str, ...] = ()
    for trials in samples:
        seen = tuple(picture.digest for picture in trials[0].pictures)
        full = len(block) >= BLOCK or held >= MOST_BYTES
        if full and (seen != last or not seen or len(block) >= MOST_TRIALS):
            yield block
            block, held, last = [], 0, ()
        if seen != last:
            shown = {one.digest: one for trial in trials for one in trial.pictures}
            held += _bytes_of(list(shown.values()))
        block, last = block + trials, seen
    if block:
        yield block


def next_block(blocks: Iterator[list[Prepared]]) -> list[Prepared]:
    """The trials of the next block; none at the end."""
    return next(blocks, [])


def _bytes_of(pictures: Sequence[Visual]) -> int:
    count = 0
    for one in pictures:
        frames: tuple[Image | Audio, ...] = one.frames if isinstance(one, Video) else (one,)
        count += sum(len(frame.data) for frame in frames)
    return count


@dataclass(frozen=True, slots=True)
class Chunk:
    trials: list[Prepared]
    quick: bool
    """Its samples took less than `QUICK` each."""


def take_chunk(samples: Iterator[list[Prepared]], most: int) -> Chunk:
    """The trials of the next samples; none at the end."""
    start = perf_counter()
    trials = [trial for trials in islice(samples, most) for trial in trials]
    return Chunk(trials, perf_counter() - start < QUICK * most)
