"""Turn cells that name pictures or frames into handles. Folders are listed; no picture is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError, MediaError
from harness.core.picture import FilePicture, HeldPicture, Picture, refuse_exhausted
from harness.media.decode import IMAGE_SUFFIXES
from harness.media.headers import is_picture
from harness.media.video_file import VideoFile, is_video_name
from harness.sources.cells import is_blank, plain
from harness.sources.encoded import EncodedPicture, is_encoded
from harness.sources.places import Unusable, place_of

Numbering = Literal["from-zero", "from-one", "file-names"]
"""How a table counts the frames of a clip."""

_PLACE = re.compile(r"\{([^{}]+)\}")
_DIGITS = re.compile(r"([0-9]+)")
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class NoFrames:
    """Stands for a clip whose frames were not there when its table was read."""

    name: str

    def read(self) -> bytes:
        raise MediaError(
            f"no frames found for {self.name}",
            kind="missing",
            hint="check source.frames and media.root; relative paths start at the table, or at media.root",
        )


@dataclass(frozen=True, slots=True)
class MediaCell:
    """Where a row says its media lie: a column, or a pattern such as `clips/{subject}/{clip}`."""

    text: str
    is_pattern: bool

    def of(self, cells: Mapping[str, Any]) -> Any:
        """The cell, or the pattern filled from the row; None where any part is blank."""
        if not self.is_pattern:
            return cells.get(self.text)
        parts = _PLACE.findall(self.text)
        if any(is_blank(cells.get(name)) for name in parts):
            return None
        return _PLACE.sub(lambda match: plain(cells[match[1]]), self.text)


def cell_for(text: str, columns: Sequence[str]) -> MediaCell | None:
    """A column by name, else a pattern whose every name is a column, else None."""
    if text in columns:
        return MediaCell(text, is_pattern=False)
    names = _PLACE.findall(text)
    if names and all(name in columns for name in names):
        return MediaCell(text, is_pattern=True)
    return None


def picture_of(
    cell: Any, *, root: Path, name: str, where: str, inside: Sequence[str] = ()
) -> Picture:
    """One picture from a path, encoded bytes, base64 or a data URI, or a {bytes, path} pair as Hugging Face writes it.

    Relative paths start at `root`, or at its folder `images`, where many tables keep their pictures; see
    `harness.sources.places` for `inside`. `name` is what people call a picture that has no path.
    Raises HarnessError for a cell of another kind, and for a path outside.
    """
    if isinstance(cell, bytes):
        return HeldPicture(name, cell)
    if not isinstance(cell, str) and isinstance(cell, Mapping):
        data, path = cell.get("bytes"), cell.get("path")
        if isinstance(data, bytes):
            return HeldPicture(name, data)
        cell = path
    if isinstance(cell, str) and cell.strip():
        if is_encoded(cell):
            return EncodedPicture(name, cell)
        place = place_of(cell.strip(), root, inside, where)
        return FilePicture(place) if isinstance(place, str) else place
    if isinstance(cell, Picture):
        return cell
    raise HarnessError(
        f"{where}: a {type(cell).__name__} is not a picture name",
        hint="use a path, or encoded bytes",
    )


def frames_of(
    cell: Any, *, root: Path, name: str, where: str, inside: Sequence[str] = ()
) -> tuple[Picture, ...]:
    """The frames of a clip in order of time.

    A list gives one picture each, as does text separated by `;`; a video file is one handle that is opened when it is
    shown; a folder gives its pictures, a glob what it matches, both in natural order (`img9` before `img10`). Where nothing is found, one
    handle that fails when it is read.
    """

    def one(part: Any, called: str) -> Picture:
        return picture_of(part, root=root, name=called, where=where, inside=inside)

    if isinstance(cell, list | tuple):
        found = [one(part, f"{name}/{i}") for i, part in enumerate(cell)]
        return tuple(found) or (NoFrames(name),)
    if not isinstance(cell, str) or is_encoded(cell):
        return (one(cell, name),)
    if ";" in cell:
        parts = [part for part in cell.split(";") if part.strip()]
        return tuple(one(part, name) for part in parts) or (NoFrames(name),)
    return _frames_at(place_of(cell.strip(), root, inside, where))


def _frames_at(found: str | Unusable) -> tuple[Picture, ...]:
    """A video file, a picture, or the pictures of a folder or a glob."""
    if isinstance(found, Unusable):
        return (found,)
    place = Path(found)
    if is_video_name(place) and not place.is_dir():
        return (VideoFile(place),)
    if place.is_file():
        return (FilePicture(place),)
    try:
        found_files = _listing(place)
    except OSError as error:  # a folder that may not be read: its row fails
        refuse_exhausted(error, f"listing {place}")
        found_files = []
    return tuple(FilePicture(path) for path in found_files) or (NoFrames(str(place)),)


def frame_numbers(
    frames: Sequence[Picture], numbering: Numbering, *, where: str
) -> tuple[int, ...]:
    """The number of each frame in the clip as annotated, ascending; of a video file that of its first frame.

    Raises HarnessError.
    """
    if len(frames) == 1 and isinstance(frames[0], VideoFile):
        frames[0].first = 1 if numbering == "from-one" else 0
        return (frames[0].first,)
    if numbering != "file-names":
        first = 0 if numbering == "from-zero" else 1
        return tuple(range(first, first + len(frames)))
    if any(isinstance(frame, NoFrames) for frame in frames):
        return tuple(range(len(frames)))
    found = [_DIGITS.findall(Path(frame.name).stem) for frame in frames]
    numbers = [int(digits[-1]) if digits else -1 for digits in found]
    if -1 in numbers or any(b <= a for a, b in pairwise(numbers)):
        raise HarnessError(
            f"{where}: its frame files are not numbered in ascending order",
            hint="set source.numbering to from-zero or from-one, or rename the frames",
        )
    return tuple(numbers)


def clip_numbers(frames: Sequence[Picture]) -> tuple[int, ...]:
    """The numbers in the names of the frames where these rise, else their places from 0."""
    try:
        return frame_numbers(frames, "file-names", where="")
    except HarnessError:
        return tuple(range(len(frames)))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `img9` stands before `img10`."""
    parts = _DIGITS.split(name)
    return tuple((1, int(p), p) if i % 2 else (0, 0, p) for i, p in enumerate(parts))


def is_picture_file(path: Path) -> bool:
    """Whether a regular file is called like a picture, or begins like one."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return is_picture(file.read(16))
    except OSError as error:
        refuse_exhausted(error, f"looking at {path}")
        return False


def _listing(place: Path) -> list[Path]:
    if place.is_dir():
        paths = list(place.iterdir())
    elif _MAGIC.search(str(place)):
        start = Path(place.anchor) if place.is_absolute() else Path()
        paths = list(start.glob(str(place.relative_to(start))))
    else:
        return []
    pictures = [p for p in paths if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "."]
    return sorted(pictures, key=lambda path: natural(str(path)))
