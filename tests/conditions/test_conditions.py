"""Conditions by name."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from harness.conditions.presentation import read_presentation
from harness.conditions.registry import describe_conditions, load_condition
from harness.core.condition import Choosing, Telling
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.media.decode import decode


def picture(name: str = "p") -> HeldPicture:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


CLIP = Medium(
    kind="clip", frames=tuple(picture(str(i)) for i in range(9)), indices=tuple(range(9)),
    onset=1, apex=5, offset=8,
)  # fmt: skip


EXAMPLES = {
    "uniform-N": "uniform-3",
    "around-apex-N": "around-apex-2",
    "contact-sheet-N": "contact-sheet-4",
    "magnified-N": "magnified-2.5",
    "video-N": "video-16",
    "video-slowed-N": "video-slowed-20",
    "cue:NAME=VALUE": "cue:teeth_visible=yes",
    "shots-N": "shots-4",
    "mix:LAMBDA": "mix:0.7",
    "region:PART=FILL": "region:mouth=blur",
    "region-control:PART=FILL": "region-control:teeth=mean",
    "resize:SIDE": "resize:224",
    "face-crop[:MARGIN]": "face-crop:0.4",
    "degrade:KIND=SEVERITY": "degrade:blur=3",
    "enhance:NAME": "enhance:clahe",
    "label-order:ORDER": "label-order:reversed",
}


def test_each_condition_carries_its_name_and_a_line_about_itself() -> None:
    described = {one.name: one.line for one in describe_conditions()}
    assert {"none", "blank", "apex", "optical-flow", "difference", *EXAMPLES} <= set(described)
    for listed, line in described.items():
        name = EXAMPLES.get(listed, listed)
        assert line
        assert "\n" not in line
        example = EXAMPLES.get(name, name)
        assert read_presentation(example).name == example


def test_none_changes_nothing() -> None:
    assert load_condition("none").apply(CLIP) is CLIP


def test_blank_hides_every_frame() -> None:
    shown = load_condition("blank").apply(CLIP)
    assert shown.changes == ("blank",)
    assert shown.indices == CLIP.indices
    for frame in shown.frames:
        seen = decode(frame.read(), name="x")
        assert (seen.size, set(seen.tobytes())) == ((6, 4), {128})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("apex", (5,)),
        ("onset-apex-offset", (1, 5, 8)),
        ("all", tuple(range(9))),
        ("uniform-3", (0, 4, 8)),
        ("around-apex-1", (4, 5, 6)),
    ],
)
def test_frame_conditions_pick_frames(name: str, shown: tuple[int, ...]) -> None:
    condition = load_condition(name)
    assert condition.apply(CLIP).indices == shown
    single = image(picture())
    assert condition.apply(single) == single


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blur", "blank"),
        ("uniform-N", "uniform-8"),
        ("uniform-0", "from 1 to 1000"),
        ("uniform-2.5", "a whole number"),
        ("magnified-99", "from 1 to 50"),
        ("video-0", "from 1 to 1000"),
        ("apex+blur", "blank"),
        ("apex+", "blank"),
    ],
)
def test_an_unknown_condition_names_the_mend(name: str, message: str) -> None:
    with pytest.raises(HarnessError) as caught:
        load_condition(name)
    assert message in caught.value.hint


def whole(name: str) -> bool:
    condition = load_condition(name)
    return isinstance(condition, Choosing) and condition.whole_clip


def test_conditions_that_choose_frames_see_the_whole_clip() -> None:
    assert not any(map(whole, ("none", "blank", "contact-sheet")))
    assert all(
        map(whole, ("apex", "uniform-4", "contact-sheet-4", "difference", "apex+difference"))
    )


def told(name: str) -> dict[str, str]:
    condition = load_condition(name)
    return dict(condition.variables) if isinstance(condition, Telling) else {}


def test_what_is_no_plain_frame_is_told_to_prompts() -> None:
    assert [told(name) for name in ("none", "blank", "apex", "onset-apex-offset")] == [{}] * 4
    for name in ("uniform-4", "contact-sheet", "difference", "magnified-4"):
        assert told(name).keys() == {"shown"}
    assert told("optical-flow").keys() == {"shown", "flow_legend"}
    both = told("onset-apex-offset+optical-flow")
    assert both["flow_legend"] == told("optical-flow")["flow_legend"]
    assert both["shown"].startswith("These are the onset, apex and offset frames")
    assert "4 times" in told("magnified-4")["shown"]


def frame(shift: int) -> HeldPicture:
    """A dark square that stands `shift` pixels to the right."""
    picture = Image.new("RGB", (64, 64), (150, 150, 150))
    picture.paste((40, 40, 40), (20 + shift, 24, 36 + shift, 40))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return HeldPicture(f"f{shift}", buffer.getvalue())


MOVING = Medium(
    kind="clip", frames=tuple(frame(k) for k in (0, 1, 4, 1, 0)), indices=(10, 11, 12, 13, 14)
)


def test_a_sheet_is_one_picture_that_says_which_frames_it_holds() -> None:
    shown = load_condition("contact-sheet-3").apply(MOVING)
    assert len(shown.frames) == 1
    assert shown.changes == ("frames-uniform-3", "contact-sheet-of-10,12,14")
    width, height = decode(shown.frames[0].read(), name="x").size
    assert (width, height) > (3 * 64, 64)


@pytest.mark.parametrize("name", ["difference", "optical-flow"])
def test_movement_is_shown_from_onset_to_apex(name: str) -> None:
    pytest.importorskip("cv2")
    shown = load_condition(name).apply(MOVING)
    assert shown.indices == (12,)
    assert shown.changes == (
        f"{name}-10-to-12",
        "onset-unknown-first-shown",
        "apex-unknown-12-found-by-difference-from-rest",
    )
    seen = decode(shown.frames[0].read(), name="x")
    assert seen.size == (64, 64)
    assert len(set(seen.tobytes())) > 1


def test_magnified_frames_are_as_many_and_the_onset_is_untouched() -> None:
    pytest.importorskip("cv2")
    shown = load_condition("magnified-3").apply(MOVING)
    assert shown.indices == (10, 12, 14)
    assert shown.changes[-1] == "magnified-3"
    assert shown.frames[0] is MOVING.frames[0]
    assert shown.frames[1].read() != MOVING.frames[2].read()


def test_joined_conditions_show_one_after_the_other() -> None:
    shown = load_condition("onset-apex-offset+difference").apply(MOVING)
    assert shown.indices == (10, 12, 14, 12)
    assert [f.name for f in shown.frames] == ["f0", "f4", "f0", "difference: f0 -> f4"]


@pytest.mark.parametrize("name", ["difference", "optical-flow", "magnified-4"])
@pytest.mark.parametrize(
    "still",
    [
        image(picture()),
        Medium(kind="clip", frames=(picture(),), indices=(0,)),
        Medium(kind="clip", frames=(picture(), picture()), indices=(0, 1), onset=1, apex=1),
        Medium(kind="clip", frames=(), indices=()),
    ],
)
def test_where_nothing_can_move_the_trial_fails_as_such(name: str, still: Medium) -> None:
    with pytest.raises(MediaError) as caught:
        load_condition(name).apply(still)
    assert caught.value.kind in {"unsupported", "empty"}
    assert caught.value.hint
