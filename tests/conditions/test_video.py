"""Clips as video, by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.conditions.presentation import read_presentation
from harness.conditions.registry import load_condition, needs_video
from harness.core.condition import Choosing, Telling
from harness.core.errors import HarnessError
from harness.core.medium import image
from tests.conditions.test_conditions import CLIP, picture

TIMED = replace(CLIP, fps=200.0)


@pytest.mark.parametrize(
    ("name", "shown", "fps", "changes"),
    [
        ("video", tuple(range(9)), 200.0, ("video-at-200-fps",)),
        ("video-3", (0, 4, 8), 200.0, ("frames-uniform-3", "video-3-at-200-fps")),
        ("video-slowed-2.5", tuple(range(9)), 80.0, ("video-slowed-2.5-at-80-fps",)),
    ],
)
def test_frames_keep_their_numbers_and_the_rate_of_the_recording(
    name: str, shown: tuple[int, ...], fps: float, changes: tuple[str, ...]
) -> None:
    got = load_condition(name).apply(TIMED)
    assert (got.kind, got.indices, got.fps, got.changes) == ("video", shown, fps, changes)


def test_an_unknown_rate_stays_unknown() -> None:
    got = load_condition("video-slowed-4").apply(CLIP)
    assert (got.kind, got.fps) == ("video", None)
    assert got.changes == ("video-slowed-4-at-unknown-fps",)


def test_single_pictures_pass() -> None:
    single = image(picture())
    assert load_condition("video").apply(single) is single


def test_what_stands_behind_it_is_video_still() -> None:
    for name in (
        "video",
        "video-8",
        "video-slowed-20",
        "video+label-order:reversed",
        "video+shots-2",
    ):
        condition = read_presentation(name).load()
        assert needs_video(condition), name
        assert isinstance(condition, Choosing) and condition.whole_clip
        assert isinstance(condition, Telling) and "one clip" in condition.variables["shown"]
    assert not needs_video(load_condition("uniform-8"))
    assert not needs_video(read_presentation("apex+label-order:reversed").load())


@pytest.mark.parametrize("name", ["video+optical-flow", "apex+video-8"])
def test_a_video_stands_alone(name: str) -> None:
    with pytest.raises(HarnessError, match="cannot be combined") as caught:
        load_condition(name)
    assert "--condition video" in caught.value.hint
