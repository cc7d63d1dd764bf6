from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.faces import (
    CUE_VALUES,
    UNIT_TABLE,
    Face,
    Nuisance,
    Pose,
    Unit,
    both,
    draw,
    encode_png,
    face_at,
    identity_at,
)

SIZE = 128
PLAIN = replace(
    identity_at(3, seed=7, split="test"),
    glasses="none",
    beard="none",
    hair_style="short",
    hairline=-0.95,
    age=0.0,
    age_group="18-29",
    skin_tone=4,
    asymmetry=0.0,
)
REST = Face(identity=PLAIN)


def moved(*units: Unit) -> np.ndarray:
    """Where the picture differs from the face at rest, shape (SIZE, SIZE)."""
    still = draw(REST, size=SIZE).pixels.astype(int)
    return np.abs(draw(REST.with_units(*units), size=SIZE).pixels.astype(int) - still).sum(axis=2)


def test_the_same_face_gives_the_same_bytes() -> None:
    face = face_at(11, seed=4)
    first, second = draw(face), draw(face)
    assert encode_png(first.pixels) == encode_png(second.pixels)
    assert first.cues == second.cues


def test_pictures_differ_between_faces() -> None:
    digests = {hashlib.sha256(draw(face_at(i, seed=4), size=64).pixels).digest() for i in range(20)}
    assert len(digests) == 20


@given(
    index=st.integers(0, 10**5),
    size=st.sampled_from([32, 48, 97, 128]),
    numbers=st.lists(st.sampled_from(sorted(UNIT_TABLE)), unique=True, max_size=19),
    sides=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    turn=st.floats(-20, 20),
)
@settings(max_examples=40, deadline=None)
def test_any_face_can_be_drawn(
    index: int, size: int, numbers: list[int], sides: tuple[float, float], turn: float
) -> None:
    face = face_at(index, seed=1).with_units(*(Unit(n, *sides) for n in numbers))
    face = replace(face, pose=Pose(yaw=turn, pitch=-turn / 2, roll=turn))
    drawing = draw(face, size=size)
    assert drawing.pixels.shape == (size, size, 3)
    assert drawing.pixels.dtype == np.uint8
    assert {k: v in CUE_VALUES[k] for k, v in drawing.cues.items()} == dict.fromkeys(
        CUE_VALUES, True
    )


@pytest.mark.parametrize("size", [0, 31, 1025])
def test_sizes_have_limits(size: int) -> None:
    with pytest.raises(HarnessError, match=str(size)):
        draw(REST, size=size)


# Rows of a picture 128 pixels high that each region may change.
BANDS = {"brows": (0, 66), "eyes": (30, 100), "nose": (38, 110), "mouth": (60, 128)}


@pytest.mark.parametrize("number", sorted(UNIT_TABLE))
def test_a_unit_changes_its_own_region(number: int) -> None:
    companions = (both(25, 0.5),) if number in (26, 27) else ()
    still = draw(REST.with_units(*companions), size=SIZE).pixels.astype(int)
    units = (*companions, both(number, 1.0))
    change = np.abs(draw(REST.with_units(*units), size=SIZE).pixels.astype(int) - still).sum(axis=2)
    low, high = BANDS[UNIT_TABLE[number].region]
    assert (change > 40).sum() > 15
    assert change[low:high].sum() > 0.9 * change.sum()


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 7, 12, 14, 15, 20, 43])
def test_the_subjects_left_is_the_right_of_the_picture(number: int) -> None:
    left, right = moved(Unit(number, 1.0, 0.0)), moved(Unit(number, 0.0, 1.0))
    half = SIZE // 2
    assert left[:, half:].sum() > 1.5 * left[:, :half].sum()
    assert right[:, :half].sum() > 1.5 * right[:, half:].sum()


@pytest.mark.parametrize(
    ("units", "cue", "value"),
    [
        ((), "eyebrows", "neutral"),
        ((both(1, 0.8), both(2, 0.8)), "eyebrows", "raised"),
        ((both(4, 0.7),), "eyebrows", "lowered"),
        ((both(1, 0.7), both(4, 0.6)), "eyebrows", "inner-raised"),
        ((Unit(1, 0.8, 0.0), Unit(2, 0.8, 0.0)), "eyebrows", "asymmetrical"),
        ((), "eyes", "normal"),
        ((both(5, 0.6),), "eyes", "wide"),
        ((both(7, 0.9),), "eyes", "narrowed"),
        ((both(43, 1.0),), "eyes", "closed"),
        ((both(43, 1.0),), "gaze", "not visible"),
        ((), "mouth", "neutral"),
        ((both(12, 0.5),), "mouth", "smile"),
        ((both(12, 0.9), both(25, 0.9), both(26, 0.9)), "mouth", "smile"),
        ((both(15, 0.6),), "mouth", "frown"),
        ((both(25, 0.9), both(26, 0.9)), "mouth", "open"),
        ((both(24, 0.9),), "mouth", "pressed"),
        ((both(6, 0.7),), "cheeks", "raised"),
        ((), "cheeks", "neutral"),
        ((both(9, 0.6),), "nose", "wrinkled"),
        ((both(12, 0.6),), "nose", "neutral"),
        ((both(1, 0.7), both(2, 0.7)), "forehead", "lined"),
        ((), "forehead", "smooth"),
    ],
)
def test_cues_follow_the_drawn_geometry(units: tuple[Unit, ...], cue: str, value: str) -> None:
    assert draw(REST.with_units(*units), size=64).cues[cue] == value


def test_cues_do_not_depend_on_pose() -> None:
    face = REST.with_units(both(1, 0.8), both(2, 0.8), both(5, 0.8))
    for pose in (Pose(), Pose(yaw=15), Pose(pitch=-10, roll=12)):
        cues = draw(replace(face, pose=pose), size=64).cues
        assert (cues["eyebrows"], cues["eyes"]) == ("raised", "wide")


@pytest.mark.parametrize(
    ("pose", "name"),
    [
        (Pose(), "frontal"),
        (Pose(yaw=12), "turned left"),
        (Pose(yaw=-12, roll=6), "turned right"),
        (Pose(pitch=9), "up"),
        (Pose(pitch=-9), "down"),
        (Pose(roll=10), "tilted left"),
        (Pose(roll=-10), "tilted right"),
    ],
)
def test_head_pose_is_named_and_drawn(pose: Pose, name: str) -> None:
    drawing = draw(replace(REST, pose=pose), size=64)
    assert drawing.cues["head_pose"] == name
    nose, still = drawing.landmarks["nose"][0], draw(REST, size=64).landmarks["nose"][0]
    if name.startswith("turned"):
        assert (nose[0] > still[0]) == (name == "turned left")
    if name in ("up", "down"):
        assert (nose[1] < still[1]) == (name == "up")


@pytest.mark.parametrize(
    ("gaze", "name"),
    [((0, 0), "direct"), ((0.9, 0.1), "left"), ((-0.9, 0.1), "right"), ((0.1, -0.8), "up")],
)
def test_gaze_is_named_and_drawn(gaze: tuple[float, float], name: str) -> None:
    looking = draw(replace(REST, gaze=gaze), size=256)
    assert looking.cues["gaze"] == name
    if name not in ("left", "right"):
        return
    # The iris is the dark part of the opening; its centre of mass moves with the gaze.
    centres = []
    for drawing in (looking, draw(REST, size=256)):
        eye = np.array(drawing.landmarks["left_eye"])
        (x0, y0), (x1, y1) = eye.min(axis=0).astype(int), eye.max(axis=0).astype(int)
        dark = 255 - drawing.pixels[y0 + 2 : y1, x0 + 3 : x1 - 3].mean(axis=2)
        centres.append(float((dark.sum(axis=0) * np.arange(dark.shape[1])).sum() / dark.sum()))
    assert (centres[0] > centres[1]) == (name == "left")


def test_teeth_visible_agrees_with_the_pixels() -> None:
    seen = {"yes": 0, "no": 0}
    for index in range(70):
        face = face_at(index, seed=2)
        face = replace(face, nuisance=Nuisance(), identity=replace(face.identity, beard="none"))
        drawing = draw(face, size=128)
        hidden = draw(replace(face, teeth=0.0), size=128)
        assert hidden.cues["teeth_visible"] == "no" and not hidden.teeth.any()
        brighter = drawing.pixels.mean(axis=2) - hidden.pixels.mean(axis=2)
        answer = drawing.cues["teeth_visible"]
        seen[answer] += 1
        if answer == "yes":  # independent of the mask: enamel is far brighter than the mouth
            assert (brighter > 40).sum() >= 8
            assert drawing.teeth.sum() >= 8
            inner = np.array(drawing.landmarks["inner_mouth"])
            rows, columns = np.nonzero(drawing.teeth)
            assert inner[:, 1].min() - 2 <= rows.min() and rows.max() <= inner[:, 1].max() + 2
            assert inner[:, 0].min() - 2 <= columns.min() and columns.max() <= inner[:, 0].max() + 2
        else:
            assert (brighter > 40).sum() < 30
    assert min(seen.values()) > 8


def test_bared_teeth_are_seen_wherever_the_lips_part_whatever_the_emotion() -> None:
    wrong = asked = 0
    for index in range(210):
        face = face_at(index, seed=6)
        if not any(u.number == 25 and u.peak >= 0.5 for u in face.units):
            continue
        asked += 1
        seen = draw(face, size=64).cues["teeth_visible"] == "yes"
        wrong += seen != (face.teeth > 0)
    assert asked > 30
    assert wrong <= 0.03 * asked


def test_shut_lips_show_no_teeth() -> None:
    for number in sorted(set(UNIT_TABLE) - {25}):
        drawing = draw(replace(REST, teeth=1.0).with_units(both(number, 1.0)), size=64)
        assert drawing.cues["teeth_visible"] == "no"


def test_pixels_do_not_read_the_label() -> None:
    face = face_at(0, seed=3)
    pictures = {
        draw(replace(face, emotion=name), size=64).pixels.tobytes()
        for name in ("anger", "neutral", "happiness")
    }
    assert len(pictures) == 1


def test_nuisance_changes_pixels_but_no_cue() -> None:
    plain = draw(REST, size=96)
    for change in (
        {"noise": 5.0},
        {"blur": 2.0},
        {"jpeg_quality": 40},
        {"light_level": 0.8},
        {"light_azimuth": -60.0},
        {"scale": 0.9},
        {"shift_x": 0.05},
        {"background_colours": ((10, 20, 30), (90, 0, 0))},
    ):
        other = draw(replace(REST, nuisance=replace(Nuisance(), **change)), size=96)
        assert (other.pixels != plain.pixels).any(), change
        assert other.cues == plain.cues, change


def test_pictures_have_not_drifted() -> None:
    """A model is trained on these pictures: a change of looks must be meant."""
    golden = json.loads((Path(__file__).parent / "golden.json").read_text())
    for key, expected in golden.items():
        pixels = draw(face_at(int(key), seed=0), size=128).pixels
        blocks = pixels.astype(float).reshape(8, 16, 8, 16, 3).mean(axis=(1, 3, 4))
        assert np.abs(blocks - np.array(expected)).max() < 2.0, key


def test_darker_skin_is_drawn_darker() -> None:
    means = [
        draw(replace(REST, identity=replace(PLAIN, skin_tone=tone)), size=64).pixels[36:44].mean()
        for tone in (1, 4, 6, 8, 10)
    ]
    assert means == sorted(means, reverse=True)
