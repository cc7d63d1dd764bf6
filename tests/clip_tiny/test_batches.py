"""Moved and mirrored views of training pictures keep their targets true."""

from __future__ import annotations

import numpy as np
import pytest

from harness.clip_tiny.training.architecture import CROP
from harness.clip_tiny.training.batches import EDGE, SWAPPED, Data
from harness.clip_tiny.training.pictures import INNER, STORED, UNITS, Pictures, face_of
from harness.faces import annotate, draw
from harness.faces.points import marks_of

SPOT = 5
"""A landmark that the pictures below mark with one white pixel."""


@pytest.fixture(scope="module")
def data() -> Data:
    """One face twice: a black picture with a white pixel at each place of landmark number `SPOT`."""
    face = face_of(0, 8, seed=2026, split="train")
    marks = np.asarray(marks_of(face, size=STORED).points[INNER:])
    pixels = np.zeros((2, STORED, STORED, 3), np.uint8)
    x, y = (int(value) for value in marks[SPOT])
    pixels[:, y, x] = 255
    own = {unit.number: (unit.left, unit.right) for unit in face.units}
    units = np.asarray([[own.get(number, (0.0, 0.0)) for number in UNITS]] * 2, np.float32)
    points = np.asarray([(np.floor(marks) + 0.5) / STORED] * 2, np.float32)
    truth = annotate(face, draw(face, size=64))
    return Data(Pictures(pixels, units, points, (truth, truth)))


@pytest.mark.parametrize("move", [(0, 0), (4, -3), (-4, 4)])
def test_landmarks_follow_the_picture(data: Data, move: tuple[int, int]) -> None:
    pixels, units, points = data.view([0, 1], np.array([move, move]), np.array([False, True]))
    places = points.reshape(2, len(SWAPPED), 2)
    for row, spot in ((0, SPOT), (1, SWAPPED.index(SPOT))):
        y, x = divmod(int(pixels[row].sum(0).argmax()), CROP)
        found = (places[row, spot] + 0.5) * CROP
        assert found.tolist() == pytest.approx([x + 0.5, y + 0.5], abs=1e-3)
    sides = units.reshape(2, len(UNITS), 2)
    assert sides[1].tolist() == sides[0].flip(1).tolist()
    assert (sides[0, :, 0] != sides[0, :, 1]).any()


def test_mirror_images_of_landmarks_lie_on_the_other_side() -> None:
    assert sorted(SWAPPED) == list(range(len(SWAPPED)))
    assert [SWAPPED[place] for place in SWAPPED] == list(range(len(SWAPPED)))
    frontal = np.asarray(marks_of(face_of(3, 0, seed=2026, split="train"), size=STORED).points)
    turned = frontal[INNER:][SWAPPED]
    middle = frontal[27, 0]
    sides = np.sign(frontal[INNER:, 0] - middle), np.sign(turned[:, 0] - middle)
    far = abs(frontal[INNER:, 0] - middle) > 6
    assert (sides[0] == -sides[1])[far].all()
    assert abs(frontal[INNER:, 1] - turned[:, 1]).max() < 12


def test_the_middle_is_what_the_model_sees_when_it_is_used(data: Data) -> None:
    still = data.view([0], np.zeros((1, 2), int), np.zeros(1, bool))[0]
    assert np.array_equal(still, data.middles([0])) and still.shape == (1, 3, CROP, CROP)
    white = data.pictures.pixels[0, EDGE : EDGE + CROP, EDGE : EDGE + CROP].sum() // (3 * 255)
    assert int((still > 0).all(1).sum()) == white
