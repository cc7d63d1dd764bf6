"""The times of a video are those of its clip, or there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import MediaError
from harness.core.medium import Medium
from harness.core.message import Video
from harness.media.video import video_of
from tests.models.films import film, frame

FRAMES = tuple(frame(9 * k) for k in range(4))
HANDLES = film(0, 1, 2, 3).frames


def medium(*numbers: int, fps: float | None = 200.0) -> Medium:
    return Medium("video", tuple(HANDLES[: len(numbers)]), numbers, fps)  # type: ignore[arg-type]


def test_times_count_from_the_first_frame_shown() -> None:
    video = video_of(medium(41, 42, 44, 47), FRAMES)
    assert (video.numbers, video.fps) == ((0, 1, 3, 6), 200.0)
    assert video.frames == FRAMES
    assert video.name == "frame 0 ... frame 27"


@pytest.mark.parametrize(
    ("numbers", "fps", "message", "hint"),
    [
        ((1, 2), None, "not known", "media.fps"),
        ((1, 2), 0.0, "not known", "media.fps"),
        ((2, 1), 200.0, "time order", "ascending"),
        ((1, 1), 200.0, "time order", "ascending"),
    ],
)
def test_no_time_is_guessed(
    numbers: tuple[int, ...], fps: float | None, message: str, hint: str
) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        video_of(medium(*numbers, fps=fps), FRAMES[: len(numbers)])
    assert hint in caught.value.hint


def test_frames_of_unlike_sizes_make_no_video() -> None:
    with pytest.raises(MediaError, match="different sizes"):
        video_of(medium(1, 2), (FRAMES[0], frame(3, (100, 140))))


def test_a_video_of_no_frames_is_none() -> None:
    with pytest.raises(MediaError, match="0 frames"):
        video_of(Medium("video", (), (), 200.0), ())
    with pytest.raises(ValueError, match="1 frames but 2 numbers"):
        Video("x", FRAMES[:1], (0, 1), 200.0)


@given(st.integers(2, 40), st.integers(1, 30), st.sampled_from([24.0, 30.0, 200.0]))
def test_the_rate_is_exact_for_frames_evenly_spaced(count: int, stride: int, fps: float) -> None:
    video = Video("x", FRAMES[:1] * count, tuple(range(0, count * stride, stride)), fps)
    assert video.total == count * stride
    assert video.rate == pytest.approx(fps / stride)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_the_rate_is_that_of_the_mean_gap_to_a_frame(gaps: list[int]) -> None:
    numbers = [0]
    for gap in gaps:
        numbers.append(numbers[-1] + gap)
    video = Video("x", FRAMES[:1] * len(numbers), tuple(numbers), 100.0)
    assert video.total > numbers[-1], "every number lies within the clip"
    assert video.total / len(numbers) == pytest.approx(
        sum(gaps) / len(gaps), abs=0.5 / len(numbers) + 1e-9
    )


def test_a_video_is_named_by_its_frames_and_their_times() -> None:
    one = film(0, 1, 2)
    others = [
        film(0, 1, 2, fps=100.0), film(0, 1, 3), replace(one, frames=one.frames[::-1], digest=""),
    ]  # fmt: skip
    assert len({video.digest for video in (one, *others)}) == 4
    assert film(0, 1, 2).digest == one.digest
