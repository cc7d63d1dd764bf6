"""Video files as clips: frames, times, rotation, and files that are none."""

from __future__ import annotations

import io
import os
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.picture import Remembered
from harness.media.frames import parse_policy
from harness.media.video_file import IN_MILLISECONDS, VideoFile, opened, video_clip

cv2: Any = pytest.importorskip("cv2")
CODECS = {".avi": "MJPG", ".mp4": "mp4v", ".webm": "VP80", ".mkv": "MJPG"}


def write(
    path: Path, count: int = 12, *, fps: float = 25, size: tuple[int, int] = (64, 48)
) -> Path:
    """A video whose frame k is grey of 20 * k, its upper left corner white."""
    codec = cv2.VideoWriter_fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, size)
    assert writer.isOpened()
    for k in range(count):
        pixels = np.full((size[1], size[0], 3), 20 * k % 250, np.uint8)
        pixels[:8, :8] = 255
        writer.write(pixels)
    writer.release()
    return path


def grey(data: bytes) -> float:
    with Image.open(io.BytesIO(data)) as image:
        return float(np.asarray(image.convert("L"))[16:, 16:].mean())


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_and_times_of_a_video(suffix: str, tmp_path: Path) -> None:
    clip = video_clip(write(tmp_path / f"a{suffix}"))
    assert clip.frames[0].name.endswith(suffix)
    medium = opened(clip)
    assert medium.indices == tuple(range(12))
    assert medium.fps == 25
    shown = parse_policy("uniform-4")(medium)
    assert shown.indices == (0, 4, 7, 11)
    assert [grey(frame.read()) for frame in shown.frames] == pytest.approx([0, 80, 140, 220], abs=6)
    assert grey(medium.frames[3].read()) == pytest.approx(60, abs=6)  # back again


def test_a_turned_video_is_shown_upright(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "a.mp4").read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the matrix of the track header (ISO/IEC 14496-12)
    data[at : at + 36] = struct.pack(
        ">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30
    )  # a quarter to the right
    (tmp_path / "turned.mp4").write_bytes(data)
    frame = opened(video_clip(tmp_path / "turned.mp4")).frames[2].read()
    with Image.open(io.BytesIO(frame)) as image:
        pixels = np.asarray(image.convert("L"))
    assert pixels.shape == (64, 48)
    assert pixels[:6, -6:].mean() > 200 > 100 > pixels[:6, :6].mean()


def test_the_annotations_may_count_from_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi")
    clip = Medium("clip", (VideoFile(path, first=1),), (1,), apex=6, onset=2, offset=9)
    shown = parse_policy("onset-apex-offset")(opened(clip))
    assert shown.indices == (2, 6, 9)
    assert [grey(f.read()) for f in shown.frames] == pytest.approx([20, 100, 160], abs=6)


def test_a_video_is_passed_over_twice_however_often_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = []
    real = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda *a: captures.append(a) or real(*a))
    clip = video_clip(write(tmp_path / "a.avi"))
    held = Medium("clip", (Remembered(clip.frames[0]),), (0,))
    for policy in ("all", "uniform-3", "uniform-5"):
        for frame in parse_policy(policy)(opened(held)).frames:
            frame.read()
    assert len(captures) == 2


UNEVEN = (0, 40, 80, 200, 230, 260, 1000, 1033, 1500, 1501, 2000, 2300)
"""Milliseconds of the frames of a video of no fixed rate."""


def uneven(path: Path, codec: str, *, start: int = 0, **options: str) -> Path:
    """A real video whose frame k is grey of 20 * k, shown at UNEVEN[k] ms from `start` ms on."""
    av: Any = pytest.importorskip("av")
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for k, stamp in enumerate(UNEVEN):
            pixels = np.full((48, 64, 3), 20 * k % 250, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = start + stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"bf": "3"}),  # frames stored in another order than they are shown
        ("a.mov", "mpeg4", {}),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx-vp9", {}),
        ("a.avi", "mpeg4", {}),
    ],
)
def test_frames_at_no_fixed_rate_are_numbered_by_their_milliseconds(
    name: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    medium = opened(video_clip(uneven(tmp_path / name, codec, **options)))
    assert medium.indices == UNEVEN
    assert medium.fps == 1000
    assert medium.changes == (IN_MILLISECONDS,)
    seen = [grey(frame.read()) for frame in medium.frames]
    assert seen == pytest.approx([20 * k % 250 for k in range(12)], abs=8)


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    medium = opened(video_clip(uneven(tmp_path / "late.mp4", "libx264", start=5000)))
    assert medium.indices == UNEVEN


def test_annotations_count_the_frames_of_an_uneven_video(tmp_path: Path) -> None:
    video = VideoFile(uneven(tmp_path / "a.mp4", "libx264"))
    counted = opened(Medium("clip", (video,), (0,), apex=6))
    assert counted.indices == tuple(range(12))
    assert counted.fps is None
    (apex,) = parse_policy("apex")(counted).frames
    assert grey(apex.read()) == pytest.approx(120, abs=8)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "unsupported"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "unsupported"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 40, "corrupt"),
        (b"RIFF" + b"\0" * 60, "corrupt"),
        (None, "missing"),
    ],
)
def test_files_that_are_no_videos(content: bytes | None, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        opened(video_clip(path))
    assert caught.value.kind == kind


def test_a_pipe_called_like_a_video_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="not a file"):
        opened(video_clip(tmp_path / "a.mp4"))


def test_a_cut_video_fails_or_ends_early(tmp_path: Path) -> None:
    data = write(tmp_path / "a.avi", 40).read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    medium = opened(video_clip(tmp_path / "cut.avi"))
    assert 1 <= len(medium.frames) < 40
    for frame in medium.frames:
        frame.read()


def test_without_opencv_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.avi")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(HarnessError, match="OpenCV is not installed") as caught:
        opened(video_clip(path))
    assert "[video]" in caught.value.hint
