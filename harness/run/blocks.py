"""Cut the trials of a plan: into blocks, whose requests are computed together, or into chunks, to prepare them beside the
requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from time import perf_counter

from harness.run.prepare import Prepared

CHUNK = 8
"""Samples prepared at a time in the helper thread; one chunk waits while one is sent."""

QUICK = 0.001
"""Seconds: a sample that took less is followed by the next without a thread. Two threads that read small files and
write to sockets lose more to each other, whenever one wants the interpreter back, than the reading takes."""


def in_blocks(samples: Iterator[list[Prepared]], *, least: int = 0) -> Iterator[list[Prepared]]:
    """The trials of each block, in the order of the plan; as many blocks together as have `least` trials."""
    found: list[Prepared] = []
    for _, group in groupby(filter(None, samples), key=lambda trials: trials[0].block):
        found += [trial for trials in group for trial in trials]
        if len(found) >= least:
            yield found
            found = []
    if found:
        yield found


def next_block(blocks: Iterator[list[Prepared]]) -> list[Prepared]:
    """The trials of the next block; none at the end."""
    return next(blocks, [])


@dataclass(frozen=True, slots=True)
class Chunk:
    trials: list[Prepared]
    ended: bool
    """There are no more samples."""
    quick: bool
    """Its samples took less than `QUICK` each."""


def take_chunk(samples: Iterator[list[Prepared]], most: int) -> Chunk:
    """The trials of the next samples; none at the end, and where samples were passed over."""
    start = perf_counter()
    taken = list(islice(samples, most))
    trials = [trial for trials in taken for trial in trials]
    return Chunk(trials, not taken, perf_counter() - start < QUICK * most)
