"""Find the faces of a picture: boxes, 68 landmarks, and how far the head is turned.

Everything is computed on this machine, from weights shipped here (`weights/NOTICE`). Equal pictures give equal faces on
one machine; on another processor a coordinate may differ in its last digits.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.marks import Box, Marks
from harness.core.picture import Picture
from harness.detector.face import FoundFace
from harness.media.decode import decode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Pixels

    from harness.detector.blazeface import Detection
    from harness.detector.tflite import TfliteNetwork

DETECTOR = "BlazeFace short range and FaceMesh, detector version 1"
"""Its version changes whenever the same picture may get other marks."""
BOXES = "face_detection_short_range.tflite"
MESH = "face_landmark.tflite"
BORDERS = (0.0, 0.25)
"""Shares of the longer side that are added on each side, the second where the first look finds nothing: a face that
fills its picture is found with room around it."""
UPWARDS = 0.25
"""What a detected box (brows to chin) grows upwards, in heights, where no mesh says where the forehead ends."""
_CERTAIN = 0.0
"""Logit of the mesh from which a face is there: .5."""
_HELD = 4096
"""Pictures whose marks are kept."""


def weights_folder() -> Path:
    """Where the two networks lie."""
    return Path(__file__).parent / "weights"


class FaceDetector:
    """Both networks, loaded when they are first used. May be used from several threads."""

    name = DETECTOR

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks: tuple[TfliteNetwork, TfliteNetwork] | None = None
        self._known: dict[str, tuple[FoundFace, ...]] = {}

    def find(self, picture: Pixels) -> tuple[FoundFace, ...]:
        """The faces of an RGB picture: those with landmarks, the largest first, then boxes alone. Faces under about a
        quarter of its longer side are often missed.

        Raises HarnessError where the extra `marks` is not installed.
        """
        boxes, mesh = self._loaded()
        found = [_face(picture, one, mesh) for one in _detections(picture, boxes)]
        seen = [face for face in found if face is not None]
        return tuple(sorted(seen, key=lambda face: (not face.points, -face.area, face.box)))

    def look(self, picture: Picture) -> tuple[FoundFace, ...]:
        """`find`, of an encoded picture; equal bytes are looked at once. Raises MediaError for a picture that cannot be
        read, HarnessError as `find`."""
        data = picture.read()
        key = hashlib.sha256(data).hexdigest()
        faces = self._known.get(key)
        if faces is None:
            faces = self.find(decode(data, name=picture.name))
            with self._lock:
                while len(self._known) >= _HELD:
                    del self._known[next(iter(self._known))]
                self._known[key] = faces
        return faces

    def marks(self, picture: Picture) -> Marks | None:
        """Those of the largest face; None where no face is found with landmarks: a box alone may be no face. Raises as
        `look`."""
        faces = self.look(picture)
        return faces[0].marks if faces and faces[0].points else None

    def load(self) -> None:
        """Bring in the networks, which `find` otherwise does. Raises HarnessError where the extra is not installed."""
        self._loaded()

    def _loaded(self) -> tuple[TfliteNetwork, TfliteNetwork]:
        from harness.detector.tflite import TfliteNetwork

        with self._lock:
            if self._networks is None:
                first, second = (
                    TfliteNetwork((weights_folder() / name).read_bytes(), name=name)
                    for name in (BOXES, MESH)
                )
                self._networks = (first, second)
            return self._networks


def _detections(picture: Pixels, network: TfliteNetwork) -> list[Detection]:
    from harness.detector import blazeface

    for border in BORDERS:
        place = blazeface.Letterbox.around(picture.width, picture.height, border)
        boxes, logits = network(blazeface.network_input(picture, place))
        found = blazeface.decoded(boxes[0].astype(float), logits[0, :, 0].astype(float), place)
        if found:
            return found
    return []


def _face(picture: Pixels, found: Detection, network: TfliteNetwork) -> FoundFace | None:
    """With the landmarks where they are certain; None for a box beyond the picture."""
    from harness.detector import facemesh
    from harness.detector.points68 import points_68

    square = facemesh.Square.about(found)
    numbers, logit = network(facemesh.network_input(picture, square))
    if not float(logit.reshape(-1)[0]) >= _CERTAIN:
        left, top, right, bottom = map(float, found.box)
        box = _within(picture, (left, top - UPWARDS * (bottom - top), right, bottom))
        return None if box is None else FoundFace(box, found.score)
    mesh = facemesh.decoded(numbers, square)
    box = _within(picture, _bounds(mesh))
    if box is None:
        return None
    return FoundFace(box, found.score, points_68(mesh.tolist()), facemesh.yaw_of(mesh))


def _bounds(mesh: NDArray[np.float64]) -> Box:
    (left, top), (right, bottom) = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _within(picture: Pixels, box: Box) -> Box | None:
    """The part of a box inside the picture; None for less than a pixel."""
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(picture.width), box[2]), min(float(picture.height), box[3])
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else None
