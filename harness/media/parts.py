"""The parts of a face as convex polygons, from 68 landmarks, from 5, or from named boxes.

All lengths are in d, the distance between the middles of the eyes; "up" is at a right angle to the line of the eyes.
From 68 points (iBUG 300-W) a part is the hull of its own points, grown; from 5 points it is an ellipse in its usual
place, which is coarser. A named box, where there is one, is the part. The proportions are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

from harness.core.errors import MediaError
from harness.core.marks import Box, Marks, Point

FEATURES = ("eyebrows", "eyes", "nose", "mouth", "teeth")
SKIN = ("cheeks", "forehead")
PARTS = ("eyebrows", "eyes", "forehead", "nose", "cheeks", "mouth", "teeth")
"""Parts of a face that can be covered; `teeth` is what lies between the lips."""
LEAST_DISTANCE = 4.0
"""Pixels between the eyes below which a face is too small to have parts."""

Polygon = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The face's own axes: origin between the eyes, unit d."""

    origin: Point
    right: Point
    """Unit vector along the eyes, to the right of the picture."""
    unit: float

    @classmethod
    def of(cls, left: Point, right: Point, mouth: Point) -> Frame:
        """From the middles of the eyes and of the mouth. Raises MediaError for a face too small."""
        dx, dy = right[0] - left[0], right[1] - left[1]
        unit = hypot(dx, dy)
        if unit < LEAST_DISTANCE:
            raise MediaError(
                f"the eyes are {unit:.1f} pixels apart: the face is too small to have parts",
                kind="unsupported",
                hint="use a larger picture, or correct the landmarks",
            )
        origin = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
        across = (dx / unit, dy / unit)
        down = (mouth[0] - origin[0]) * -across[1] + (mouth[1] - origin[1]) * across[0]
        if down < 0:  # the eyes came right before left
            across = (-across[0], -across[1])
        return cls(origin, across, unit)

    def at(self, x: float, y: float) -> Point:
        """Pixel of a point x to the right and y down, in d."""
        (ox, oy), (rx, ry), u = self.origin, self.right, self.unit
        return (ox + u * (x * rx - y * ry), oy + u * (x * ry + y * rx))

    def local(self, point: Point) -> Point:
        """x to the right and y down of a pixel, in d: the inverse of `at`."""
        (rx, ry), x, y = self.right, point[0] - self.origin[0], point[1] - self.origin[1]
        return ((x * rx + y * ry) / self.unit, (y * rx - x * ry) / self.unit)

    def moved(self, point: Point, x: float, y: float) -> Point:
        """A pixel moved by x to the right and y down, in d."""
        (rx, ry), u = self.right, self.unit
        return (point[0] + u * (x * rx - y * ry), point[1] + u * (x * ry + y * rx))

    def ellipse(self, centre: Point, x: float, y: float) -> Polygon:
        """An ellipse of half axes x and y (in d) about a pixel, as a polygon of 24 corners."""
        turns = (2 * pi * k / 24 for k in range(24))
        return tuple(self.moved(centre, x * cos(t), y * sin(t)) for t in turns)

    def grown(self, points: Sequence[Point], by: float) -> Polygon:
        """The hull of points, grown by so many d on all sides."""
        return hull([corner for point in points for corner in self.ellipse(point, by, by)])


def part_of(marks: Marks, name: str) -> tuple[Polygon, ...]:
    """The polygons of a part, one or one a side. Raises MediaError where the marks do not say where it lies."""
    if name in marks.regions:
        return tuple(map(rectangle, marks.regions[name]))
    if not marks.points:
        known = ", ".join(marks.regions) or "none"
        raise MediaError(
            f"the position of the {name} in the face is not known (known parts: {known})",
            kind="unsupported",
            hint=f"add landmarks, or a column region_{name}",
        )
    made = _FROM_68 if len(marks.points) == 68 else _FROM_5
    return made[name](marks.points, frame_of(marks.points))


def parts_of(marks: Marks) -> dict[str, tuple[Polygon, ...]]:
    """Every part that the marks tell of."""
    return {name: part_of(marks, name) for name in PARTS if marks.points or name in marks.regions}


def outline_of(marks: Marks) -> Polygon:
    """The face from the chin to the middle of the forehead. Raises MediaError where nothing is known."""
    if len(marks.points) == 68:
        frame = frame_of(marks.points)
        return hull([*marks.points[:17], *(frame.moved(p, 0, -0.6) for p in marks.points[17:27])])
    if marks.points:
        frame = frame_of(marks.points)
        return frame.ellipse(_between(frame.origin, middle(marks.points[3:]), 0.3), 1.05, 1.3)
    boxes = [box for some in marks.regions.values() for box in some]
    found = marks.box or bounds([p for box in boxes for p in rectangle(box)])
    return rectangle(found)


def face_box(marks: Marks) -> Box:
    """The face's box: the annotated one, else that around its outline. Raises MediaError."""
    return marks.box or bounds(outline_of(marks))


def face_unit(marks: Marks) -> float:
    """d in pixels; without landmarks .42 of the face's width, as in the average face."""
    if marks.points:
        return frame_of(marks.points).unit
    left, _, right, _ = bounds(outline_of(marks))
    return 0.42 * (right - left)


def frame_of(points: Sequence[Point]) -> Frame:
    """The axes of a face of 68 or 5 landmarks. Raises MediaError for a face too small."""
    if len(points) == 5:
        return Frame.of(points[0], points[1], middle(points[3:]))
    return Frame.of(middle(points[36:42]), middle(points[42:48]), middle(points[48:60]))


def middle(points: Sequence[Point]) -> Point:
    """Mean of points."""
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def bounds(points: Sequence[Point]) -> Box:
    """The box around points. Raises MediaError where there are none."""
    if not points:
        raise MediaError(
            "the position of the face is not known",
            kind="unsupported",
            hint="add landmarks or boxes",
        )
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def rectangle(box: Box) -> Polygon:
    """A box as a polygon."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def hull(points: Sequence[Point]) -> Polygon:
    """The convex hull (Andrew's monotone chain, 1979)."""
    ordered = sorted(set(points))

    def chain(some: Sequence[Point]) -> list[Point]:
        kept: list[Point] = []
        for p in some:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return tuple(ordered) if len(ordered) < 3 else (*chain(ordered), *chain(ordered[::-1]))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


Make = Callable[[Sequence[Point], Frame], tuple[Polygon, ...]]


def _cheeks_68(p: Sequence[Point], f: Frame) -> tuple[Polygon, ...]:
    """A disk a side about the middle of jaw, outer eye corner, corner of the mouth and wing of the nose."""
    sides = ((2, 36, 48, 31), (14, 45, 54, 35))
    return tuple(f.ellipse(middle([p[i] for i in side]), 0.26, 0.26) for side in sides)


def _forehead_68(p: Sequence[Point], f: Frame) -> tuple[Polygon, ...]:
    """Between the outer ends of the brows, from a little over the higher brow upwards."""
    brows = [f.local(b) for b in p[17:27]]
    left, right = min(x for x, _ in brows), max(x for x, _ in brows)
    low = min(y for _, y in brows) - 0.14
    return ((f.at(left, low), f.at(right, low), f.at(right, low - 0.36), f.at(left, low - 0.36)),)


_FROM_68: Mapping[str, Make] = {
    "eyebrows": lambda p, f: (f.grown(p[17:22], 0.08), f.grown(p[22:27], 0.08)),
    "eyes": lambda p, f: (f.grown(p[36:42], 0.12), f.grown(p[42:48], 0.12)),
    "forehead": _forehead_68,
    "nose": lambda p, f: (f.grown(p[27:36], 0.08),),
    "cheeks": _cheeks_68,
    "mouth": lambda p, f: (f.grown(p[48:60], 0.10),),
    "teeth": lambda p, f: (f.grown(p[60:68], 0.02),),
}


def _mouth_5(p: Sequence[Point], f: Frame, grow: float, height: float) -> tuple[Polygon, ...]:
    """The corners, and an ellipse a little below their middle, where an open mouth goes."""
    centre = f.ellipse(f.moved(middle(p[3:]), 0, height / 4), 0.2, height)
    return (hull([*f.grown(p[3:], grow), *centre]),)


def _cheeks_5(p: Sequence[Point], f: Frame) -> tuple[Polygon, ...]:
    """A disk a side between eye and corner of the mouth, moved outwards."""
    found = []
    for place in sorted((middle((p[0], p[3])), middle((p[1], p[4]))), key=f.local):
        outwards = -0.15 if f.local(place)[0] < 0 else 0.15
        found.append(f.ellipse(f.moved(place, outwards, 0), 0.26, 0.26))
    return tuple(found)


_FROM_5: Mapping[str, Make] = {
    "eyebrows": lambda p, f: tuple(f.ellipse(f.moved(e, 0, -0.4), 0.4, 0.17) for e in p[:2]),
    "eyes": lambda p, f: tuple(f.ellipse(e, 0.32, 0.18) for e in p[:2]),
    "forehead": lambda p, f: (f.ellipse(f.at(0, -0.84), 0.75, 0.22),),
    "nose": lambda p, f: (hull([*f.ellipse(p[2], 0.24, 0.16), *f.ellipse(_between(f.origin, p[2], 0.2), 0.1, 0.1)]),),
    "cheeks": _cheeks_5,
    "mouth": lambda p, f: _mouth_5(p, f, 0.12, 0.32),
    "teeth": lambda p, f: _mouth_5(p, f, 0.02, 0.12),
}  # fmt: skip
