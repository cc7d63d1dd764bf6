"""Parts of a face, what is read of them, what is covered, and what is covered in their stead."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import ConvexHull

from harness.core.errors import MediaError
from harness.core.marks import Marks
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture, Remembered
from harness.faces import face_at
from harness.faces.points import marks_of as drawn_marks
from harness.media.control import elsewhere
from harness.media.cover import cover, patches_of
from harness.media.marks import marks_of, read_marks, with_notes
from harness.media.parts import (
    PARTS,
    bounds,
    face_box,
    face_unit,
    hull,
    outline_of,
    part_of,
    parts_of,
)

SIZE = (224, 224)
FIVE = ((80.0, 90.0), (144.0, 90.0), (112.0, 125.0), (88.0, 158.0), (136.0, 158.0))


def faces(n: int = 6) -> list[Marks]:
    return [drawn_marks(face_at(i, seed=4, split="test")) for i in range(n)]


def inside(polygon, point) -> bool:
    """Whether a convex polygon holds a point."""
    turns = []
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        turns.append((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax))
    return min(turns) >= -1e-6 or max(turns) <= 1e-6


def test_parts_of_68_points_hold_their_points() -> None:
    ranges = {"eyes": (36, 48), "eyebrows": (17, 27), "nose": (27, 36), "mouth": (48, 60)}
    for marks in faces():
        for name, (first, last) in ranges.items():
            polygons = part_of(marks, name)
            assert all(
                any(inside(polygon, point) for polygon in polygons)
                for point in marks.points[first:last]
            )
        for polygon in part_of(marks, "cheeks"):
            x, y = np.mean(polygon, axis=0)
            assert marks.points[37][1] < y < marks.points[57][1]
            assert inside(outline_of(marks), (x, y))
        (forehead,) = part_of(marks, "forehead")
        assert not any(inside(forehead, point) for point in marks.points)


def test_five_points_stand_for_the_same_face() -> None:
    """Each part of the coarse face meets that of the fine one."""
    for marks in faces():
        p = marks.points
        eyes = [tuple(np.mean(p[a:b], axis=0)) for a, b in ((36, 42), (42, 48))]
        coarse = Marks(points=(*eyes, p[30], p[48], p[54]))
        for name in PARTS:
            fine = part_of(marks, name)
            for polygon, other in zip(part_of(coarse, name), fine, strict=True):
                left, top, right, bottom = bounds(other)
                assert inside(polygon, ((left + right) / 2, (top + bottom) / 2)), name


@settings(max_examples=30, deadline=None)
@given(
    turn=st.floats(-1.2, 1.2), scale=st.floats(0.3, 4), x=st.floats(-50, 500), y=st.floats(-50, 500),
    five=st.booleans(), name=st.sampled_from(PARTS),
)  # fmt: skip
def test_parts_turn_and_grow_with_the_face(turn, scale, x, y, five, name) -> None:
    def moved(points):
        c, s = scale * math.cos(turn), scale * math.sin(turn)
        return tuple((x + c * px - s * py, y + s * px + c * py) for px, py in points)

    points = FIVE if five else faces(1)[0].points
    for before, after in zip(
        part_of(Marks(points=points), name), part_of(Marks(points=moved(points)), name), strict=True
    ):
        expected = {(round(a, 3), round(b, 3)) for a, b in moved(before)}
        for a, b in after:
            assert min(abs(a - p) + abs(b - q) for p, q in expected) < 0.01


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=5, max_size=30))
def test_the_hull_has_an_oracle(points) -> None:
    array = np.array(sorted(set(points)), dtype=float)
    if np.linalg.matrix_rank(array - array[0]) < 2:
        return
    expected = {tuple(array[i]) for i in ConvexHull(array).vertices}
    assert set(hull([tuple(p) for p in array])) == expected


def test_the_order_of_five_points_within_a_pair_does_not_matter() -> None:
    swapped = (FIVE[1], FIVE[0], FIVE[2], FIVE[4], FIVE[3])
    for name in PARTS:
        a, b = (parts_of(Marks(points=p))[name] for p in (FIVE, swapped))
        assert {tuple(np.round(np.mean(x, axis=0), 6)) for x in a} == {
            tuple(np.round(np.mean(x, axis=0), 6)) for x in b
        }


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"face_box": "10 20 30 40"}, Marks(box=(10, 20, 40, 60))),
        ({"face_box": "10, 20; 30, 40"}, Marks(box=(10, 20, 40, 60))),
        ({"face_box": "[10, 20, 30, 40]"}, Marks(box=(10, 20, 40, 60))),
        ({"face_x": 1, "face_y": 2.0, "face_width": "3", "face_height": 4}, Marks(box=(1, 2, 4, 6))),
        ({"face_x": 1, "face_y": 2.0}, Marks()),
        ({"landmarks": "1;2;3;4;5;6;7;8;9;10"}, Marks(((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)))),
        ({"landmarks": "[[1,2],[3,4],[5,6],[7,8],[9,10]]"},
         Marks(((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)))),
        ({"region_eyes": "1 2 3 4 10 2 3 4"}, Marks(regions={"eyes": ((1, 2, 4, 6), (10, 2, 13, 6))})),
    ],
)  # fmt: skip
def test_cells_are_read(cells, said) -> None:
    assert read_marks(cells) == said


@pytest.mark.parametrize(
    "cells",
    [
        {"face_box": "10 20 30"}, {"face_box": "10 20 0 40"}, {"face_box": "a b c d"},
        {"face_box": "nan 1 2 3"}, {"face_box": "1 2 3 inf"}, {"face_box": "[1, 2, true, 4]"},
        {"face_box": "1 2 3 4 5 6 7 8"}, {"face_box": "{}"}, {"face_box": "[" * 5000},
        {"landmarks": "1 2 3"}, {"landmarks": " ".join("1" * 2000)}, {"landmarks": '["<b>", 2]'},
        {"region_mouth": "1 2 3 4 5"}, {"face_box": True},
    ],
)  # fmt: skip
def test_broken_cells_are_told(cells) -> None:
    with pytest.raises(MediaError, match=r"annotation (face_box|landmarks|region_mouth)") as caught:
        read_marks(cells)
    assert caught.value.kind == "corrupt"


def test_only_what_says_where_a_face_lies_is_noted() -> None:
    medium = image(HeldPicture("p", b"x"))
    assert with_notes(medium, {"age": 3, "emotion": "anger"}) is medium
    noted = with_notes(medium, {"age": 3, "face_box": "1 2 3 4", "landmarks": None})
    assert dict(noted.notes) == {"face_box": "1 2 3 4", "landmarks": None}
    assert marks_of(noted, wanted_by="face-crop").box == (1, 2, 4, 6)
    with pytest.raises(
        MediaError, match="the position of the face is not known, which face-crop needs"
    ):
        marks_of(medium, wanted_by="face-crop")
    with pytest.raises(MediaError, match="clip of 0 frames"):
        marks_of(Medium("clip", (), ()), wanted_by="face-crop")


def test_a_picture_that_knows_its_marks_is_asked() -> None:
    class Knowing:
        name = "drawn"

        def read(self) -> bytes:
            return b""

        def marks(self) -> Marks:
            return Marks(box=(0, 0, 5, 5))

    assert marks_of(image(Remembered(Knowing())), wanted_by="x").box == (0, 0, 5, 5)


def test_what_is_not_known_of_a_face() -> None:
    boxed = Marks(box=(10, 10, 60, 90), regions={"mouth": ((20, 70, 50, 85),)})
    assert face_box(boxed) == (10, 10, 60, 90)
    assert face_unit(boxed) == pytest.approx(21)
    assert face_box(Marks(regions=boxed.regions)) == (20, 70, 50, 85)
    assert part_of(boxed, "mouth") == (((20, 70), (50, 70), (50, 85), (20, 85)),)
    with pytest.raises(MediaError, match="the position of the eyes in the face is not known"):
        part_of(boxed, "eyes")
    with pytest.raises(MediaError, match="not known"):
        face_box(Marks())
    tiny = Marks(points=tuple((x / 40, y / 40) for x, y in FIVE))
    with pytest.raises(MediaError, match="too small"):
        part_of(tiny, "eyes")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("five", [False, True])
def test_a_control_is_as_large_and_elsewhere_on_the_face(name, five) -> None:
    for marks in [Marks(points=FIVE)] if five else faces(4):
        own = patches_of(part_of(marks, name), SIZE)
        found = elsewhere(own, marks, SIZE)
        again = elsewhere(own, marks, SIZE)
        assert [(p.left, p.top) for p in found.patches] == [(p.left, p.top) for p in again.patches]
        area, seen = np.zeros((2, *SIZE[::-1]), dtype=int)
        for mine, moved in zip(own, found.patches, strict=True):
            assert np.array_equal(mine.mask, moved.mask)
            for layer, patch in ((area, mine), (seen, moved)):
                left, top, right, bottom = patch.box
                layer[top:bottom, left:right] += patch.mask
        assert not (area.astype(bool) & seen.astype(bool)).any()
        assert seen.max() == 1  # the pieces do not lie on each other
        assert found.on_face
        assert 0 <= found.features < 0.5
        x0, y0, x1, y1 = bounds(outline_of(marks))
        rows, columns = np.nonzero(seen)
        assert x0 - 4 <= columns.min() and columns.max() <= x1 + 4
        assert y0 - 4 <= rows.min() and rows.max() <= y1 + 4


def test_where_the_face_has_no_room_the_control_lies_beyond_it() -> None:
    marks = Marks(box=(60, 60, 100, 100), regions={"mouth": ((62, 62, 98, 98),)})
    own = patches_of(part_of(marks, "mouth"), SIZE)
    found = elsewhere(own, marks, SIZE)
    assert not found.on_face
    tight = Marks(box=(0, 0, 40, 40), regions={"mouth": ((2, 2, 38, 38),)})
    with pytest.raises(MediaError, match="too small to cover"):
        elsewhere(patches_of(part_of(tight, "mouth"), (40, 40)), tight, (40, 40))


def test_a_part_outside_the_picture_is_told() -> None:
    with pytest.raises(MediaError, match="outside the picture of 50x50"):
        patches_of((((60, 60), (70, 60), (70, 70)),), (50, 50))


def test_pixels_outside_a_patch_stay_and_inside_are_filled() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (80, 100, 3)).astype(np.uint8)
    picture = Image.fromarray(pixels)
    (patch,) = patches_of((((20, 30), (60, 30), (40, 60)),), picture.size)
    mask = np.zeros((80, 100), bool)
    left, top, right, bottom = patch.box
    mask[top:bottom, left:right] = patch.mask
    assert patch.pixels == mask.sum()
    for fill in ("occlude", "mean", "blur"):
        done = np.asarray(cover(picture, [patch], fill, unit=20.0))
        assert np.array_equal(done[~mask], pixels[~mask])
        if fill == "occlude":
            assert (done[mask] == 128).all()
        if fill == "mean":
            assert np.abs(done[mask] - pixels[mask].mean(axis=0)).max() <= 0.5
        if fill == "blur":
            assert done[mask].std() < pixels[mask].std() / 3
    assert np.array_equal(np.asarray(picture), pixels)


def test_notes_survive_json() -> None:
    points = [list(p) for p in FIVE]
    assert read_marks({"landmarks": json.dumps(points)}).points == FIVE
