"""Drawn long videos: their questions, windows over them, and blends of two emotions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Skipped, Source
from harness.faces import (
    annotate_long,
    clip_at,
    clip_mixture_at,
    long_at,
    lvqa_rows,
    mixture_at,
    str_rows,
)
from harness.media.verify import check
from harness.sources import open_source

COUNT = FieldSpec(kind="number", low=0, high=100)
EMOTION = FieldSpec(kind="label", labels=("none", *"anger contempt disgust fear happiness sadness surprise".split()))  # fmt: skip # noqa: SIM905


def opened(fields: dict[str, FieldSpec], **options: object) -> Source:
    asked = {"family": "faces", "n": 2, "seed": 5, "size": 64, "seconds": [10, 12], **options}
    return open_source(asked, fields=fields, base=Path())


def test_six_questions_a_video_with_their_truth() -> None:
    fields = {
        "event_count": COUNT, "micro_count": COUNT, "macro_count": COUNT,
        "action_units": FieldSpec(kind="set", labels="megc-action-units"),
        "event_type": FieldSpec(kind="label", labels=("micro-expression", "macro-expression")),
    }  # fmt: skip
    samples = list(opened(fields, kind="long"))
    assert len(samples) == 12
    spec = long_at(0, seed=5, seconds=(10, 12))
    rows = lvqa_rows(spec, "long_test_5_00000")
    for sample, row in zip(samples, rows, strict=False):
        assert (sample.id, sample.question) == (row["video_id"], row["question"])
        (value,) = sample.targets.values()
        said = ", ".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else value  # fmt: skip
        assert sorted(str(said).split(", ")) == sorted(row["answer"].split(", "))
    assert len(samples[0].medium.frames) == spec.frames
    assert check(samples[0].medium.frames[100].read(), "x") == (64, 64)


def test_a_question_for_no_field_is_left_out_and_counted() -> None:
    source = opened({"event_count": COUNT}, kind="long")
    assert len(list(source)) == 2
    assert source.skipped() == (Skipped("asks for none of the task's fields", 10),)


def test_windows_lie_side_by_side_and_each_apex_is_in_one() -> None:
    samples = list(opened({"emotion": EMOTION}, kind="windows", window=0.5))
    for index in range(2):
        name = f"long_test_5_{index:05d}"
        spec = long_at(index, seed=5, seconds=(10, 12))
        mine = [s for s in samples if s.annotations["video"] == name]
        firsts = [s.annotations["first"] for s in mine]
        assert firsts == list(range(0, spec.frames - 15, 8))
        assert all(s.annotations["last"] == s.annotations["first"] + 15 for s in mine)  # type: ignore[operator]
        micro = [e for e in annotate_long(spec)["events"] if e["type"] == "micro-expression"]
        told = [s.targets["emotion"] for s in mine if s.targets["emotion"] != "none"]
        assert told == [event["emotion"] for event in micro]
        events = json.loads(str(mine[0].annotations["events"]))
        rows = str_rows(spec, name)
        assert events == [[row["onset"], row["offset"], row["emotion"]] for row in rows]
    medium = samples[3].medium
    assert (medium.onset, medium.apex, medium.offset) == (24, 32, 39)
    assert len({s.id for s in samples}) == len(samples)


def test_a_blend_has_its_greater_emotion_as_label_and_both_shares_noted() -> None:
    samples = list(opened({"emotion": FieldSpec(kind="label")}, kind="mixture", n=6))
    for index, sample in enumerate(samples):
        mixture = mixture_at(index, seed=5)
        assert sample.targets["emotion"] == mixture.face.emotion
        assert json.loads(str(sample.annotations["soft_label"])) == mixture.soft_label
        assert sample.annotations["share"] == max(mixture.soft_label.values())
    assert samples[0].medium.frames[0].read() == samples[0].medium.frames[0].read()


def test_a_blended_clip_lies_between_two_emotions_and_notes_both_shares() -> None:
    labels = ("anger", "happiness", "surprise")
    asked = {"kind": "clip-mixture", "n": 6, "labels": list(labels)}
    samples = list(opened({"emotion": FieldSpec(kind="label")}, **asked))
    for index, sample in enumerate(samples):
        mixture = clip_mixture_at(index, seed=5, labels=labels)
        plain = clip_at(index, seed=5, labels=labels)
        shares = json.loads(str(sample.annotations["soft_label"]))
        assert shares == mixture.soft_label
        assert sum(shares.values()) == pytest.approx(1)
        assert sample.targets["emotion"] == max(shares, key=lambda name: shares[name])
        assert sample.medium.kind == "clip"
        assert (mixture.clip.rest, mixture.clip.apex) == (plain.rest, plain.apex)
        own = {u.number: u.left for u in plain.apex_units}
        only = {u.number: u.left for u in mixture.clip.apex_units if u.number in own}
        assert all(left >= round(own[n] * mixture.share, 4) - 1e-4 for n, left in only.items())
    assert len({s.id for s in samples}) == 6
    with pytest.raises(HarnessError, match="cannot be blended"):
        opened({"emotion": FieldSpec(kind="label")}, kind="clip-mixture", labels=["anger"])


def test_what_cannot_be_drawn_or_asked_is_told() -> None:
    with pytest.raises(HarnessError, match="have none of the task's fields"):
        opened({"valence": FieldSpec(kind="number")}, kind="windows")
    with pytest.raises(HarnessError, match="cannot be drawn"):
        opened({"emotion": EMOTION}, kind="windows", seconds=[1, 2])
