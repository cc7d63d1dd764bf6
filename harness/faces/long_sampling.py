"""Sample long videos by number: times of expressions, blinks, glances and head turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.face import Face, Pose, Split
from harness.faces.long import (
    LONGEST_MICRO,
    LONGEST_VIDEO,
    Blink,
    Event,
    EventKind,
    Glance,
    LongSpec,
    Turn,
)
from harness.faces.prototypes import COARSE, MICRO_7
from harness.faces.sampling import (
    express_macro,
    express_micro,
    identity_at,
    sample_nuisance,
    sample_pose,
    sample_teeth,
    stream,
)

LONG_STREAM = 7


def long_at(
    index: int,
    *,
    seed: int,
    split: Split = "test",
    labels: Sequence[str] = MICRO_7,
    seconds: tuple[float, float] = ranges.LONG_SECONDS,
    fps: float = ranges.LONG_FPS,
) -> LongSpec:
    """Long video number `index` of an endless sequence; a subject has `ranges.LONG_VIDEOS`.

    Args:
        labels: emotions of the events, each event's drawn on its own.
        seconds: least and greatest length.
        fps: frames per second, 20 or more, so that a micro-expression has frames enough.

    Raises:
        HarnessError: for a negative index or seed, an unknown split or label, seconds outside
            5 to 60, or fps below 20.
    """
    low, high = seconds
    if not 5.0 <= low <= high <= LONGEST_VIDEO or fps < 20:
        raise HarnessError(
            f"a long video of {low} to {high} s at {fps} frames per second cannot be drawn",
            hint=f"ask for 5 to {LONGEST_VIDEO:.0f} s and 20 frames per second or more",
        )
    unknown = [name for name in labels if name not in COARSE]
    if unknown or not labels:
        raise HarnessError(
            f"labels {list(labels)} cannot be drawn as events",
            hint=f"use names among {', '.join(MICRO_7)}",
        )
    rng = stream(seed, split, LONG_STREAM, index)
    identity = identity_at(index // ranges.LONG_VIDEOS, seed=seed, split=split)
    pose, teeth = sample_pose(rng), sample_teeth(rng)
    rest = Face(identity=identity, pose=pose, teeth=teeth, nuisance=sample_nuisance(rng))
    frames = int(rng.uniform(low, high) * fps)
    return LongSpec(
        rest=rest,
        events=_events(rng, rest, tuple(labels), frames, fps),
        blinks=_blinks(rng, frames, fps),
        glances=_glances(rng, frames, fps),
        turns=_turns(rng, pose, frames, fps),
        frames=frames,
        fps=fps,
    )


def _events(
    rng: np.random.Generator, rest: Face, labels: tuple[str, ...], frames: int, fps: float
) -> tuple[Event, ...]:
    """Two events or more, with what rest is left shared out at random around them."""
    most = min(ranges.LONG_EVENTS_MOST, 2 + int(frames / fps / ranges.LONG_EVENTS_EACH))
    wanted = int(rng.integers(2, most + 1))
    micro = rng.random(wanted) < ranges.LONG_MICRO_SHARE
    spans = [_span(rng, small=bool(m), fps=fps) for m in micro]
    gap = round(ranges.LONG_REST * fps)
    # The longest macro-expressions give way where they would leave too little rest.
    while (len(spans) + 1) * gap + sum(spans) > 0.75 * frames:
        at = int(np.argmax(spans))
        spans[at] = max(int(0.6 * spans[at]), int(LONGEST_MICRO * fps) + 2)
        if spans[at] == int(LONGEST_MICRO * fps) + 2 and max(spans) == spans[at]:
            break
    spare = frames - (len(spans) + 1) * gap - sum(spans) - len(spans) - 1
    shares = rng.dirichlet(np.full(len(spans) + 1, 2.0))
    rests = gap + np.floor(shares * max(0, spare)).astype(int)
    found, at = [], 0
    for small, span, before in zip(micro.tolist(), spans, rests[:-1].tolist(), strict=True):
        at += before
        found.append(_event(rng, rest, labels, at, span, small=small))
        at += span + 1
    return tuple(found)


def _span(rng: np.random.Generator, *, small: bool, fps: float) -> int:
    """Frames from onset to offset."""
    low, high = ranges.LONG_MICRO if small else ranges.LONG_MACRO
    return max(4, int(rng.uniform(low, high) * fps))


def _event(
    rng: np.random.Generator,
    rest: Face,
    labels: tuple[str, ...],
    onset: int,
    span: int,
    *,
    small: bool,
) -> Event:
    emotion = labels[int(rng.integers(len(labels)))]
    express = express_micro if small else express_macro
    units = express(emotion, rest.identity, rng)
    if small:
        apex = onset + int(np.clip(round(span * rng.uniform(0.35, 0.6)), 1, span - 1))
        release = apex
    else:
        apex = onset + max(2, round(span * rng.uniform(0.2, 0.35)))
        release = min(onset + span - 2, max(apex, onset + round(span * rng.uniform(0.5, 0.75))))
    kind: EventKind = "micro-expression" if small else "macro-expression"
    return Event(kind, emotion, units, onset, apex, release, onset + span)


def _times(rng: np.random.Generator, frames: int, fps: float, every: ranges.Range) -> list[int]:
    """Frames after random waits, the first wait anywhere up to a whole one."""
    found, at = [], rng.uniform(0.2, every[1])
    while at * fps < frames - 1:
        found.append(int(at * fps))
        at += rng.uniform(*every)
    return found


def _blinks(rng: np.random.Generator, frames: int, fps: float) -> tuple[Blink, ...]:
    starts = _times(rng, frames, fps, ranges.BLINK_EVERY)
    lengths = [max(4, int(rng.uniform(*ranges.BLINK_LENGTH) * fps)) for _ in starts]
    return tuple(
        Blink(a, a + n) for a, n in zip(starts, lengths, strict=True) if a + n < frames - 1
    )


def _glances(rng: np.random.Generator, frames: int, fps: float) -> tuple[Glance, ...]:
    """To the side or upwards and back to the camera, in turn."""
    found = [Glance(0, (0.0, 0.0))]
    for number, frame in enumerate(_times(rng, frames, fps, ranges.GLANCE_EVERY)):
        reach = 0.1 if number % 2 else 0.9
        x, y = rng.uniform(-reach, reach, 2)
        found.append(Glance(frame, (round(float(x), 3), round(float(y), 3))))
    return tuple(found)


def _turns(rng: np.random.Generator, base: Pose, frames: int, fps: float) -> tuple[Turn, ...]:
    found = [Turn(0, base)]
    for frame in _times(rng, frames, fps, ranges.TURN_EVERY):
        limit = ranges.POSE_LIMIT
        moved = {
            name: round(
                getattr(base, name) + float(np.clip(rng.normal(), -limit, limit)) * spread, 3
            )
            for name, spread in ranges.TURN.items()
        }
        if frame > found[-1].frame:
            found.append(Turn(frame, Pose(**moved)))
    return tuple(found)
