"""`harness data marks`: a side table of face boxes and landmarks, as `source.marks` reads it, from what a detector sees.

One row a sample, in the order of the source. Columns:

    sample        its id
    finding       found, profile, uncertain, none (`harness.detector.face.Verdict`), or unreadable and why
    faces         how many faces were found; the largest one with landmarks is described, else the largest box
    face_box      x y width height, from the forehead to the chin
    landmarks     x y of 68 points (iBUG 300-W)
    five_points   x y of the eyes, the tip of the nose and the corners of the mouth; for other tools, not read here
    yaw           degrees to the right of the picture
    score         the detector's, .5 to 1
    other_faces   boxes of the other faces in the same order
    file          name of the picture's file, where it is one
    marks_of      of a picture, first digits of the file's digest where a face was found, so that marks of a file that has changed
                  since are not used

All in pixels of the upright picture, of a clip its first frame.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.core.errors import MediaError
from harness.core.marks import Box, Point
from harness.core.picture import FilePicture, Picture, Remembered
from harness.core.sample import Sample
from harness.detector import FoundFace, verdict_on
from harness.media.marks import file_digest
from harness.media.video_file import opened

COLUMNS = (
    "sample", "finding", "faces", "face_box", "landmarks", "five_points", "yaw", "score", "other_faces", "file",
    "marks_of",
)  # fmt: skip
_NOTHING = ("",) * (len(COLUMNS) - 5)
UNREADABLE = "unreadable"


class Looking(Protocol):
    """A detector, as this module needs it."""

    def look(self, picture: Picture) -> Sequence[FoundFace]:
        """The faces of a picture, the one to describe first. Raises MediaError."""
        ...


@dataclass(frozen=True, slots=True)
class MarksTable:
    """The file, and what is told of it."""

    text: str
    """CSV; the same samples give the same text."""
    findings: Counter[str]
    """Finding -> samples, without the reasons of `unreadable`."""
    several: int
    """Samples with more than one face."""
    without: tuple[str, ...]
    """Ids of the samples with no box, in order; with the file, where an id does not name it."""


def mark_samples(samples: Iterable[Sample], detector: Looking, *, base: Path) -> MarksTable:
    """Look at every sample. A picture that cannot be read becomes a row that says so. Files are named from the folder
    `base`, those elsewhere by their last part. Raises HarnessError where the detector cannot be used."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    findings: Counter[str] = Counter()
    several = 0
    without: list[str] = []
    for sample in samples:
        digest = ""
        try:
            faces = _seen(sample, detector)
            finding: str = verdict_on(faces)
            cells = _cells(faces)
            if faces and sample.medium.kind == "image":
                digest = file_digest(sample.medium.frames[0])
        except MediaError as error:
            faces, finding = (), UNREADABLE
            cells = [f"{UNREADABLE}: {error.kind}", "0", *_NOTHING]
        file = _file(sample, base)
        writer.writerow([sample.id, *cells, file, digest])
        findings[finding] += 1
        several += len(faces) > 1
        if not faces:
            named = not file or Path(file).name in sample.id
            without.append(sample.id if named else f"{sample.id} ({file})")
    return MarksTable(held.getvalue(), findings, several, tuple(without))


def _file(sample: Sample, base: Path) -> str:
    """The file of the picture or clip; empty where it lies in none."""
    frames = sample.medium.frames
    picture: Picture | None = frames[0] if frames else None
    while isinstance(picture, Remembered):
        picture = picture.origin
    if not isinstance(picture, FilePicture):
        return ""
    path = Path(os.path.normpath(picture.path.absolute()))
    return (
        str(path.relative_to(base.absolute()))
        if path.is_relative_to(base.absolute())
        else path.name
    )


def _seen(sample: Sample, detector: Looking) -> Sequence[FoundFace]:
    frames = opened(sample.medium).frames
    if not frames:
        raise MediaError(f"{sample.id} has no frames", kind="empty")
    return detector.look(frames[0])


def _cells(faces: Sequence[FoundFace]) -> list[str]:
    """All columns but the first and the last two."""
    verdict = verdict_on(faces)
    if not faces:
        return [verdict, "0", *_NOTHING]
    first = faces[0]
    return [
        verdict,
        str(len(faces)),
        _box(first.box),
        _points(first.points),
        _points(first.five),
        "" if first.yaw is None else f"{first.yaw:.1f}",
        f"{first.score:.3f}",
        "; ".join(_box(face.box) for face in faces[1:]),
    ]


def _box(box: Box) -> str:
    left, top, right, bottom = box
    return f"{left:.2f} {top:.2f} {right - left:.2f} {bottom - top:.2f}"


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.2f} {y:.2f}" for x, y in points)
