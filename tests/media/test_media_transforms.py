"""Lazy transforms: nothing is read early, and the bytes are the same each time."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import MediaError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.media.decode import decode
from harness.media.transforms import blank, encode_png, resize, scale_to


class Unreadable:
    """A picture that fails when it is read."""

    name = "unreadable"

    def read(self) -> bytes:
        raise MediaError("gone", kind="missing")


def picture(width: int, height: int) -> HeldPicture:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "PNG")
    return HeldPicture("p", buffer.getvalue())


def test_nothing_is_read_before_it_is_asked_for() -> None:
    medium = blank(resize(image(Unreadable()), longer_side=8))
    with pytest.raises(MediaError, match="gone"):
        medium.frames[0].read()


def test_resize_sets_the_longer_side_and_says_so() -> None:
    medium = resize(image(picture(80, 40)), longer_side=20)
    data = medium.frames[0].read()
    assert decode(data, name="x").size == (20, 10)
    assert data.startswith(b"\x89PNG")
    assert data == medium.frames[0].read()
    assert medium.changes == ("resize-20",)
    assert medium.frames[0].name == "p (resize-20)"


def test_blank_is_uniform_mid_grey_of_the_same_size() -> None:
    seen = decode(blank(image(picture(33, 21))).frames[0].read(), name="x")
    assert seen.size == (33, 21)
    assert set(seen.tobytes()) == {128}


def test_transforms_chain_over_all_frames() -> None:
    clip = Medium(kind="clip", frames=(picture(8, 8), picture(16, 8)), indices=(3, 9), apex=9)
    medium = blank(resize(clip, longer_side=4))
    assert [decode(f.read(), name="x").size for f in medium.frames] == [(4, 4), (4, 2)]
    assert (medium.indices, medium.apex) == ((3, 9), 9)
    assert medium.changes == ("resize-4", "blank")


def test_encoding_drops_metadata() -> None:
    noted = Image.new("RGB", (3, 3))
    noted.info["comment"] = "secret"
    assert encode_png(noted) == encode_png(Image.new("RGB", (3, 3)))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_scaling_keeps_proportions(width: int, height: int, longer: int) -> None:
    scaled = scale_to(Image.new("RGB", (width, height)), longer)
    assert max(scaled.size) == longer
    shorter = longer * min(width, height) / max(width, height)
    assert min(scaled.size) == pytest.approx(max(1, shorter), abs=0.51)


def test_a_side_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="longer_side"):
        resize(image(picture(4, 4)), longer_side=0)
