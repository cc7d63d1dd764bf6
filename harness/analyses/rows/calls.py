"""How a cell uses its tools: how often it calls, whether it had to, where it looks, and what calls changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.analyses.rows.tools import SAMPLES_LEAST, Trials, rounded, share_of
from harness.core.marks import Box
from harness.core.tool import VALID

SUFFICES = "suffices"
"""The annotation that is read: `yes` where the whole picture is enough without a tool, else `no`."""
ANNOTATED, HINDSIGHT = "annotation", "hindsight"
"""How it is known that a call is needed: the sample says so, or the same prompt asked once was wrong."""


def use_row(
    trials: Trials,
    *,
    look: Trials | None = None,
    suffices: Mapping[str, bool] | None = None,
    regions: Mapping[str, Box] | None = None,
) -> dict[str, Any]:
    """Counts over the trials of a cell, and accuracy with and without calls.

    Args:
        trials: those of the cell.
        look: the same prompt asked once, without tools.
        suffices: sample -> whether its picture is enough without a tool, where that is known.
        regions: sample -> where the answer is to be seen, in shares of the picture.
    """
    every = list(trials.values())
    statuses = Counter(str(call[3]) for one in every for call in one.own_calls)
    named = Counter(str(call[1]) for one in every for call in one.own_calls if call[1])
    made = statuses.total()
    calling = {key for key, one in trials.items() if any(c[3] in VALID for c in one.own_calls)}
    found: dict[str, Any] = {
        "trials": len(every),
        "calls": made,
        "calls_a_trial": rounded(made / len(every)) if every else None,
        "calling": share_of([key in calling for key in trials]),
        "valid": rounded(sum(statuses[status] for status in VALID) / made) if made else None,
        "statuses": dict(sorted(statuses.items())),
        "tools": dict(sorted(named.items())),
        "at_limit": sum(one.limited for one in every),
        "right_with_calls": share_of([one.right for key, one in trials.items() if key in calling]),
        "right_without_calls": share_of(
            [one.right for key, one in trials.items() if key not in calling]
        ),
        **dict(_need(trials, calling, look, suffices or {})),
    }
    if look is not None:
        found["look_with_calls"] = share_of([look[k].right for k in calling if k in look])
        found["flips"] = flips(trials, look)
    overlaps = list(_overlaps(trials, regions or {}))
    if overlaps:
        enough = len(overlaps) >= SAMPLES_LEAST
        mean = rounded(float(np.mean(overlaps))) if enough else None
        found["overlap"] = {"n": len(overlaps), "value": mean}
    return found


def flips(trials: Trials, look: Trials) -> dict[str, int]:
    """Of the trials that both have: how many were wrong at one look and are right, and the reverse."""
    shared = [key for key in trials if key in look]
    return {
        "wrong_to_right": sum(trials[k].right and not look[k].right for k in shared),
        "right_to_wrong": sum(look[k].right and not trials[k].right for k in shared),
        "n": len(shared),
    }


def _need(
    trials: Trials, calling: set[str], look: Trials | None, suffices: Mapping[str, bool]
) -> Iterator[tuple[str, Any]]:
    """Of the trials that need a call, the share that made one; of the others, the share that made one all the same."""
    known = {key: suffices[one.sample] for key, one in trials.items() if one.sample in suffices}
    by = ANNOTATED
    if not known and look is not None:
        known, by = {key: look[key].right for key in trials if key in look}, HINDSIGHT
    if known:
        yield "needed_by", by
        yield (
            "needed_made",
            share_of([key in calling for key, enough in known.items() if not enough]),
        )
        yield "unnecessary", share_of([key in calling for key, enough in known.items() if enough])


def _overlaps(trials: Trials, regions: Mapping[str, Box]) -> Iterator[float]:
    """Of each valid call with a box, its overlap with the true region."""
    for one in trials.values():
        region = regions.get(one.sample)
        for call in one.own_calls if region else ():
            box = _box(str(call[2])) if call[3] in VALID else None
            if box is not None and region is not None:
                yield overlap(box, region)


def _box(arguments: str) -> Box | None:
    """The argument `box` of a call; None where it has none, or its record was cut."""
    try:
        found = json.loads(arguments).get("box")
    except (ValueError, AttributeError):
        return None
    if not isinstance(found, list) or len(found) != 4:
        return None
    if any(isinstance(side, bool) or not isinstance(side, int | float) for side in found):
        return None
    left, top, right, bottom = map(float, found)
    return left, top, right, bottom


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    whole = _area(one) + _area(other) - shared
    return min(1.0, shared / whole) if whole > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
