"""Scenes: one drawn person or two on a plain wall, the asked one taking a known share of the picture.

Whoever sees such a scene whole sees a small face in few pixels; a part of it, shown larger, holds the same face as a
picture of its own would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.marks import Marks
from harness.faces.face import Face, Split, plain
from harness.faces.paint import SMALLEST, draw
from harness.faces.points import marks_of
from harness.faces.prototypes import BASIC_7
from harness.faces.sampling import face_at, stream
from harness.faces.sensor import Pixels

SCENE_STREAM = 9
SUFFICES = 0.7
"""Share of the side of a scene from which on the whole picture suffices: below, affect-tiny read less than three in five
(.957 at 1, .562 at .7, .238 at .5, .014 at .25)."""
TWO = 0.45
"""Most share of the side that each of two people takes."""
_TOGETHER = 0.4
"""Probability that a second person is there, where there is room."""

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Placed:
    """One person of a scene; the place is of the square that holds the drawing."""

    face: Face
    x: float
    """Left edge, 0 to 1 of the scene's side."""
    y: float
    """Top edge."""
    share: float
    """Side, 0 to 1 of the scene's."""

    def square(self, size: int) -> tuple[int, int, int]:
        """Left, top and side in pixels of a scene of `size`, within it."""
        side = min(size, max(SMALLEST, round(self.share * size)))
        return min(round(self.x * size), size - side), min(round(self.y * size), size - side), side


@dataclass(frozen=True, slots=True)
class Scene:
    """A wall with people; the first is the one that is asked about."""

    people: tuple[Placed, ...]
    wall: tuple[int, int, int]
    """Its colour."""

    @property
    def asked(self) -> Placed:
        """The person that is asked about."""
        return self.people[0]

    @property
    def side(self) -> Side | None:
        """Where the asked person is beside another one; None where they are alone."""
        if len(self.people) == 1:
            return None
        return "left" if self.asked.x < self.people[1].x else "right"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        people = [
            {"face": p.face.to_dict(), "x": p.x, "y": p.y, "share": p.share} for p in self.people
        ]
        return {"people": people, "wall": plain(self.wall)}


def scene_at(
    index: int,
    *,
    seed: int,
    split: Split = "test",
    labels: Sequence[str] = BASIC_7,
    share: tuple[float, float] = (0.25, 1.0),
) -> Scene:
    """Scene number `index`: the asked face is `face_at(index)`, its share uniform over `share`.

    Raises:
        HarnessError: as `face_at` does, and for shares out of 0.1 to 1 or in the wrong order.
    """
    low, high = share
    if not 0.1 <= low <= high <= 1:
        raise HarnessError(
            f"shares {low:g} to {high:g} of a scene cannot be drawn",
            hint="give two numbers from 0.1 to 1, the lesser first",
        )
    face = face_at(index, seed=seed, split=split, labels=labels)
    rng = stream(seed, split, SCENE_STREAM, index)
    own = float(rng.uniform(low, high))
    wall = tuple(int(level) for level in rng.integers(90, 200, 3))
    together = bool(rng.random() < _TOGETHER) and own <= TWO
    if not together:
        x, y = (float(rng.uniform(0, 1 - own)) for _ in range(2))
        return Scene((Placed(face, x, y, own),), (wall[0], wall[1], wall[2]))
    other = face_at(index + len(labels), seed=seed, split=split, labels=labels)  # the next subject
    beside = float(rng.uniform(max(0.2, own - 0.1), TWO))
    on_left = bool(rng.random() < 0.5)
    halves = (0.0, 0.5) if on_left else (0.5, 0.0)
    people = tuple(
        Placed(
            one,
            half + float(rng.uniform(0, 0.5 - size)),
            float(rng.uniform(0, 1 - size)),
            size,
        )
        for one, half, size in ((face, halves[0], own), (other, halves[1], beside))
    )
    return Scene(people, (wall[0], wall[1], wall[2]))


def draw_scene(scene: Scene, *, size: int) -> Pixels:
    """The picture, (size, size, 3)."""
    import numpy as np

    pixels = np.empty((size, size, 3), dtype=np.uint8)
    pixels[:] = scene.wall
    for person in scene.people:
        left, top, side = person.square(size)
        pixels[top : top + side, left : left + side] = draw(person.face, size=side).pixels
    return pixels


def scene_marks(scene: Scene, *, size: int) -> Marks:
    """Landmarks and box of the person that is asked about, in a picture of `size` pixels. The box leaves a twelfth of the
    square in which the person was drawn on each side."""
    left, top, side = scene.asked.square(size)
    points = tuple((x + left, y + top) for x, y in marks_of(scene.asked.face, size=side).points)
    edge = side / 12
    return Marks(points, (left + edge, top + edge, left + side - edge, top + side - edge))


def scene_question(scene: Scene) -> str:
    """The question about the emotion; it names the person."""
    who = f"the person on the {scene.side}" if scene.side else "the person"
    return f"Which emotion does the face of {who} express?"
