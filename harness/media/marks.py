"""Read the position of the face from annotations with known names.

Names of annotations, in any table, set or side table; pixels of the upright picture, of a clip of every frame:

    face_box                x y width height
    face_x, face_y, face_width, face_height
                            the same in four columns (AffectNet)
    landmarks, facial_landmarks
                            x y of 68 points (iBUG 300-W, 0 the jaw's left end in the picture) or of 5 points
                            (eye, eye, tip of the nose, corner of the mouth, corner of the mouth)
    marks_of                `sha256:` and 16 hex digits of it over the picture's file, as `harness data marks` writes it
                            (spreadsheets would take digits alone for a number): marks of a file that has changed since
                            are refused
    region_NAME             x y width height of a part of the face; several boxes one after the other. NAME is
                            one of eyebrows, eyes, forehead, nose, cheeks, mouth, teeth

Numbers stand apart by blanks, commas or semicolons, or are a JSON list (nested or not).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace

from harness.core.errors import MediaError
from harness.core.marks import Box, Marked, Marks, Point
from harness.core.medium import Medium
from harness.core.picture import FilePicture, Picture, Remembered

BOX = "face_box"
BOX_PARTS = ("face_x", "face_y", "face_width", "face_height")
POINTS = ("landmarks", "facial_landmarks")
REGION = "region_"
FILE = "marks_of"
_NAMES = frozenset({BOX, *BOX_PARTS, *POINTS, FILE})
_BETWEEN = re.compile(r"[\s,;|]+")
_MOST_NUMBERS = 1000


def is_mark(name: str) -> bool:
    """Whether an annotation of this name says where a face lies."""
    return name in _NAMES or name.startswith(REGION)


def with_notes(
    medium: Medium, annotations: Mapping[str, str | float | int | bool | None]
) -> Medium:
    """The medium with those of a sample's annotations that say where its face lies; itself where none does."""
    found = tuple((k, annotations[k]) for k in annotations if is_mark(k))
    return replace(medium, notes=found) if found else medium


def marks_of(medium: Medium, *, wanted_by: str) -> Marks:
    """Where the face lies: from the medium's annotations, else from the first frame, where it was drawn, else as the
    medium's finder sees the first frame.

    Raises MediaError: `unsupported` where nothing is known, `corrupt` where a cell or a picture cannot be read or the
    picture is another one than that of the annotations.
    """
    known = {name: cell for name, cell in medium.notes if cell not in (None, "")}
    digest = known.pop(FILE, None)
    if known:
        _refuse_changed(medium, digest)
        return read_marks(known)
    for frame in medium.frames[:1]:
        origin = frame.origin if isinstance(frame, Remembered) else frame
        if isinstance(origin, Marked):
            return origin.marks()
    name = medium.frames[0].name if medium.frames else "a clip of 0 frames"
    if medium.finder is not None and medium.frames:
        found = medium.finder.marks(medium.frames[0])
        if found is not None:
            return found
        raise MediaError(
            f"{name}: no face was found, which {wanted_by} needs",
            kind="unsupported",
            hint=f"look at the picture; a column {BOX} or {POINTS[0]} says where its face lies",
        )
    raise MediaError(
        f"{name}: the position of the face is not known, which {wanted_by} needs",
        kind="unsupported",
        hint=f"add a column {BOX} or {POINTS[0]}, name a table with one in source.marks, or let the detector look: "
        "source.marks=auto",
    )


def knows_face(medium: Medium) -> bool:
    """Whether the medium's annotations say where its face lies."""
    return says_face(dict(medium.notes))


def says_face(notes: Mapping[str, object]) -> bool:
    """Whether annotations that are marks say where a face lies."""
    return any(name != FILE and cell not in (None, "") for name, cell in notes.items())


def file_digest(picture: Picture) -> str:
    """What `marks_of` holds of a picture in a file; empty for any other. Raises MediaError."""
    origin = picture.origin if isinstance(picture, Remembered) else picture
    if not isinstance(origin, FilePicture):
        return ""
    return f"sha256:{hashlib.sha256(picture.read()).hexdigest()[:16]}"


def _refuse_changed(medium: Medium, digest: object) -> None:
    if digest is None or medium.kind != "image" or not medium.frames:
        return
    found = file_digest(medium.frames[0])
    if found and found != str(digest):
        raise MediaError(
            f"{medium.frames[0].name}: its marks are of another picture: the file has changed since they were made",
            kind="corrupt",
            hint="make the table anew: harness data marks TASK --out FILE",
        )


def read_marks(cells: Mapping[str, object]) -> Marks:
    """Marks from annotations under their stated names. Raises MediaError (`corrupt`) naming the annotation."""
    points: tuple[Point, ...] = ()
    for name in POINTS:
        if name in cells:
            points = _points(numbers(cells[name], name), name)
    box: Box | None = None
    if BOX in cells:
        (box,) = _boxes(numbers(cells[BOX], BOX), BOX, most=1)
    elif all(part in cells for part in BOX_PARTS):
        four = [numbers(cells[part], part)[:1] for part in BOX_PARTS]
        (box,) = _boxes([n for one in four for n in one], BOX_PARTS[0], most=1)
    regions = {
        name.removeprefix(REGION): _boxes(numbers(cell, name), name)
        for name, cell in cells.items()
        if name.startswith(REGION)
    }
    return Marks(points, box, regions)


def numbers(cell: object, name: str) -> list[float]:
    """The numbers of a cell. Raises MediaError (`corrupt`) where it holds anything else."""
    try:
        if isinstance(cell, str):
            text = cell.strip()
            found = _flat(json.loads(text)) if text.startswith("[") else _split(text)
        else:
            found = _flat(cell)
    except (ValueError, TypeError, RecursionError):
        raise _broken(name, "it is not a list of numbers") from None
    if not found or len(found) > _MOST_NUMBERS or not all(map(math.isfinite, found)):
        raise _broken(name, f"it has {len(found)} numbers, or one that is not finite")
    return found


def _split(text: str) -> list[float]:
    return [float(part) for part in _BETWEEN.split(text) if part]


def _flat(value: object) -> list[float]:
    if isinstance(value, list | tuple):
        return [number for item in value for number in _flat(item)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return [float(value)]


def _points(found: list[float], name: str) -> tuple[Point, ...]:
    if len(found) not in {10, 136}:
        raise _broken(name, f"it has {len(found)} numbers; 68 points need 136, 5 points need 10")
    return tuple(zip(found[::2], found[1::2], strict=True))


def _boxes(found: list[float], name: str, most: int = 4) -> tuple[Box, ...]:
    if len(found) % 4 or not 4 <= len(found) <= 4 * most:
        raise _broken(name, f"it has {len(found)} numbers; a box needs four: x, y, width, height")
    boxes = [found[i : i + 4] for i in range(0, len(found), 4)]
    if any(width <= 0 or height <= 0 for _, _, width, height in boxes):
        raise _broken(name, "a box has zero width or height")
    return tuple((x, y, x + width, y + height) for x, y, width, height in boxes)


def _broken(name: str, why: str) -> MediaError:
    return MediaError(
        f"the annotation {name} cannot be read: {why}",
        kind="corrupt",
        hint="correct the cell; harness.media.marks documents its format",
    )
