"""Drawn micro-expressions: neutral, onset, apex, offset, neutral.

A micro-expression lasts at most half a second (Yan, Wu, Liang, Chen & Fu, 2013) and is filmed at
200 frames per second, as CASME II and SAMM were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import cos, pi
from typing import Any

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.face import Face, Split
from harness.faces.prototypes import COARSE, MICRO_7
from harness.faces.sampling import express_micro, face_at, stream
from harness.faces.units import Unit

CLIP_STREAM = 6
LONGEST_MOVEMENT = 0.5
"""Seconds from onset to offset."""
LONGEST_CLIP = 110
"""Frames."""


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """One clip: a face at rest, the units at its apex, and when they come and go."""

    rest: Face
    """The neutral face; it also fixes pose, gaze, light and background of every frame."""
    apex_units: tuple[Unit, ...]
    emotion: str
    onset: int
    """First frame of the movement, counted from 0."""
    apex: int
    offset: int
    """Last frame of the movement."""
    frames: int
    fps: float = ranges.MICRO_FPS

    def __post_init__(self) -> None:
        if not 0 <= self.onset < self.apex < self.offset < self.frames <= LONGEST_CLIP:
            raise HarnessError(
                f"clip of {self.rest.identity.subject}: frames {self.onset}, {self.apex}, "
                f"{self.offset} of {self.frames} are out of order",
                hint=f"keep 0 <= onset < apex < offset < frames <= {LONGEST_CLIP}",
            )
        if (self.offset - self.onset) / self.fps > LONGEST_MOVEMENT:
            raise HarnessError(
                f"clip of {self.rest.identity.subject}: the movement takes "
                f"{(self.offset - self.onset) / self.fps:.2f} s",
                hint=f"keep it within {LONGEST_MOVEMENT} s",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        out = {**asdict(self), "rest": self.rest.to_dict()}
        out["apex_units"] = [dict(u) for u in out["apex_units"]]
        return out


def clip_at(
    index: int, *, seed: int, split: Split = "test", labels: Sequence[str] = MICRO_7
) -> ClipSpec:
    """Clip number `index` of an endless sequence; subjects and labels go round as in `face_at`.

    Raises:
        HarnessError: for a negative index or seed, an unknown split, or a label that is unknown
            or no micro-expression (neutral).
    """
    still = [name for name in labels if name not in COARSE]
    if still:
        raise HarnessError(
            f"labels {still} are not micro-expressions",
            hint=f"use names among {', '.join(MICRO_7)}",
        )
    face = face_at(index, seed=seed, split=split, labels=labels)
    rng = stream(seed, split, CLIP_STREAM, index)
    units = express_micro(face.emotion, face.identity, rng)
    before, after = (int(n) for n in rng.integers(*_whole(ranges.MICRO_REST), 2))
    rise = int(rng.integers(*_whole(ranges.MICRO_RISE)))
    fall = int(rng.integers(*_whole(ranges.MICRO_FALL)))
    return ClipSpec(
        rest=replace(face, units=(), emotion="neutral"),
        apex_units=units,
        emotion=face.emotion,
        onset=before,
        apex=before + rise,
        offset=before + rise + fall,
        frames=before + rise + fall + after + 1,
    )


def _whole(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], span[1] + 1


def strength_at(clip: ClipSpec, frame: int) -> float:
    """Share of the apex movement in a frame, in [0, 1]: half cosines up and down."""
    if frame <= clip.onset or frame >= clip.offset:
        return 0.0
    if frame <= clip.apex:
        share = (frame - clip.onset) / (clip.apex - clip.onset)
    else:
        share = (clip.offset - frame) / (clip.offset - clip.apex)
    return 0.5 - 0.5 * cos(pi * share)


def frame_at(clip: ClipSpec, frame: int) -> Face:
    """The face in one frame: the same person, room and pose, with fresh sensor noise.

    Raises:
        HarnessError: if the frame lies outside the clip.
    """
    if not 0 <= frame < clip.frames:
        raise HarnessError(
            f"frame {frame} lies outside a clip of {clip.frames} frames",
            hint=f"use 0 to {clip.frames - 1}",
        )
    share = strength_at(clip, frame)
    units = tuple(
        Unit(u.number, round(u.left * share, 5), round(u.right * share, 5))
        for u in clip.apex_units
        if share > 0
    )
    return replace(
        clip.rest,
        units=units,
        emotion=clip.emotion if units else "neutral",
        nuisance=replace(clip.rest.nuisance, noise_frame=frame),
    )
