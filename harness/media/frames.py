"""Frame policies: which frames of a clip are shown.

Exact by frame number: micro-expression clips last a fraction of a second and are never sampled by
time. A policy never repeats a frame and never shows more frames than the clip has.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from harness.core.errors import HarnessError
from harness.core.medium import Medium

Policy: TypeAlias = Callable[[Medium], Medium]
"""Keeps some frames of a clip; leaves a single picture alone."""

POLICIES = ("all", "apex", "onset-apex-offset", "uniform-N")
"""The policies there are; N is a number from 1."""

_UNIFORM = re.compile(r"uniform-([1-9][0-9]{0,3})", re.ASCII)


def parse_policy(text: str) -> Policy:
    """The policy of that name. Raises HarnessError naming the policies there are.

    - `all`: every frame.
    - `apex`: the apex frame alone.
    - `onset-apex-offset`: those three, in order of time, fewer where they coincide.
    - `uniform-N`: N frames evenly spaced from the first to the last, both included (the middle one
      for N = 1); all frames of a clip that has no more than N.

    Where the apex is not annotated, the frame half-way from onset to offset stands in; for onset and
    offset, the first and the last frame. Each stand-in is added to the medium's `changes`.
    """
    if text == "all":
        return _all
    if text == "apex":
        return _apex
    if text == "onset-apex-offset":
        return _onset_apex_offset
    match = _UNIFORM.fullmatch(text)
    if match:
        return _uniform(int(match[1]))
    raise HarnessError(
        f"no frame policy is called {text!r}",
        mend=f"choose one of: {', '.join(POLICIES)} (such as uniform-8)",
    )


def _all(medium: Medium) -> Medium:
    return medium


def _apex(medium: Medium) -> Medium:
    if not _is_clip(medium):
        return medium
    place, notes = _apex_place(medium)
    return _keep(medium, [place], "apex", notes)


def _onset_apex_offset(medium: Medium) -> Medium:
    if not _is_clip(medium):
        return medium
    apex, notes = _apex_place(medium)
    onset, onset_notes = _place(medium, "onset", medium.onset, medium.indices[0])
    offset, offset_notes = _place(medium, "offset", medium.offset, medium.indices[-1])
    notes = [*onset_notes, *notes, *offset_notes]
    return _keep(medium, sorted({onset, apex, offset}), "onset-apex-offset", notes)


def _uniform(count: int) -> Policy:
    def policy(medium: Medium) -> Medium:
        if not _is_clip(medium):
            return medium
        return _keep(medium, uniform_places(len(medium.frames), count), f"uniform-{count}", [])

    return policy


def uniform_places(length: int, count: int) -> list[int]:
    """`count` distinct positions in range(length), evenly spaced with both ends; all if fewer."""
    if length <= count:
        return list(range(length))
    if count == 1:
        return [(length - 1) // 2]
    gaps = count - 1
    return [(2 * i * (length - 1) + gaps) // (2 * gaps) for i in range(count)]


def _is_clip(medium: Medium) -> bool:
    return medium.kind == "clip" and len(medium.frames) > 0


def _keep(medium: Medium, places: Sequence[int], name: str, notes: Sequence[str]) -> Medium:
    return replace(
        medium,
        frames=tuple(medium.frames[place] for place in places),
        indices=tuple(medium.indices[place] for place in places),
        changes=(*medium.changes, f"frames-{name}", *notes),
    )


def _apex_place(medium: Medium) -> tuple[int, list[str]]:
    if medium.apex is not None:
        return _place(medium, "apex", medium.apex, 0)
    first = medium.indices[0] if medium.onset is None else medium.onset
    last = medium.indices[-1] if medium.offset is None else medium.offset
    return _nearest(medium.indices, (first + last) // 2), ["apex-unknown-middle-shown"]


def _place(medium: Medium, what: str, number: int | None, otherwise: int) -> tuple[int, list[str]]:
    """Where in `frames` the annotated frame stands, and a note where another stands in."""
    if number is None:
        edge = "first" if what == "onset" else "last"
        return _nearest(medium.indices, otherwise), [f"{what}-unknown-{edge}-shown"]
    place = _nearest(medium.indices, number)
    if medium.indices[place] == number:
        return place, []
    return place, [f"{what}-{number}-absent-{medium.indices[place]}-shown"]


def _nearest(indices: Sequence[int], number: int) -> int:
    """The position of the frame nearest to a frame number; the earlier of two as near."""
    after = bisect_left(indices, number)
    candidates = [place for place in (after - 1, after) if 0 <= place < len(indices)]
    return min(candidates, key=lambda place: abs(indices[place] - number))
