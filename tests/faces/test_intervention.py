from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.faces import (
    BASIC_8,
    CUE_VALUES,
    INTERVENTIONS,
    REFUSED,
    Drawing,
    Face,
    Pose,
    both,
    draw,
    face_at,
    identity_at,
    measure,
    region_of,
    with_cue,
)
from harness.faces.recipes import CUE_UNITS, RECIPES
from harness.faces.region import SPREAD

CHANGES = [(cue, value) for cue, row in INTERVENTIONS.items() for value in row.values]
SIZE = 224
PERSON = replace(
    identity_at(3, seed=7, split="test"), glasses="none", beard="none", age=0.0, age_group="18-29"
)


@cache
def sampled(index: int) -> Face:
    """A face with its noise and blur but without JPEG, whose blocks would carry changes on."""
    face = face_at(index, seed=5, labels=BASIC_8)
    return replace(face, nuisance=replace(face.nuisance, jpeg_quality=100))


@cache
def drawn(index: int) -> Drawing:
    return draw(sampled(index), size=SIZE)


def changed(face: Face, cue: str, value: str) -> Face | None:
    """None where the change is refused."""
    wanted = value == "yes" if cue == "teeth_visible" else value
    try:
        return with_cue(face, **{cue: wanted})  # type: ignore[arg-type]
    except HarnessError as refusal:
        assert refusal.hint
        return None


@pytest.mark.parametrize(("cue", "value"), CHANGES)
def test_one_cue_changes_within_its_region_and_no_other_does(cue: str, value: str) -> None:
    made = 0
    for index in range(0, 120, 3):
        face = sampled(index)
        other = changed(face, cue, value) if value != "closed" or index < 9 else None
        if other is None or other == face:
            continue
        made += 1
        before = drawn(index)
        after = draw(other, size=SIZE)
        if cue in CUE_VALUES:
            assert after.cues[cue] == value
        moved = {name for name in CUE_VALUES if before.cues[name] != after.cues[name]}
        assert moved <= {cue}
        outside = ~region_of(face, cue, size=SIZE)
        difference = np.abs(after.pixels.astype(int) - before.pixels.astype(int)).max(axis=2)
        assert difference.max() > 10
        limit = 0 if INTERVENTIONS[cue].exact else SPREAD
        assert not (difference[outside] > limit).any()
        assert (difference[outside] > 0).mean() < 0.02 if outside.any() else cue == "head_pose"
        if made == 3:
            break
    # Closed eyes hide the gaze, so that is always refused; cheeks mostly hang on the smile.
    few = {("eyes", "closed"): 0, ("cheeks", "neutral"): 1}
    assert made >= few.get((cue, value), 3)


def test_a_change_keeps_person_room_and_sensor() -> None:
    for index in (0, 5):
        face = sampled(index)
        for cue, value in CHANGES:
            other = changed(face, cue, value) or face
            assert other.nuisance == face.nuisance and other.emotion == face.emotion
            assert replace(other.identity, glasses=face.identity.glasses) == face.identity
            assert other.pose == face.pose or cue == "head_pose"
            assert other.gaze == face.gaze or cue == "gaze"


def test_teeth_alone_are_changed_to_the_pixel_where_lips_part() -> None:
    face = face_at(0, seed=5).with_units(both(12, 0.6), both(25, 0.7))
    face = replace(face, teeth=0.0, nuisance=replace(face.nuisance, jpeg_quality=100))
    shown = with_cue(face, teeth_visible=True)
    assert replace(shown, teeth=0.0) == face
    a, b = draw(shown), draw(face)
    different = (a.pixels != b.pixels).any(axis=2)
    assert different.any() and not (different & ~region_of(face, "teeth_visible")).any()


def test_teeth_are_shown_and_hidden_wherever_lips_part() -> None:
    asked = 0
    for index in range(100):
        face = face_at(index, seed=6)
        if not any(u.number == 25 and u.peak >= 0.15 for u in face.units):
            continue
        asked += 1
        shown, hidden = with_cue(face, teeth_visible=True), with_cue(face, teeth_visible=False)
        assert measure(shown)["teeth_visible"] == "yes"
        assert measure(hidden)["teeth_visible"] == "no"
        assert {u.number for u in shown.units} == {u.number for u in face.units}
        if index % 4 == 0:  # at another size as well
            assert draw(shown, size=96).cues["teeth_visible"] == "yes"
    assert asked > 20


def test_shut_lips_are_refused_or_parted_alike_for_both_arms() -> None:
    shut = Face(identity=PERSON).with_units(both(4, 0.5))
    with pytest.raises(HarnessError, match="lips are shut"):
        with_cue(shut, teeth_visible=True)
    shown = with_cue(shut, teeth_visible=True, part_lips=True)
    hidden = with_cue(shut, teeth_visible=False, part_lips=True)
    assert replace(shown, teeth=0.0) == hidden
    (parted,) = (u for u in shown.units if u.number == 25)
    assert parted.peak < 0.45  # the least that shows teeth
    assert measure(shown) == measure(shut) | {"teeth_visible": "yes"}
    assert measure(hidden) == measure(shut)


def test_what_hangs_on_another_cue_is_refused_and_named() -> None:
    rest = Face(identity=PERSON)
    with pytest.raises(HarnessError, match="gaze would change as well"):
        with_cue(rest, eyes="closed")
    closed = with_cue(rest, eyes="closed", allow=("gaze",))
    assert measure(closed)["eyes"] == "closed"
    with pytest.raises(HarnessError, match="eyes are closed"):
        with_cue(closed, gaze="left")
    raised = rest.with_units(both(1, 0.9), both(2, 0.9))
    with pytest.raises(HarnessError, match="forehead would change as well"):
        with_cue(raised, eyebrows="neutral")
    assert measure(with_cue(raised, eyebrows="neutral", allow=("forehead",)))["eyes"] == "normal"
    grin = rest.with_units(both(12, 1.0))
    with pytest.raises(HarnessError, match="other units outweigh"):
        with_cue(grin, cheeks="neutral")


def test_a_cue_that_has_the_value_leaves_the_face_alone() -> None:
    face = Face(identity=PERSON, pose=Pose(yaw=2.0))
    cues = measure(face)
    for cue in ("eyebrows", "eyes", "mouth", "cheeks", "nose", "gaze", "head_pose"):
        assert with_cue(face, **{cue: cues[cue]}) == face
    assert with_cue(face, teeth_visible=False) == face
    assert with_cue(face, glasses=False) == face


def test_glasses_come_and_go_without_a_style() -> None:
    bare = Face(identity=PERSON)
    worn = with_cue(bare, glasses=True)
    assert worn.identity.glasses == "round"
    assert with_cue(worn, glasses=False) == bare
    square = with_cue(bare, glasses="square")
    assert with_cue(square, glasses=True) == square


def test_gaze_takes_an_offset() -> None:
    face = with_cue(Face(identity=PERSON), gaze=(-0.5, 0.1))
    assert face.gaze == (-0.5, 0.1) and measure(face)["gaze"] == "right"


def test_measuring_agrees_with_drawing() -> None:
    for index in range(0, 24, 3):
        assert measure(sampled(index)) == drawn(index).cues


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"eyes": "wide", "mouth": "smile"},
        {"eyes": "sleepy"},
        {"mouth": "pursed"},
        {"eyes": "wide", "allow": ("hat",)},
        {"eyes": "wide", "part_lips": True},
    ],
)
def test_bad_requests_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(HarnessError):
        with_cue(Face(identity=PERSON), **change)  # type: ignore[arg-type]


def test_the_tables_cover_every_cue() -> None:
    assert set(CUE_VALUES) <= set(INTERVENTIONS) | set(REFUSED)
    for cue, recipes in RECIPES.items():
        assert set(recipes) == set(INTERVENTIONS[cue].values)
        named = {u.number for row in recipes.values() for r in row for u in r.targets}
        assert named <= set(CUE_UNITS[cue])
    with pytest.raises(HarnessError, match="forehead"):
        region_of(Face(identity=PERSON), "forehead")
