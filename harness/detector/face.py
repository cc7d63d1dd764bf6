"""What the detector says of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.core.marks import Box, Marks, Point
from harness.detector.points68 import points_5

Verdict: TypeAlias = Literal["found", "profile", "uncertain", "none"]
"""found: a box and landmarks. profile: the same, of a head turned by more than `PROFILE`, where landmarks are coarse.
uncertain: a box only, since the second network sees no face in it. none: no face."""

PROFILE = 30.0
"""Degrees of yaw, as the mesh measures it."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face, in pixels of the upright picture."""

    box: Box
    """From the forehead to the chin; cut at the picture's edges."""
    score: float
    """The detector's, .5 to 1."""
    points: tuple[Point, ...] = ()
    """68 landmarks in the order of iBUG 300-W; none where they are not certain. May lie beyond the picture."""
    yaw: float | None = None
    """Degrees, positive to the right of the picture; None without landmarks."""

    @property
    def five(self) -> tuple[Point, ...]:
        """Eyes, tip of the nose, corners of the mouth; none without landmarks."""
        return points_5(self.points) if self.points else ()

    @property
    def marks(self) -> Marks:
        """As conditions and tools take it."""
        return Marks(points=self.points, box=self.box)

    @property
    def area(self) -> float:
        """Of the box, in pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def verdict_on(faces: Sequence[FoundFace]) -> Verdict:
    """What is said of a picture, by its first face."""
    if not faces:
        return "none"
    first = faces[0]
    if not first.points:
        return "uncertain"
    return "profile" if first.yaw is not None and abs(first.yaw) > PROFILE else "found"
