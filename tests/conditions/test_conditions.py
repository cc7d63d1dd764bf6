"""Conditions by name."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from harness.conditions import CONDITIONS, load_condition
from harness.core.errors import HarnessError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.media import decode


def picture(name: str = "p") -> HeldPicture:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


CLIP = Medium(
    kind="clip", frames=tuple(picture(str(i)) for i in range(9)), indices=tuple(range(9)),
    onset=1, apex=5, offset=8,
)  # fmt: skip


def test_each_condition_carries_its_name_and_a_line_about_itself() -> None:
    assert CONDITIONS.names() == ("apex", "blank", "none", "onset-apex-offset")
    for name in CONDITIONS.names():
        condition = load_condition(name)
        assert condition.name == name
        assert condition.description
        assert "\n" not in condition.description


def test_none_changes_nothing() -> None:
    assert load_condition("none").apply(CLIP) is CLIP


def test_blank_hides_every_frame() -> None:
    shown = load_condition("blank").apply(CLIP)
    assert shown.changes == ("blank",)
    assert shown.indices == CLIP.indices
    for frame in shown.frames:
        seen = decode(frame.read(), name="x")
        assert (seen.size, set(seen.tobytes())) == ((6, 4), {128})


@pytest.mark.parametrize(("name", "shown"), [("apex", (5,)), ("onset-apex-offset", (1, 5, 8))])
def test_frame_conditions_pick_frames(name: str, shown: tuple[int, ...]) -> None:
    condition = load_condition(name)
    assert condition.apply(CLIP).indices == shown
    single = image(picture())
    assert condition.apply(single) == single


def test_an_unknown_condition_names_those_there_are() -> None:
    with pytest.raises(HarnessError, match="blank, none"):
        load_condition("blur")
