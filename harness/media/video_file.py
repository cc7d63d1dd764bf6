"""Video files as clips: their frames and times, by OpenCV (the extra `video`).

A file is opened when its clip is shown, not when its table is read. One pass counts the frames and notes their times;
a second decodes those that are shown, in order, however many conditions and prompts show them. OpenCV's FFmpeg gives
each frame its own time, also where they come at no fixed rate, and turns frames as the container says; tests hold it
against files that PyAV writes.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError, MediaError, missing_extra
from harness.core.medium import Medium
from harness.core.picture import Picture, Remembered, refuse_exhausted
from harness.media.decode import check_size

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".mpg", ".mpeg", ".wmv", ".flv"}
)
"""File name endings, in small letters, that count as videos."""
MOST_FRAMES = 100_000
"""A video of more frames is refused: cut it into clips."""
HELD_BYTES = 256 << 20
"""Encoded frames of one video kept in memory, the latest."""
IN_MILLISECONDS = "variable-rate-in-ms"
"""Among the changes of a clip whose frames come at no fixed rate: its frame numbers are milliseconds."""

_MAGIC: Mapping[int, tuple[bytes, ...]] = MappingProxyType(
    {
        0: (b"RIFF", b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV", b"0&\xb2u"),
        4: (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"),
    }
)
"""How the containers of VIDEO_SUFFIXES begin. Nothing else is given to the decoder, which would follow playlists."""
_STEADY = 0.25
"""Frames come at a fixed rate where no time is further from its place than this part of a frame."""


@dataclass(frozen=True, slots=True)
class Index:
    """What the first pass over a video shows."""

    times: tuple[float, ...]
    """Seconds from the first frame, one a frame."""
    fps: float | None
    """Frames per second where they come at a fixed rate; None where they do not, or there is one frame only."""


class VideoFile:
    """A handle on a video file: the one frame of a clip until `opened` puts the video's own in its place."""

    __slots__ = ("_capture", "_held", "_held_bytes", "_index", "_next", "first", "path")

    def __init__(self, path: Path, *, first: int = 0) -> None:
        self.path = path
        self.first = first
        """The number that the annotations give the first frame."""
        self._index: Index | None = None
        self._capture: Any = None
        self._next = 0
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._held_bytes = 0

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        """The first frame as PNG. Raises MediaError."""
        return self.frame(0)

    def index(self) -> Index:
        """Frames and times, found by one pass over the file. Raises MediaError, and HarnessError without OpenCV."""
        if self._index is None:
            self._index = _indexed(self.path)
        return self._index

    def frame(self, number: int) -> bytes:
        """A frame, counted from 0, upright, as PNG. Raises MediaError.

        Frames asked for in rising order are decoded in one pass.
        """
        if number in self._held:
            return self._held[number]
        if self._capture is None or number < self._next:
            self._capture, self._next = _opened(self.path), 0
        while self._next <= number:
            if not self._capture.grab():
                raise _damaged(self.path, f"it ends before frame {number}")
            self._next += 1
        good, pixels = self._capture.retrieve()
        if not good:
            raise _damaged(self.path, f"frame {number} cannot be decoded")
        data = _png(pixels, self.path)
        self._held[number] = data
        self._held_bytes += len(data)
        while self._held_bytes > HELD_BYTES and len(self._held) > 1:
            self._held_bytes -= len(self._held.popitem(last=False)[1])
        return data


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame of a video file."""

    video: VideoFile
    number: int
    """Counted from 0."""

    @property
    def name(self) -> str:
        return f"{self.video.name}#{self.number}"

    def read(self) -> bytes:
        return self.video.frame(self.number)


def is_video_name(path: Path) -> bool:
    """Whether a file is called like a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def video_clip(path: Path, *, first: int = 0) -> Medium:
    """A video file as a clip; nothing is opened yet."""
    return Medium("clip", (VideoFile(path, first=first),), (first,))


def opened(medium: Medium) -> Medium:
    """The medium with the frames of its video file, where it is one; else itself.

    Frames are numbered from the annotations' first number. Where they come at no fixed rate and no onset, apex or
    offset counts them, their numbers are milliseconds and `fps` is 1000, so that their times are told. Raises
    MediaError, and HarnessError where OpenCV is not installed.
    """
    if medium.kind != "clip" or len(medium.frames) != 1:
        return medium
    video = _video_of(medium.frames[0])
    if video is None:
        return medium
    index = video.index()
    count = len(index.times)
    frames = tuple(VideoFrame(video, number) for number in range(count))
    counted = any(n is not None for n in (medium.onset, medium.apex, medium.offset))
    if index.fps is None and count > 1 and not counted and medium.fps is None:
        numbers = tuple(round(seconds * 1000) for seconds in index.times)
        if all(b > a for a, b in pairwise(numbers)):
            changes = (*medium.changes, IN_MILLISECONDS)
            return replace(medium, frames=frames, indices=numbers, fps=1000.0, changes=changes)
    numbers = tuple(range(video.first, video.first + count))
    return replace(medium, frames=frames, indices=numbers, fps=medium.fps or index.fps)


def _video_of(picture: Picture) -> VideoFile | None:
    origin = picture.origin if isinstance(picture, Remembered) else picture
    return origin if isinstance(origin, VideoFile) else None


def _indexed(path: Path) -> Index:
    capture, cv2 = _opened(path), _opencv()
    stamps: list[float] = []
    while capture.grab():
        stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        if len(stamps) > MOST_FRAMES:
            raise MediaError(
                f"video has more than {MOST_FRAMES:,} frames: {path}",
                kind="too-large",
                hint="cut it",
            )
    capture.release()
    if not stamps:
        raise _damaged(path, "no frame can be decoded")
    times = tuple(stamp - stamps[0] for stamp in stamps)
    return Index(times, _rate(times))


def _rate(times: tuple[float, ...]) -> float | None:
    """Frames per second where every frame is near its place at a fixed rate; None else."""
    count, last = len(times), times[-1]
    if count < 2 or last <= 0:
        return None
    step = last / (count - 1)
    if any(abs(time - place * step) > _STEADY * step for place, time in enumerate(times)):
        return None
    fps = 1 / step
    return float(round(fps)) if abs(fps - round(fps)) < 0.002 * fps else round(fps, 3)


def _opened(path: Path) -> Any:
    """A capture at the first frame, which turns frames upright. Raises MediaError, HarnessError."""
    check_file(path)
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise _damaged(path, "it cannot be opened, or its codec is not supported")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    size = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    check_size(*size, name=str(path))
    return capture


def check_file(path: Path) -> None:
    """Refuse what is no regular file, and what is no video by its first bytes. Raises MediaError."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise MediaError(f"video is not a file: {path}", kind="unsupported", hint="name a file")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            head = os.read(descriptor, 16)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise MediaError(
            f"video not found: {path}", kind="missing", hint="check source.frames and source.root"
        ) from None
    except OSError as error:
        refuse_exhausted(error, f"reading {path}")
        raise MediaError(
            f"video cannot be read: {path}: {error.strerror}", kind="missing"
        ) from None
    if not head:
        raise MediaError(f"video is an empty file: {path}", kind="empty", hint="get the file again")
    if not any(head[at:].startswith(known) for at, known in _MAGIC.items()):
        raise MediaError(
            f"unknown video format: {path}",
            kind="unsupported",
            hint="use MP4, AVI, WebM or Matroska, or a folder of frames",
        )


def _png(pixels: Any, path: Path) -> bytes:
    from PIL import Image

    from harness.media.transforms import encode_png

    height, width = pixels.shape[:2]
    check_size(width, height, name=str(path))
    return encode_png(Image.fromarray(pixels[..., ::-1].copy()))


def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        error = missing_extra("OpenCV", "video")
        raise HarnessError(
            f"{error.message}, which reads video files", hint=f"{error.hint}; or extract the frames"
        ) from None
    return cv2


def _damaged(path: Path, why: str) -> MediaError:
    return MediaError(f"video is damaged: {path}: {why}", kind="corrupt", hint="get the file again")
