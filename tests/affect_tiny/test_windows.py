"""Windows over long videos: most at rest, an expression only where its apex is well inside."""

from __future__ import annotations

from harness.affect_tiny.training.windows import EACH, REST, window_at
from harness.faces import MICRO_7, long_at


def test_windows_are_the_same_each_time_and_of_one_person() -> None:
    faces, truth = window_at(5, seed=9000, split="train")
    again, same = window_at(5, seed=9000, split="train")
    assert (faces, truth) == (again, same)
    assert len(faces) == 3 and len({face.identity.subject for face in faces}) == 1


def test_some_windows_hold_a_micro_expression_and_more_hold_none() -> None:
    told = [window_at(i, seed=9000, split="train")[1]["emotion"] for i in range(12 * EACH)]
    assert set(told) <= {REST, *MICRO_7}
    assert len(told) / 2 < told.count(REST) < len(told)


def test_the_first_window_of_a_video_shows_its_micro_expression() -> None:
    for number in range(8):
        video = long_at(number, seed=9000, split="train", seconds=(10.0, 14.0))
        micro = {e.emotion for e in video.events if e.kind == "micro-expression"}
        shown = window_at(number * EACH, seed=9000, split="train")[1]["emotion"]
        assert shown in (micro or {REST})
