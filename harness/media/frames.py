"""Frame policies: which frames of a clip are shown.

Exact by frame number: micro-expression clips last a fraction of a second and are never sampled by
time. A policy never repeats a frame and never shows more frames than the clip has.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.media.apex import METHOD, find_apex

Policy: TypeAlias = Callable[[Medium], Medium]
"""Keeps some frames of a clip; leaves a single picture alone."""

POLICIES = ("all", "apex", "onset-apex-offset", "uniform-N", "around-apex-N")
"""The policies there are; N is a number from 1."""

_NUMBERED = re.compile(r"(uniform|around-apex)-([1-9][0-9]{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moments:
    """Where onset, apex and offset stand among a clip's frames."""

    onset: int
    apex: int
    offset: int
    """Places from 0, not frame numbers."""
    notes: tuple[str, ...]
    """What stood in for what, as `changes` record it."""


def parse_policy(text: str) -> Policy:
    """The policy of that name. Raises HarnessError naming the policies there are.

    - `all`: every frame.
    - `apex`: the apex frame alone.
    - `onset-apex-offset`: those three, in order of time, fewer where they coincide.
    - `uniform-N`: N frames evenly spaced from the first to the last, both included (the middle one
      for N = 1); all frames of a clip that has no more than N.
    - `around-apex-N`: the apex and up to N frames on each side of it.

    Where the apex is not annotated, or lies outside the clip, it is found by `harness.media.apex`,
    which reads the frames between onset and offset; for onset and offset, the first and the last
    frame stand in. Each stand-in is added to the medium's `changes`. A policy raises MediaError for
    a clip without frames, and where the apex must be found and a frame cannot be read.
    """
    if text == "all":
        return _all
    if text == "apex":
        return _apex
    if text == "onset-apex-offset":
        return _onset_apex_offset
    match = _NUMBERED.fullmatch(text)
    if match:
        return (_uniform if match[1] == "uniform" else _around_apex)(int(match[2]))
    raise HarnessError(
        f"unknown frame policy {text!r}",
        hint=f"choose one of: {', '.join(POLICIES)} (such as uniform-8)",
    )


def moments(medium: Medium) -> Moments:
    """Onset, apex and offset of a clip, annotated or stood in for. Raises MediaError; see `parse_policy`."""
    need_frames(medium)
    onset, onset_notes = _edge(medium, "onset", medium.onset, 0)
    offset, offset_notes = _edge(medium, "offset", medium.offset, len(medium.frames) - 1)
    apex, apex_notes = _apex_place(medium, min(onset, offset), max(onset, offset))
    return Moments(onset, apex, offset, (*onset_notes, *apex_notes, *offset_notes))


def need_frames(medium: Medium) -> None:
    """Raises MediaError for a clip of no frames."""
    if not medium.frames:
        raise MediaError(
            "a clip of 0 frames",
            kind="empty",
            hint="check source.frames and source.root",
        )


def _all(medium: Medium) -> Medium:
    need_frames(medium)
    return medium


def _apex(medium: Medium) -> Medium:
    if medium.kind != "clip":
        return medium
    found = moments(medium)
    notes = [note for note in found.notes if note.startswith("apex")]
    return keep(medium, [found.apex], "apex", notes)


def _onset_apex_offset(medium: Medium) -> Medium:
    if medium.kind != "clip":
        return medium
    found = moments(medium)
    places = sorted({found.onset, found.apex, found.offset})
    return keep(medium, places, "onset-apex-offset", found.notes)


def _uniform(count: int) -> Policy:
    def policy(medium: Medium) -> Medium:
        if medium.kind != "clip":
            return medium
        need_frames(medium)
        return keep(medium, uniform_places(len(medium.frames), count), f"uniform-{count}", [])

    return policy


def _around_apex(reach: int) -> Policy:
    def policy(medium: Medium) -> Medium:
        if medium.kind != "clip":
            return medium
        found = moments(medium)
        first, last = max(0, found.apex - reach), min(len(medium.frames) - 1, found.apex + reach)
        notes = [note for note in found.notes if note.startswith("apex")]
        return keep(medium, range(first, last + 1), f"around-apex-{reach}", notes)

    return policy


def uniform_places(length: int, count: int) -> list[int]:
    """`count` distinct positions in range(length), evenly spaced with both ends; all if fewer."""
    if length <= count:
        return list(range(length))
    if count == 1:
        return [(length - 1) // 2]
    gaps = count - 1
    return [(2 * i * (length - 1) + gaps) // (2 * gaps) for i in range(count)]


def keep(medium: Medium, places: Sequence[int], name: str, notes: Sequence[str]) -> Medium:
    """The frames at these places; `frames-NAME` and the notes are added to `changes`."""
    return replace(
        medium,
        frames=tuple(medium.frames[place] for place in places),
        indices=tuple(medium.indices[place] for place in places),
        changes=(*medium.changes, f"frames-{name}", *notes),
    )


def _apex_place(medium: Medium, first: int, last: int) -> tuple[int, list[str]]:
    numbers, annotated = medium.indices, medium.apex
    if annotated is not None and numbers[0] <= annotated <= numbers[-1]:
        return _nearest_noted(medium, "apex", annotated)
    place = first + find_apex(medium.frames[first : last + 1])
    why = "unknown" if annotated is None else f"{annotated}-outside-the-clip"
    return place, [f"apex-{why}-{numbers[place]}-found-by-{METHOD}"]


def _edge(medium: Medium, what: str, number: int | None, place: int) -> tuple[int, list[str]]:
    """Where in `frames` the onset or offset stands; `place` where it is not annotated."""
    if number is None:
        return place, [f"{what}-unknown-{'first' if what == 'onset' else 'last'}-shown"]
    return _nearest_noted(medium, what, number)


def _nearest_noted(medium: Medium, what: str, number: int) -> tuple[int, list[str]]:
    place = _nearest(medium.indices, number)
    if medium.indices[place] == number:
        return place, []
    return place, [f"{what}-{number}-absent-{medium.indices[place]}-shown"]


def _nearest(indices: Sequence[int], number: int) -> int:
    """The position of the frame nearest to a frame number; the earlier of two as near."""
    after = bisect_left(indices, number)
    candidates = [place for place in (after - 1, after) if 0 <= place < len(indices)]
    return min(candidates, key=lambda place: abs(indices[place] - number))
