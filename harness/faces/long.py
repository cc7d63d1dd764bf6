"""Drawn long videos: micro- and macro-expressions between rest, with blinks, glances and turns.

A micro-expression lasts at most half a second, a macro-expression half a second to four (after
Ekman, 2003; Yan, Wu, Liang, Chen & Fu, 2013). Frames are drawn when they are asked for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import cos, pi
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.face import Face, Pose, plain
from harness.faces.units import Unit

LONGEST_MICRO, LONGEST_MACRO, LONGEST_VIDEO = 0.5, 4.0, 60.0
"""Seconds: from onset to offset, and of a whole video."""

EventKind = Literal["micro-expression", "macro-expression"]


@dataclass(frozen=True, slots=True)
class Event:
    """One expression of a long video; frames count from 0."""

    kind: EventKind
    emotion: str
    units: tuple[Unit, ...]
    """Units at the apex."""
    onset: int
    """First frame of the movement."""
    apex: int
    """First frame of full strength."""
    release: int
    """Last frame of full strength."""
    offset: int
    """Last frame of the movement."""


@dataclass(frozen=True, slots=True)
class Blink:
    """Both lids fall and rise again; no expression."""

    onset: int
    offset: int


@dataclass(frozen=True, slots=True)
class Glance:
    """The gaze rests here from a frame on, until the next glance."""

    frame: int
    gaze: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """The head has this pose in a frame, and moves smoothly to the next turn's."""

    frame: int
    pose: Pose


@dataclass(frozen=True, slots=True)
class LongSpec:
    """One long video."""

    rest: Face
    """The neutral face; it fixes person, room and light of every frame."""
    events: tuple[Event, ...]
    """In order; they never overlap."""
    blinks: tuple[Blink, ...]
    glances: tuple[Glance, ...]
    turns: tuple[Turn, ...]
    frames: int
    fps: float = ranges.LONG_FPS

    def __post_init__(self) -> None:
        name = self.rest.identity.subject
        if not 0 < self.frames <= LONGEST_VIDEO * self.fps:
            raise HarnessError(
                f"long video of {name}: {self.frames} frames at {self.fps} per second",
                hint=f"keep it within {LONGEST_VIDEO:.0f} s",
            )
        free = 0
        for event in self.events:
            order = free <= event.onset < event.apex <= event.release < event.offset
            if not order or event.offset >= self.frames:
                raise HarnessError(
                    f"long video of {name}: the event at frame {event.onset} is out of order",
                    hint="keep onset < apex <= release < offset, and events apart",
                )
            seconds = (event.offset - event.onset) / self.fps
            micro = event.kind == "micro-expression"
            if (seconds > LONGEST_MICRO) if micro else not LONGEST_MICRO < seconds <= LONGEST_MACRO:
                raise HarnessError(
                    f"long video of {name}: a {event.kind} takes {seconds:.2f} s",
                    hint=f"micro: up to {LONGEST_MICRO} s; macro: over that, to {LONGEST_MACRO} s",
                )
            free = event.offset + 1

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(plain(asdict(self)))


def event_at(spec: LongSpec, frame: int) -> tuple[Event, float] | None:
    """The event under way in a frame and its strength in (0, 1]; half cosines up and down."""
    for event in spec.events:
        if not event.onset < frame < event.offset:
            continue
        if frame < event.apex:
            share = (frame - event.onset) / (event.apex - event.onset)
        elif frame <= event.release:
            share = 1.0
        else:
            share = (event.offset - frame) / (event.offset - event.release)
        return event, 0.5 - 0.5 * cos(pi * share)
    return None


def blink_at(spec: LongSpec, frame: int) -> float:
    """How far a blink has closed the lids, in [0, 1]."""
    for blink in spec.blinks:
        if blink.onset < frame < blink.offset:
            share = (frame - blink.onset) / (blink.offset - blink.onset)
            return min(1.0, 1.6 * (share / 0.4 if share < 0.4 else (1 - share) / 0.6))
    return 0.0


def pose_at(spec: LongSpec, frame: int) -> Pose:
    """Pose of the head, by half cosines from turn to turn."""
    before = [t for t in spec.turns if t.frame <= frame][-1]
    after = next((t for t in spec.turns if t.frame > frame), before)
    if after is before:
        return before.pose
    share = 0.5 - 0.5 * cos(pi * (frame - before.frame) / (after.frame - before.frame))
    return Pose(
        **{
            name: round(
                (1 - share) * getattr(before.pose, name) + share * getattr(after.pose, name), 4
            )
            for name in ("yaw", "pitch", "roll")
        }
    )


def long_frame_at(spec: LongSpec, frame: int) -> Face:
    """The face in one frame, with fresh sensor noise; its emotion is the event's, else neutral.

    Raises:
        HarnessError: if the frame lies outside the video.
    """
    if not 0 <= frame < spec.frames:
        raise HarnessError(
            f"frame {frame} lies outside a video of {spec.frames} frames",
            hint=f"use 0 to {spec.frames - 1}",
        )
    found = event_at(spec, frame)
    units: dict[int, Unit] = {}
    if found is not None:
        event, strength = found
        for u in event.units:
            left, right = round(u.left * strength, 5), round(u.right * strength, 5)
            units[u.number] = Unit(u.number, left, right)
    lids = round(blink_at(spec, frame), 5)
    if lids > 0:
        now = units.get(43, Unit(43, 0.0, 0.0))
        units[43] = Unit(43, max(now.left, lids), max(now.right, lids))
    return replace(
        spec.rest,
        units=tuple(units[n] for n in sorted(units)),
        pose=pose_at(spec, frame),
        gaze=[g for g in spec.glances if g.frame <= frame][-1].gaze,
        emotion=found[0].emotion if found is not None else "neutral",
        nuisance=replace(spec.rest.nuisance, noise_frame=frame),
    )
