"""Intervals spotted from flow: a movement that comes and goes is found, one that stays and a blink are not."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from harness.baselines.flow_spots import (
    FlowVideo,
    gather_videos,
    spot_video,
    spots_table,
    strength,
)
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.picture import FilePicture
from harness.faces import clip_at
from harness.imports.spot_tables import read_spots
from harness.metrics.spots import Spot
from harness.sources.drawn_pictures import DrawnFrame

POINTS = np.array([(float(x % 10) * 9 + 5, float(x // 10) * 12 + 5) for x in range(68)])
EYES = float(np.linalg.norm(POINTS[36:42].mean(axis=0) - POINTS[42:48].mean(axis=0)))


def moved(parts: slice, down: float) -> np.ndarray:
    """A flow field that moves some landmarks downward by so many pixels."""
    flow = np.zeros((100, 100, 2), dtype=np.float32)
    for x, y in POINTS[parts].astype(int):
        flow[y, x, 1] = down
    return flow


def test_what_comes_and_goes_is_strong_and_what_stays_is_not() -> None:
    mouth = slice(48, 68)
    assert strength(moved(mouth, 4), moved(mouth, 4), POINTS) == pytest.approx(4 / EYES)
    assert strength(moved(mouth, 4), moved(mouth, 0), POINTS) == 0, "it stays as it is now"
    assert strength(moved(mouth, 4), moved(mouth, -4), POINTS) == 0, "it goes on"
    assert strength(moved(mouth, 9), moved(mouth, 1), POINTS) == pytest.approx(1.5 / EYES)
    brows, lids = slice(17, 27), slice(36, 48)
    assert strength(moved(brows, 3), moved(brows, 3), POINTS) > 0
    both = moved(brows, 1) + moved(lids, 6)
    assert strength(both, both, POINTS) == 0, "brows that a blink pulls along are no expression"


def drawn_video(emotion: str, *, rest: int = 30) -> tuple[FlowVideo, tuple[int, int]]:
    """A clip at about 33 frames a second between still frames, and the true interval."""
    clip = next(
        c for c in (clip_at(i, seed=3, split="train") for i in range(40))
        if c.emotion == emotion and c.offset - c.onset > 50
    )  # fmt: skip
    order = [0] * rest + list(range(0, clip.frames, 6)) + [0] * rest
    frames = {n: DrawnFrame(f"f{n}", clip, at, 128) for n, at in enumerate(order)}
    inside = [n for n, at in enumerate(order) if clip.onset <= at <= clip.offset]
    return FlowVideo("s", "v", clip.fps / 6, dict(frames)), (inside[0], inside[-1])


@pytest.mark.slow
def test_a_drawn_movement_is_spotted_once() -> None:
    video, (onset, offset) = drawn_video("surprise")
    (found,) = spot_video(video).spots
    both = min(found.offset, offset) - max(found.onset, onset) + 1
    either = max(found.offset, offset) - min(found.onset, onset) + 1
    assert both / either >= 0.5
    still = FlowVideo("s", "v", 33.0, dict.fromkeys(range(40), video.frames[0]))
    assert spot_video(still).spots == ()


def test_the_table_is_read_as_any_spotters(tmp_path: Path) -> None:
    spots = [Spot("s1", "a, b", 3, 9, "unknown")]
    text = spots_table(spots)
    assert next(csv.reader(io.StringIO(text))) == ["subject", "video", "onset", "offset", "emotion"]
    (tmp_path / "spots.csv").write_text(text)
    assert read_spots(tmp_path / "spots.csv").spots == tuple(spots)


def test_what_cannot_be_spotted_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    frames = dict.fromkeys(range(40), FilePicture(tmp_path / "a.png"))
    with pytest.raises(HarnessError, match="v: the 68 landmarks of its frames are not known"):
        spot_video(FlowVideo("s", "v", 30.0, dict(frames)))
    assert gather_videos([]) == []
    assert main(["baseline", "flow", "faces/me-str", "--mix", "1"]) == 2
    assert "--mix" in capsys.readouterr().err
