"""Intervals of a video, and the matching of predicted and true ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.core.errors import HarnessError

LEAST_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Spot:
    """One interval of a video; both ends belong to it."""

    subject: str
    video: str
    onset: int
    offset: int
    emotion: str

    def __post_init__(self) -> None:
        if self.onset > self.offset:
            raise HarnessError(
                f"{self.subject}, {self.video}: onset {self.onset} is after offset {self.offset}",
                hint="correct the interval: both ends belong to it",
            )


Pair: TypeAlias = "tuple[Spot, Spot]"
"""A predicted interval and the true one it matches."""


def iou(one: Spot, other: Spot) -> float:
    """Intersection over union of two intervals on inclusive frames, 0..1."""
    shared = min(one.offset, other.offset) - max(one.onset, other.onset) + 1
    both = (one.offset - one.onset + 1) + (other.offset - other.onset + 1) - max(shared, 0)
    return max(shared, 0) / both


def matched(predicted: Sequence[Spot], truth: Sequence[Spot]) -> list[Pair]:
    """Pairs of one video, as many as can be, each interval in one at most.

    Augmenting paths, tried in order of overlap, so that of equally many pairs the closer ones are taken
    where one does not cost the other a partner.
    """
    reach: list[list[int]] = []
    best: list[float] = []
    for spot in predicted:
        overlap = {at: iou(spot, true) for at, true in enumerate(truth)}
        near = [at for at, share in overlap.items() if share >= LEAST_IOU]
        reach.append(sorted(near, key=lambda at, known=overlap: (-known[at], at)))  # type: ignore[misc]
        best.append(max((overlap[at] for at in near), default=0.0))
    taken: dict[int, int] = {}
    for ours in sorted(range(len(predicted)), key=lambda ours: (-best[ours], ours)):
        _find_partner(ours, reach, taken)
    return [(predicted[ours], truth[at]) for at, ours in sorted(taken.items())]


def _find_partner(start: int, reach: Sequence[Sequence[int]], taken: dict[int, int]) -> None:
    """Give a predicted interval a true one, moving others on to their next where that frees one."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        ours = waiting.popleft()
        for at in reach[ours]:
            if at in came_from:
                continue
            came_from[at] = ours
            if at in taken:
                waiting.append(taken[at])
                continue
            _move_on(at, start, came_from, taken)
            return


def _move_on(free: int, start: int, came_from: dict[int, int], taken: dict[int, int]) -> None:
    """Walk back from a free true interval, each predicted one taking the one it reached for."""
    at: int | None = free
    while at is not None:
        ours = came_from[at]
        held = next((t for t, who in taken.items() if who == ours), None)
        taken[at] = ours
        at = None if ours == start else held
