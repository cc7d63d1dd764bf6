"""Embeddings of faces: what they need, and that they tell people apart. Skipped in part where the extra is not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Marks
from harness.detector import FaceDetector
from harness.detector.embedding import (
    SAME_PERSON,
    SIZE,
    FaceEmbedder,
    cosine_between,
    distance_between,
    weights_file,
)
from harness.faces import draw, face_at
from harness.faces.points import marks_of

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faces" / "images"
INSTALLED = all(map(importlib.util.find_spec, ("dlib", "face_recognition_models")))
needs_dlib = pytest.mark.skipif(not INSTALLED, reason="the extra dlib is not installed")


def test_distances_and_cosines() -> None:
    one, other = np.zeros(SIZE), np.zeros(SIZE)
    one[0], other[1] = 3.0, 4.0
    assert distance_between(one, other) == pytest.approx(5.0)
    assert cosine_between(one, other) == 0.0 and cosine_between(one, 2 * one) == pytest.approx(1)
    assert cosine_between(one, np.zeros(SIZE)) == 0.0


def test_a_face_without_68_landmarks_is_refused() -> None:
    picture = Image.new("RGB", (50, 50))
    for marks in (Marks(box=(0, 0, 40, 40)), Marks(points=((1.0, 1.0),) * 5)):
        with pytest.raises(MediaError, match="needs 68 landmarks"):
            FaceEmbedder().embed(picture, marks)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(HarnessError, match="face-recognition-models is not installed") as caught:
        FaceEmbedder().load()
    assert "[dlib]" in caught.value.hint


def test_a_package_without_its_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "face_recognition_models").mkdir()
    (tmp_path / "face_recognition_models" / "__init__.py").write_text("raise ImportError\n")
    spec = importlib.util.spec_from_file_location(
        "face_recognition_models", tmp_path / "face_recognition_models" / "__init__.py",
        submodule_search_locations=[str(tmp_path / "face_recognition_models")],
    )  # fmt: skip
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(HarnessError, match="has no dlib_face_recognition"):
        weights_file()


@needs_dlib
@pytest.mark.slow
def test_equal_faces_have_equal_vectors() -> None:
    embedder = FaceEmbedder()
    face = face_at(0, seed=4, split="test")
    picture, marks = Image.fromarray(draw(face, size=224).pixels), marks_of(face, size=224)
    one, again = (
        embedder.embed(picture, marks),
        FaceEmbedder().embed(picture.convert("RGBA"), marks),
    )
    assert one.shape == (SIZE,) and np.isfinite(one).all() and np.array_equal(one, again)
    other = face_at(1, seed=4, split="test")
    far = embedder.embed(Image.fromarray(draw(other, size=224).pixels), marks_of(other, size=224))
    assert distance_between(one, far) > 0


@needs_dlib
@pytest.mark.slow
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="no photographs here")
def test_one_person_is_told_from_others() -> None:
    """Each photograph beside itself mirrored and darker; `results/benchmarks/marks.md` has more of them."""
    embedder, detector = FaceEmbedder(), FaceDetector()
    vectors = []
    for file in sorted(PHOTOGRAPHS.iterdir())[::25]:
        picture = Image.open(file).convert("RGB")
        changed = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).point(lambda v: v * 7 // 10)
        found = [detector.find(one) for one in (picture, changed)]
        if all(faces and faces[0].points for faces in found):
            vectors.append([embedder.embed(one, faces[0].marks) for one, faces in zip((picture, changed), found, strict=True)])  # fmt: skip
    assert len(vectors) >= 8
    assert all(distance_between(*pair) < SAME_PERSON for pair in vectors)
    others = [distance_between(a[0], b[0]) for n, a in enumerate(vectors) for b in vectors[:n]]
    assert np.mean(np.array(others) > SAME_PERSON) >= 0.9
