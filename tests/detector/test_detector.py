"""Faces are found in pictures of any size, and what is no face is none. The networks know drawn faces too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import HarnessError
from harness.core.marks import Marks
from harness.core.picture import HeldPicture
from harness.detector import FaceDetector, FoundFace, verdict_on
from harness.detector.blazeface import intersection_over_union
from harness.detector.tflite import TfliteNetwork
from harness.faces import draw, face_at
from harness.faces.points import marks_of
from harness.media.parts import face_box, frame_of
from harness.media.transforms import encode_png

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faces" / "images"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def drawn(index: int, size: int = 224) -> tuple[Image.Image, Marks]:
    face = face_at(index, seed=4, split="test")
    return Image.fromarray(draw(face, size=size).pixels), marks_of(face, size=size)


def overlap(face: FoundFace, truth: Marks) -> float:
    return float(intersection_over_union(np.array(face_box(truth)), np.array([face.box]))[0])


def error(face: FoundFace, truth: Marks) -> float:
    """Mean distance of eyes, nose and mouth, in distances between the eyes."""
    wanted, found = np.array(truth.points[27:60]), np.array(face.points[27:60])
    return float(np.linalg.norm(wanted - found, axis=1).mean()) / frame_of(truth.points).unit


def test_drawn_faces_are_found_where_they_are(detector: FaceDetector) -> None:
    for index in range(10):
        picture, truth = drawn(index)
        (face,) = detector.find(picture)
        assert overlap(face, truth) >= 0.6
        assert error(face, truth) < 0.15
        assert verdict_on([face]) == "found"


@pytest.mark.parametrize("size", [32, 90, 1000])
def test_a_face_is_found_at_any_size(detector: FaceDetector, size: int) -> None:
    picture, truth = drawn(3, size)
    (face,) = detector.find(picture)
    assert overlap(face, truth) >= 0.6 and error(face, truth) < 0.2


@pytest.mark.parametrize("angle", [-30, 20])
def test_a_tilted_face_keeps_its_landmarks(detector: FaceDetector, angle: int) -> None:
    picture, truth = drawn(5)
    grown = Image.new("RGB", (448, 448), (150, 160, 170))
    grown.paste(picture, (112, 112))
    (face,) = detector.find(grown.rotate(angle, fillcolor=(150, 160, 170)))
    turn = np.radians(-angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (np.array(truth.points) + 112 - 224) @ matrix.T + 224
    assert error(face, Marks(tuple(map(tuple, points)))) < 0.15


def test_of_several_faces_the_largest_comes_first(detector: FaceDetector) -> None:
    scene = Image.new("RGB", (640, 360), (120, 130, 140))
    scene.paste(drawn(1, 200)[0], (30, 80))
    scene.paste(drawn(2, 300)[0], (320, 30))
    faces = detector.find(scene)
    assert len(faces) == 2
    assert faces[0].box[0] > 300 > faces[1].box[2]
    assert faces[0].area > faces[1].area


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5000, 2), (1, 4000), (300, 300)])
def test_what_shows_no_face_has_none(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.find(Image.new("RGB", size, (128, 128, 128))) == ()
    assert verdict_on(()) == "none"


def test_equal_pictures_have_equal_faces_and_are_looked_at_once(detector: FaceDetector) -> None:
    data = encode_png(drawn(0)[0])
    first, again = detector.look(HeldPicture("a", data)), detector.look(HeldPicture("b", data))
    assert first is again and first == FaceDetector().find(drawn(0)[0])
    assert detector.marks(HeldPicture("a", data)) == first[0].marks


def test_a_box_without_landmarks_and_a_turned_head_are_said() -> None:
    box, points = (0.0, 0.0, 9.0, 9.0), tuple((float(i), 0.0) for i in range(68))
    assert verdict_on([FoundFace(box, 0.9)]) == "uncertain"
    assert FoundFace(box, 0.9).five == ()
    assert verdict_on([FoundFace(box, 0.9, points, -31.0)]) == "profile"
    assert verdict_on([FoundFace(box, 0.9, points, 29.0)]) == "found"


def test_a_box_without_landmarks_is_not_used_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FaceDetector()
    box = FoundFace((0.0, 0.0, 30.0, 30.0), 0.9)
    monkeypatch.setattr(detector, "find", lambda picture: (box,))
    assert detector.marks(HeldPicture("a", encode_png(drawn(0)[0]))) is None


def test_bytes_that_are_no_network_are_refused() -> None:
    with pytest.raises(HarnessError, match=r"own\.tflite is not a network"):
        TfliteNetwork(b"not a network", name="own.tflite")


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="no photographs here")
def test_photographs_get_boxes(detector: FaceDetector) -> None:
    """`results/benchmarks/marks.md` has the figures over all of them."""
    files = sorted(PHOTOGRAPHS.iterdir())[::5]
    found = [detector.find(Image.open(file).convert("RGB")) for file in files]
    assert sum(map(bool, found)) >= 0.97 * len(files)
    assert sum(verdict_on(faces) in ("found", "profile") for faces in found) >= 0.9 * len(files)
