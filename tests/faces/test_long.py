from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.faces import (
    Event,
    LongSpec,
    annotate_long,
    both,
    draw,
    identity_at,
    long_at,
    long_frame_at,
    lvqa_rows,
    str_rows,
)
from harness.faces.face import Face, Nuisance
from harness.faces.long import Blink, Glance, Turn, blink_at, event_at, pose_at
from harness.faces.lvqa import ordinal

SMILE = Event("micro-expression", "happiness", (both(6, 0.3), both(12, 0.4)), 30, 35, 35, 42)
ANGER = Event("macro-expression", "anger", (both(4, 0.9), both(7, 0.8)), 60, 70, 90, 105)
VIDEO = LongSpec(
    rest=Face(identity=replace(identity_at(1, seed=0, split="test"), subject="test-0-000001")),
    events=(SMILE, ANGER),
    blinks=(Blink(10, 17), Blink(72, 79)),
    glances=(Glance(0, (0.0, 0.0)), Glance(50, (0.8, 0.0))),
    turns=(Turn(0, Face(identity=identity_at(1, seed=0, split="test")).pose),),
    frames=150,
)


@given(
    index=st.integers(0, 10**5),
    seed=st.integers(0, 1000),
    length=st.sampled_from([(10.0, 60.0), (5.0, 8.0), (60.0, 60.0)]),
    fps=st.sampled_from([20.0, 25.0, 30.0, 200.0]),
)
@settings(max_examples=40, deadline=None)
def test_videos_keep_to_their_limits(
    index: int, seed: int, length: tuple[float, float], fps: float
) -> None:
    spec = long_at(index, seed=seed, seconds=length, fps=fps)  # order is checked by LongSpec
    assert spec == long_at(index, seed=seed, seconds=length, fps=fps)
    assert length[0] - 0.1 <= spec.frames / fps <= length[1]
    assert len(spec.events) >= 2
    for event in spec.events:
        seconds = (event.offset - event.onset) / fps
        assert seconds <= 0.5 if event.kind == "micro-expression" else 0.5 < seconds <= 4.0
    gaps = [b.onset - a.offset for a, b in zip(spec.events, spec.events[1:], strict=False)]
    assert all(gap / fps >= 0.3 for gap in gaps)
    json.dumps(spec.to_dict())


def test_macro_expressions_are_stronger_and_both_kinds_come() -> None:
    events = [event for index in range(60) for event in long_at(index, seed=4).events]
    peaks = {
        kind: np.mean([max(u.peak for u in e.units) for e in events if e.kind == kind])
        for kind in ("micro-expression", "macro-expression")
    }
    assert peaks["macro-expression"] > peaks["micro-expression"] + 0.25
    kinds = Counter(event.kind for event in events)
    assert min(kinds.values()) > 0.35 * len(events)
    assert len({event.emotion for event in events}) == 7
    counts = Counter(len(long_at(index, seed=4).events) for index in range(60))
    assert len(counts) >= 5


def test_subjects_have_two_videos_and_splits_share_none() -> None:
    names = [long_at(index, seed=1).rest.identity.subject for index in range(6)]
    assert Counter(names) == dict.fromkeys(names, 2)
    assert long_at(0, seed=1, split="train").rest.identity.subject not in names


def test_movement_rises_holds_and_falls() -> None:
    peaks = []
    for frame in range(VIDEO.frames):
        found = event_at(VIDEO, frame)
        peaks.append(found[1] if found else 0.0)
    assert peaks[35] == 1.0 and peaks[30] == 0.0 and peaks[42] == 0.0
    assert peaks[60:71] == sorted(peaks[60:71])
    assert set(peaks[70:91]) == {1.0}
    assert peaks[90:106] == sorted(peaks[90:106], reverse=True)
    assert not any(peaks[43:60]) and not any(peaks[106:])


def test_between_events_the_face_rests() -> None:
    still = long_frame_at(VIDEO, 50)
    assert still.units == () and still.emotion == "neutral"
    apex = long_frame_at(VIDEO, 35)
    assert apex.units == SMILE.units and apex.emotion == "happiness"
    assert apex.identity == still.identity
    assert replace(apex.nuisance, noise_frame=50) == still.nuisance


def test_blinks_close_the_eyes_and_are_no_expression() -> None:
    assert max(blink_at(VIDEO, n) for n in range(10, 18)) == 1.0
    face = long_frame_at(VIDEO, 13)
    assert face.emotion == "neutral" and draw(face, size=64).cues["eyes"] == "closed"
    during = long_frame_at(VIDEO, 75)
    assert during.emotion == "anger" and {u.number for u in during.units} == {4, 7, 43}
    assert annotate_long(VIDEO)["expressions"] == 2
    assert "eye closure" not in annotate_long(VIDEO)["action_units"]


def test_gaze_shifts_and_the_head_moves_smoothly() -> None:
    assert long_frame_at(VIDEO, 49).gaze == (0.0, 0.0)
    assert long_frame_at(VIDEO, 50).gaze == (0.8, 0.0)
    spec = long_at(5, seed=9)
    yaw = np.array([pose_at(spec, n).yaw for n in range(spec.frames)])
    assert np.ptp(yaw) > 1.0 and np.abs(np.diff(yaw)).max() < 1.0
    assert len(spec.blinks) >= 2 and len(spec.glances) >= 2


def test_frames_are_drawn_with_fresh_noise() -> None:
    noisy = replace(VIDEO, rest=replace(VIDEO.rest, nuisance=Nuisance(noise=3.0)))
    a, b = (draw(long_frame_at(noisy, n), size=48).pixels for n in (1, 2))
    c, d = (draw(long_frame_at(VIDEO, n), size=48).pixels for n in (1, 2))
    assert (a != b).any() and (c == d).all()


def test_annotations_count_and_place_the_events() -> None:
    truth = annotate_long(VIDEO)
    assert (truth["expressions"], truth["micro_expressions"], truth["macro_expressions"]) == (
        2,
        1,
        1,
    )
    first = truth["events"][0]
    assert (first["onset"], first["apex"], first["offset"]) == (30, 35, 42)
    assert first["type"] == "micro-expression" and first["coarse"] == "positive"
    assert first["au_intensity"] == {"cheek raiser": 0.3, "lip corner puller": 0.4}
    assert truth["action_units"] == [
        "brow lowerer",
        "cheek raiser",
        "lid tightener",
        "lip corner puller",
    ]
    assert (truth["frames"], truth["fps"], truth["seconds"]) == (150, 30.0, 5.0)


def test_question_rows_have_the_published_form() -> None:
    rows = lvqa_rows(VIDEO, "v1")
    assert [list(row) for row in rows] == [["video_id", "video", "question", "answer"]] * 6
    assert [row["video_id"] for row in rows] == [f"v1_{n}" for n in range(1, 7)]
    assert [(row["question"], row["answer"]) for row in rows] == [
        ("How many expression events appear in this video?", "2"),
        ("How many micro-expression events appear in this video?", "1"),
        ("How many macro-expression events appear in this video?", "1"),
        (
            "What distinct action units appear in this video?",
            "brow lowerer, cheek raiser, lid tightener, lip corner puller",
        ),
        (
            "What is the expression type of the 1st expression event in this video?",
            "micro-expression",
        ),
        (
            "What is the expression type of the 2nd expression event in this video?",
            "macro-expression",
        ),
    ]


def test_spotting_rows_hold_micro_expressions_unless_told() -> None:
    row = {"subject": "test-0-000001", "video": "v", "onset": 30, "offset": 42}
    assert str_rows(VIDEO, "v") == [{**row, "emotion": "happiness"}]
    assert str_rows(VIDEO, "v", coarse=True) == [{**row, "emotion": "positive"}]
    both_kinds = str_rows(VIDEO, "v", kinds=("micro-expression", "macro-expression"))
    assert [r["emotion"] for r in both_kinds] == ["happiness", "anger"]


def test_ordinals() -> None:
    names = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th"]
    assert [ordinal(int(n[:-2])) for n in names] == names


@pytest.mark.parametrize(
    "change",
    [
        {"events": (ANGER, SMILE)},
        {"events": (replace(SMILE, offset=60),)},
        {"events": (replace(ANGER, offset=71, release=70),)},
        {"frames": 100},
        {"frames": 2000},
    ],
)
def test_impossible_videos_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(HarnessError):
        replace(VIDEO, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked",
    [{"seconds": (2.0, 10.0)}, {"seconds": (10.0, 90.0)}, {"fps": 10.0}, {"labels": ("neutral",)}],
)
def test_what_cannot_be_drawn_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(HarnessError):
        long_at(0, seed=0, **asked)  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="outside"):
        long_frame_at(VIDEO, VIDEO.frames)
