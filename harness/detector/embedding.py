"""Face embeddings by dlib (extra `dlib`): is it the same person in two pictures?

    embedder = FaceEmbedder()
    marks = FaceDetector().marks(picture)
    vector = embedder.embed(open_picture(picture), marks)
    distance_between(vector, other) < SAME_PERSON

The network is dlib's ResNet of 2017, 128 numbers a face, whose weights come with the package face-recognition-models. Of
the landmarks of that package, whose training data forbid commercial use, nothing is used: the face is aligned by five of
our own 68 points. It was trained on photographs, and says little of drawn faces.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, MediaError, missing_extra
from harness.core.marks import Marks
from harness.media.parts import face_box

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Vector = NDArray[np.float64]
EXTRA = "dlib"
SIZE = 128
SAME_PERSON = 0.6
"""Distance under which dlib takes two photographs to show one person; its own figure, of LFW."""
EMBEDDER = "dlib ResNet 2017, aligned by FaceMesh, version 1"
"""Its version changes whenever the same picture and marks may get another vector."""
_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_PACKAGE = "face_recognition_models"
_ALIGNED_BY = (45, 42, 36, 39, 33)
"""Of the 68 landmarks: outer and inner corner of the one eye, of the other, below the nose, as dlib orders its five."""


class FaceEmbedder:
    """The network, loaded when it is first used. May be used from several threads; calls wait for each other."""

    name = EMBEDDER

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Bring in the network, which `embed` otherwise does. Raises HarnessError where the extra is not installed."""
        with self._lock:
            self._network()

    def embed(self, picture: Pixels, marks: Marks) -> Vector:
        """(128,) of the marked face of an RGB picture; not scaled to a length, which is about 1.4.

        Raises MediaError (`unsupported`) where the marks have no 68 landmarks, HarnessError where the extra is not
        installed.
        """
        if len(marks.points) != 68:
            raise MediaError(
                f"an embedding needs 68 landmarks of the face, and {len(marks.points)} are known",
                kind="unsupported",
                hint="let the detector look: harness data marks, or source.marks=auto",
            )
        with self._lock:
            dlib, network = self._network()
            points = dlib.points([dlib.point(*map(round, marks.points[i])) for i in _ALIGNED_BY])
            box = dlib.rectangle(*map(round, face_box(marks)))
            shape = dlib.full_object_detection(box, points)
            pixels = np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8))
            found: Vector = np.array(network.compute_face_descriptor(pixels, shape), np.float64)
        return found

    def _network(self) -> tuple[Any, Any]:
        if self._loaded is None:
            weights = weights_file()
            try:
                import dlib
            except ImportError:
                raise missing_extra("dlib-bin", EXTRA) from None
            self._loaded = (dlib, dlib.face_recognition_model_v1(str(weights)))
        return self._loaded


def weights_file() -> Path:
    """The network's file in the installed package, which is not imported: it asks for an old setuptools.

    Raises HarnessError where it is not there.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise missing_extra("face-recognition-models", EXTRA)
    file = Path(found.submodule_search_locations[0]) / "models" / _FILE
    if not file.is_file():
        raise HarnessError(
            f"{_PACKAGE} has no {_FILE}", hint="install face-recognition-models 0.3.0 again"
        )
    return file


def distance_between(one: Vector, other: Vector) -> float:
    """Euclidean, 0 and up; compare with `SAME_PERSON`."""
    return float(np.linalg.norm(np.asarray(one) - np.asarray(other)))


def cosine_between(one: Vector, other: Vector) -> float:
    """-1 to 1; of two photographs of different people mostly above .7: use it to rank, not as a probability."""
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(np.dot(one, other)) / lengths if lengths else 0.0
