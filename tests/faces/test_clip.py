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
    COARSE,
    MICRO_7,
    ClipSpec,
    annotate_clip,
    both,
    clip_at,
    draw,
    frame_at,
    identity_at,
    vqa_rows,
)
from harness.faces.face import Face

CLIP = ClipSpec(
    rest=Face(identity=replace(identity_at(1, seed=0, split="test"), subject="test-0-000001")),
    apex_units=(both(6, 0.3), both(12, 0.4)),
    emotion="happiness",
    onset=3,
    apex=20,
    offset=50,
    frames=55,
)


@given(index=st.integers(0, 10**5), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_clips_keep_to_their_limits(index: int, seed: int) -> None:
    clip = clip_at(index, seed=seed)
    assert clip == clip_at(index, seed=seed)
    assert 0 < clip.onset < clip.apex < clip.offset < clip.frames - 1
    assert clip.frames <= 110 and clip.fps == 200
    assert (clip.offset - clip.onset) / clip.fps <= 0.5
    assert all(u.peak <= 0.75 for u in clip.apex_units)
    json.dumps(clip.to_dict())


def test_labels_are_balanced_and_coarse_follows() -> None:
    truths = [annotate_clip(clip_at(i, seed=6)) for i in range(7 * 6)]
    assert Counter(t["emotion"] for t in truths) == dict.fromkeys(MICRO_7, 6)
    assert all(t["coarse"] == COARSE[t["emotion"]] for t in truths)
    assert {t["coarse"] for t in truths if t["emotion"] in ("happiness", "surprise")} == {
        "positive",
        "surprise",
    }


def test_movement_rises_to_the_apex_and_falls() -> None:
    peaks = [max((u.peak for u in frame_at(CLIP, i).units), default=0.0) for i in range(55)]
    assert all(p == 0 for p in peaks[:4] + peaks[50:])
    assert np.argmax(peaks) == 20 and peaks[20] == pytest.approx(0.4)
    assert peaks[3:21] == sorted(peaks[3:21])
    assert peaks[20:51] == sorted(peaks[20:51], reverse=True)


def test_only_face_and_noise_change_between_frames() -> None:
    first, apex = frame_at(CLIP, 0), frame_at(CLIP, 20)
    assert first.identity == apex.identity and first.pose == apex.pose
    assert replace(first.nuisance, noise_frame=20) == apex.nuisance
    assert first.emotion == "neutral" and apex.emotion == "happiness"
    noisy = replace(CLIP, rest=replace(CLIP.rest, nuisance=replace(CLIP.rest.nuisance, noise=3.0)))
    a, b = (draw(frame_at(noisy, i), size=48).pixels for i in (0, 1))
    assert (a != b).any()
    c, d = (draw(frame_at(CLIP, i), size=48).pixels for i in (0, 1))
    assert (c == d).all()


@pytest.mark.parametrize("frame", [-1, 55])
def test_frames_outside_are_refused(frame: int) -> None:
    with pytest.raises(HarnessError, match="outside"):
        frame_at(CLIP, frame)


@pytest.mark.parametrize(
    "change",
    [{"onset": 20}, {"offset": 60}, {"frames": 111}, {"frames": 109, "offset": 108, "apex": 60}],
)
def test_impossible_clips_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(HarnessError):
        replace(CLIP, **change)


def test_neutral_is_no_micro_expression() -> None:
    with pytest.raises(HarnessError, match="neutral"):
        clip_at(0, seed=0, labels=("neutral",))


def test_question_rows_have_the_published_form() -> None:
    rows = vqa_rows(CLIP, "clip7")
    assert [list(row) for row in rows] == [
        ["id", "dataset", "image_id", "subject", "filename", "question", "answer"]
    ] * 6
    assert [row["id"] for row in rows] == [f"clip7_{n}" for n in range(1, 7)]
    assert {(r["dataset"], r["image_id"], r["subject"], r["filename"]) for r in rows} == {
        ("drawn", "clip7", "test-0-000001", "clip7")
    }
    pairs = [(row["question"], row["answer"]) for row in rows]
    assert pairs[:3] == [
        ("What is the coarse expression class?", "positive"),
        ("What is the fine-grained expression class?", "happiness"),
        ("What are the action units?", "cheek raiser, lip corner puller"),
    ]
    assert pairs[5] == (
        "What are the action units present, and based on them, what is the fine-grained "
        "expression and the coarse expression class?",
        "The action units present are: cheek raiser, lip corner puller. Therefore, the "
        "fine-grained expression class is happiness, and the coarse expression class is positive.",
    )
    asked = dict(pairs[3:5])
    assert sorted(asked.values()) == ["no", "yes"]
    for question, answer in asked.items():
        name = question.removeprefix("Is the action unit ").removesuffix(" shown on the face?")
        assert (name in ("cheek raiser", "lip corner puller")) == (answer == "yes")


def test_one_action_unit_is_asked_for_in_the_singular() -> None:
    clip = replace(CLIP, emotion="surprise", apex_units=(both(2, 0.4),))
    pairs = [(row["question"], row["answer"]) for row in vqa_rows(clip, "c")]
    assert pairs[2] == ("What is the action unit?", "outer brow raiser")
    assert pairs[5][0].startswith("What is the action unit present, and based on it,")
    assert pairs[5][1] == (
        "The action unit present is: outer brow raiser. Therefore, the fine-grained expression "
        "class is surprise, and the coarse expression class is surprise."
    )


def test_the_place_of_the_yes_gives_nothing_away() -> None:
    firsts = Counter(vqa_rows(CLIP, f"c{n}")[3]["answer"] for n in range(200))
    assert 70 < firsts["yes"] < 130
