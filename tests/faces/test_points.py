"""The 68 landmarks of drawn faces lie where the features are drawn."""

from __future__ import annotations

import numpy as np

from harness.faces import draw, face_at
from harness.faces.points import marks_of


def test_landmarks_lie_on_what_is_drawn() -> None:
    for index in range(3):
        face = face_at(index, seed=11, split="test")
        drawn = draw(face, size=64).landmarks
        points = np.array(marks_of(face, size=64).points)
        assert points.shape == (68, 2)
        for name, span in {
            "right_eye": slice(36, 42), "left_eye": slice(42, 48), "right_brow": slice(17, 22),
            "left_brow": slice(22, 27), "mouth": slice(48, 60), "inner_mouth": slice(60, 68),
        }.items():  # fmt: skip
            curve = np.array(drawn[name])
            far = np.abs(points[span][:, None] - curve[None]).sum(axis=2).min(axis=1)
            assert far.max() < 0.1, name
            low, high = curve.min(axis=0), curve.max(axis=0)
            assert (points[span].min(axis=0) < low + 2.5).all()
            assert (points[span].max(axis=0) > high - 2.5).all()


def test_landmarks_come_in_the_order_of_ibug() -> None:
    points = np.array(marks_of(face_at(0, seed=3, split="test")).points)
    assert (np.diff(points[2:15, 0]) > 0).all()  # the jaw from left to right
    assert points[:17, 1].argmax() in {7, 8, 9}
    assert (np.diff(points[17:22, 0]) > 0).all() and (np.diff(points[22:27, 0]) > 0).all()
    assert (np.diff(points[27:31, 1]) > 0).all()
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]
    assert points[37, 1] <= points[41, 1] and points[43, 1] <= points[47, 1]
    assert points[48, 0] < points[51, 0] < points[54, 0]
    assert points[51, 1] < points[57, 1] and points[62, 1] <= points[66, 1]
