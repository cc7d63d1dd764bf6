"""From pictures to the inputs of the two networks, and from their outputs to pixels of the picture."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.detector import blazeface, facemesh
from harness.detector.blazeface import Detection, Letterbox, anchors, intersection_over_union
from harness.detector.facemesh import Square
from harness.detector.points68 import FROM_468, points_5, points_68


def test_there_are_896_anchors_two_a_cell_and_six_a_cell() -> None:
    found = anchors()
    assert found.shape == (896, 2)
    assert np.allclose(found[0], 0.5 / 16) and np.allclose(found[1], 0.5 / 16)
    assert np.allclose(found[2], [1.5 / 16, 0.5 / 16])  # x runs before y
    assert np.allclose(found[512:518], 0.5 / 8)


@given(
    st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([0.0, 0.25]), st.integers(0, 895)
)
def test_a_box_is_put_back_where_it_lay(width: int, height: int, border: float, at: int) -> None:
    """An anchor that says "the whole picture" gives the whole picture, whatever its shape."""
    place = Letterbox.around(width, height, border)
    boxes, logits = np.zeros((896, 16)), np.full(896, -9.0)
    logits[at] = 3.0
    x, y = anchors()[at]
    boxes[at, 0] = 128 * ((place.left + width / 2) / place.side - x)
    boxes[at, 1] = 128 * ((place.top + height / 2) / place.side - y)
    boxes[at, 2:4] = 128 * width / place.side, 128 * height / place.side
    (found,) = blazeface.decoded(boxes, logits, place)
    assert np.allclose(found.box, [0, 0, width, height], atol=1e-6 * place.side)
    middle = np.array([x, y]) * place.side - [place.left, place.top]
    assert np.allclose(found.points, middle)
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)))


def test_boxes_of_one_face_are_averaged_by_their_scores_and_others_stay() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], float)
    points = np.repeat(boxes[:, :2], 6, axis=0).reshape(3, 6, 2)
    first, second = blazeface.merged(np.array([0.9, 0.6, 0.7]), boxes, points)
    assert first[0] == 0.9
    assert np.allclose(first[1], [0.4, 0, 10.4, 10])
    assert np.allclose(first[2], [0.4, 0])
    assert second[0] == 0.7 and np.allclose(second[1], boxes[2])


def test_what_is_no_box_or_not_certain_is_dropped() -> None:
    boxes, logits = np.zeros((896, 16)), np.full(896, -0.01)
    logits[:3] = 5.0
    boxes[0, 2:4] = -4.0, 4.0
    boxes[1] = np.nan
    boxes[2, 2:4] = 8.0, 8.0
    assert len(blazeface.decoded(boxes, logits, Letterbox.around(10, 10, 0.0))) == 1


def test_intersection_over_union() -> None:
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 4, 4], [0, 0, 1, 1]], float)
    found = intersection_over_union(others[0], others)
    assert np.allclose(found, [1, 1 / 3, 0, 1 / 4])


@pytest.mark.parametrize(("angle", "side"), [(0, 192), (25, 150), (-40, 96), (90, 410)])
def test_the_mesh_sees_the_square_upright_and_its_points_go_back(angle: float, side: int) -> None:
    """A spot in the picture is seen where its coordinates say, and goes back to where it was."""
    square = Square(260.0, 240.0, side, radians(angle))
    seen_at = np.array([[60.0, 120.0], [140.0, 40.0]])
    spots = square.to_picture(seen_at)
    for spot, own in zip(spots, seen_at, strict=True):
        picture = Image.new("RGB", (520, 480))
        x, y = (round(v) for v in spot)
        radius = max(3, side // 40)
        for dx in range(-radius, radius + 1):
            for dy in range(-radius, radius + 1):
                picture.putpixel((x + dx, y + dy), (255, 255, 255))
        bright = facemesh.network_input(picture, square)[0, :, :, 0]
        rows, columns = np.indices(bright.shape)
        bright = np.where(bright > 0.52, bright, 0)  # not the grey beyond the picture
        middle = [(columns * bright).sum() / bright.sum(), (rows * bright).sum() / bright.sum()]
        assert np.abs(np.array(middle) - own).max() < 2.5


def test_the_square_lies_along_the_eyes() -> None:
    eyes = np.array([[40, 50], [60, 70], [0, 0], [0, 0], [0, 0], [0, 0]], float)
    square = Square.about(Detection(0.9, np.array([20.0, 30.0, 80.0, 110.0]), eyes))
    assert (square.x, square.y, square.side) == (50.0, 70.0, 120.0)
    assert square.angle == pytest.approx(radians(45))


@pytest.mark.parametrize("middle", [(-300.0, -300.0), (0.0, 0.0), (900.0, 5.0)])
def test_a_square_beyond_the_picture_is_grey(middle: tuple[float, float]) -> None:
    seen = facemesh.network_input(Image.new("RGB", (8, 8)), Square(*middle, 40.0, 0.3))
    assert seen.shape == (1, 192, 192, 3)
    assert np.isclose(seen[0, 0, 0], 128 / 255).all()


def test_a_head_turned_to_the_right_of_the_picture_has_positive_yaw() -> None:
    mesh = np.zeros((468, 3))
    mesh[234], mesh[454] = (0, 0, -30), (100, 0, 30)
    assert facemesh.yaw_of(mesh) == pytest.approx(np.degrees(np.arctan(0.6)))
    assert facemesh.yaw_of(mesh * [1, 1, -1]) < 0


def test_68_points_are_68_different_ones_and_give_five() -> None:
    assert len(set(FROM_468)) == 68 and max(FROM_468) < 468
    mesh = np.arange(468 * 3, dtype=float).reshape(468, 3)
    points = points_68(mesh)
    assert points[30] == (3 * 4.0, 3 * 4.0 + 1)
    five = points_5(points)
    assert five[2:] == (points[30], points[48], points[54])
    assert five[0] == pytest.approx(np.mean(points[36:42], axis=0))
