"""The points that the tower learns to find."""

from __future__ import annotations

import numpy as np

from harness.affect_tiny.training.landmarks import COUNT, mirror_points, points_of
from harness.faces import draw, face_at


def points(index: int) -> np.ndarray:
    face = face_at(index, seed=4000, split="train")
    return np.array(points_of(draw(face, size=112).landmarks, 112), np.float32)


def test_points_lie_in_the_picture_and_in_their_order() -> None:
    for index in range(6):
        found = points(index)
        assert found.shape == (COUNT, 2) and found.min() > 0 and found.max() < 1.1
        right_eye, left_eye, mouth = found[:4].mean(0), found[4:8].mean(0), found[16:26].mean(0)
        assert right_eye[0] < mouth[0] < left_eye[0]  # the subject's right is the picture's left
        assert mouth[1] > max(right_eye[1], left_eye[1])
        assert found[16, 0] < found[17, 0] and found[27, 1] > mouth[1]


def test_mirroring_keeps_the_order_and_undoes_itself() -> None:
    found = np.stack([points(index) for index in range(4)])
    turned = mirror_points(found)
    assert np.allclose(mirror_points(turned), found)
    assert (turned[:, :4, 0].mean(1) < turned[:, 4:8, 0].mean(1)).all()
    assert (turned[:, 16, 0] < turned[:, 17, 0]).all()
    assert np.allclose(np.sort(turned[..., 1]), np.sort(found[..., 1]))
