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
    BASIC_7,
    BASIC_8,
    TEST_SEEDS,
    UNIT_TABLE,
    Face,
    Unit,
    affect,
    both,
    face_at,
    identity_at,
    present,
    ranges,
)
from harness.faces.prototypes import PROTOTYPES


@given(index=st.integers(0, 10**6), seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_face_is_a_function_of_its_number(index: int, seed: int) -> None:
    assert face_at(index, seed=seed) == face_at(index, seed=seed)
    assert hash(face_at(index, seed=seed)) == hash(face_at(index, seed=seed))


def test_different_numbers_seeds_and_splits_give_different_faces() -> None:
    faces = [face_at(i, seed=s, split=p) for i in (0, 1) for s in (3, 4) for p in ("test", "train")]
    assert len({replace(f, emotion="") for f in faces}) == len(faces)


def test_each_subject_shows_each_label_once() -> None:
    for labels in (BASIC_7, BASIC_8, ("anger", "neutral")):
        n = len(labels)
        orders = set()
        for subject in range(12):
            faces = [face_at(subject * n + k, seed=5, labels=labels) for k in range(n)]
            assert len({f.identity for f in faces}) == 1
            assert Counter(f.emotion for f in faces) == Counter(labels)
            orders.add(tuple(f.emotion for f in faces))
        assert len(orders) > 1


def test_no_subject_is_in_two_splits_or_two_seeds() -> None:
    people = [
        identity_at(n, seed=seed, split=split)
        for split in ("train", "validation", "test")
        for seed in (0, 1)
        for n in range(60)
    ]
    assert len({p.subject for p in people}) == len(people)
    assert len({replace(p, subject="") for p in people}) == len(people)
    assert all(p.subject.startswith(("train-", "validation-", "test-")) for p in people)


def test_reserved_seeds_are_named() -> None:
    assert 0 in TEST_SEEDS and 99 in TEST_SEEDS and 100 not in TEST_SEEDS


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"index": -1}, "negative"),
        ({"seed": -1}, "negative"),
        ({"split": "dev"}, "dev"),
        ({"labels": ("joy",)}, "joy"),
        ({"labels": ()}, "labels"),
        ({"labels": ("fear", "fear")}, "labels"),
    ],
)
def test_bad_requests_are_named(change: dict[str, object], word: str) -> None:
    arguments: dict[str, object] = {"index": 0, "seed": 0, **change}
    index = arguments.pop("index")
    with pytest.raises(HarnessError, match=word) as caught:
        face_at(index, **arguments)  # type: ignore[arg-type]
    assert caught.value.hint


def test_units_are_checked() -> None:
    with pytest.raises(HarnessError, match="action unit 3 "):
        Unit(3, 0.5, 0.5)
    with pytest.raises(HarnessError, match=r"1\.5"):
        Unit(12, 1.5, 0.5)
    with pytest.raises(HarnessError, match="twice"):
        Face(identity=identity_at(0, seed=0, split="test"), units=(both(1, 0.2), both(1, 0.4)))


def test_faces_are_plain_json() -> None:
    face = face_at(4, seed=2)
    assert json.loads(json.dumps(face.to_dict())) == face.to_dict()


def test_units_of_an_expression_come_from_its_prototype() -> None:
    for index in range(8 * 40):
        face = face_at(index, seed=9, labels=BASIC_8)
        numbers = {u.number for u in present(face.units)}
        variants = PROTOTYPES[face.emotion]
        allowed = {n for v in variants for n in (*v.core, *(o for o, _ in v.optional))} | {25}
        assert numbers <= allowed
        assert any(set(v.core) <= numbers for v in variants)
        assert all(u.number in UNIT_TABLE for u in face.units)
        if face.emotion == "contempt":
            sides = {(u.left > 0, u.right > 0) for u in face.units if u.number in (12, 14)}
            assert (True, False) in sides or (False, True) in sides


@pytest.mark.parametrize(
    ("emotion", "units", "expected"),
    [
        ("neutral", (), (0.0, 0.0)),
        ("happiness", (both(6, 1.0), both(12, 1.0)), (0.9, 0.45)),
        ("happiness", (both(6, 0.4), both(12, 0.6)), (0.585, 0.2925)),
        ("surprise", tuple(both(n, 1.0) for n in (1, 2, 5, 25, 26)), (0.15, 0.95)),
        ("fear", tuple(both(n, 1.0) for n in (1, 2, 4, 5, 20, 25)), (-0.7, 0.825)),
        ("sadness", (both(1, 0.5), both(4, 0.5), both(15, 0.5)), (-0.52, -0.2925)),
    ],
)
def test_affect_by_hand(
    emotion: str, units: tuple[Unit, ...], expected: tuple[float, float]
) -> None:
    assert affect(emotion, units) == pytest.approx(expected, abs=1e-4)


def test_affect_stays_in_range_and_has_the_right_sign() -> None:
    for index in range(7 * 40):
        face = face_at(index, seed=3)
        valence, arousal = affect(face.emotion, face.units)
        assert -1 <= valence <= 1 and -1 <= arousal <= 1
        sign = {"neutral": 0, "happiness": 1, "surprise": 1}.get(face.emotion, -1)
        assert np.sign(valence) == sign


def test_nuisance_keeps_within_the_published_ranges() -> None:
    for index in range(60):
        nuisance = face_at(index, seed=8).nuisance
        for name, (low, high) in ranges.NUISANCE.items():
            assert low - 0.5 <= getattr(nuisance, name) <= high + 0.5
        assert nuisance.background in ranges.BACKGROUNDS


def test_teeth_glasses_gaze_and_light_do_not_depend_on_the_emotion() -> None:
    faces = [face_at(i, seed=1) for i in range(7 * 300)]
    n = 300
    for measure in (
        lambda f: f.teeth > 0,
        lambda f: f.gaze[0] > 0,
        lambda f: f.identity.glasses != "none",
        lambda f: f.nuisance.light_azimuth > 0,
        lambda f: f.pose.yaw > 0,
    ):
        values = np.array([float(measure(f)) for f in faces])
        overall = values.mean()
        bound = 4 * np.sqrt(overall * (1 - overall) / n)
        for emotion in BASIC_7:
            share = values[[f.emotion == emotion for f in faces]].mean()
            assert abs(share - overall) < bound
