"""Two samples as one picture: pixel by pixel, frame by frame, and what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.conditions.mixture import (
    Mixed,
    beside,
    mixed,
    mixes,
    partner_in,
    unmixed,
    weight_of,
)
from harness.conditions.presentation import read_presentation
from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture


def held(
    colour: tuple[int, int, int], size: tuple[int, int] = (6, 4), name: str = "p"
) -> HeldPicture:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


def clip(*greys: int) -> Medium:
    frames = tuple(held((g, g, g), name=str(g)) for g in greys)
    return Medium(kind="clip", frames=frames, indices=tuple(range(len(greys))))


def pixel(data: bytes) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(data))
    found = picture.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


def shown(name: str, own: Medium, other: Medium, policy: str = "all") -> Medium:
    return beside(load_condition(name), other, called="b", policy=policy).apply(own)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2**31))
def test_a_mixture_is_the_weighted_mean_of_the_pixels(parts: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 256, (5, 7, 3), dtype=np.uint8) for _ in range(2))
    weight = parts / 10_000
    found = np.asarray(mixed(Image.fromarray(a), Image.fromarray(b), weight), dtype=float)
    expected = weight * a.astype(float) + (1 - weight) * b.astype(float)
    assert np.abs(found - expected).max() <= 0.5 + 1e-9


def test_the_weight_is_the_samples_own_share() -> None:
    found = shown("mix:0.75", image(held((200, 0, 0))), image(held((0, 0, 100))))
    data = found.frames[0].read()
    assert pixel(data) == (150, 0, 25)
    assert data == found.frames[0].read()
    assert found.changes == ("mix:0.75-with-b",)
    assert pixel(
        shown("mix:1", image(held((9, 8, 7))), image(held((0, 0, 0)))).frames[0].read()
    ) == (9, 8, 7)


def test_the_other_picture_takes_the_size_of_the_first() -> None:
    found = shown("mix:0.5", image(held((200, 0, 0))), image(held((0, 0, 100), size=(31, 17))))
    assert Image.open(io.BytesIO(found.frames[0].read())).size == (6, 4)


def test_clips_are_mixed_frame_by_frame_and_a_longer_one_is_drawn_together() -> None:
    found = shown("mix:0.5", clip(0, 0, 0), clip(0, 50, 100, 150, 200))
    assert [pixel(frame.read())[0] for frame in found.frames] == [0, 50, 100]
    found = shown("mix:0.5", clip(0, 0, 0, 0, 0), clip(0, 100, 200), policy="all")
    assert [pixel(frame.read())[0] for frame in found.frames] == [0, 50, 50, 100, 100]
    found = shown("mix:0.5", clip(0), clip(0, 100, 200))
    assert [pixel(frame.read())[0] for frame in found.frames] == [50]
    assert len(shown("mix:0.5", clip(0, 0), clip(*range(9)), policy="uniform-2").frames) == 2


def test_a_picture_and_a_clip_make_no_mixture() -> None:
    with pytest.raises(MediaError, match="a picture and a clip cannot be mixed"):
        shown("mix:0.5", image(held((0, 0, 0))), clip(0, 1))


def test_without_a_second_sample_the_trial_fails_as_such() -> None:
    with pytest.raises(MediaError, match="mixes a sample with one of another label") as caught:
        load_condition("mix:0.5").apply(image(held((0, 0, 0))))
    assert caught.value.kind == "unsupported"


def test_names_and_records() -> None:
    assert weight_of("mix:0.25") == 0.25
    assert weight_of("mix:0.25+label-order:reversed") == 0.25
    assert weight_of("blank") is None
    assert unmixed("mix:0.25") == "none"
    assert unmixed("mix:0.25+shots-4") == "shots-4"
    assert partner_in(["apex-of-3", "mix:0.25-with-a-with-b/c.png"]) == "a-with-b/c.png"
    assert partner_in(None) is None
    assert partner_in([1, "blank"]) is None
    for name in ("mix:1.5", "mix:-0.5", "mix:", "mix:half", "mix:0.123456"):
        with pytest.raises(HarnessError, match="is not between 0 and 1"):
            load_condition(name)


def test_it_stands_behind_orders_examples_and_beside_other_pictures() -> None:
    for name in ("mix:0.5+label-order:reversed", "mix:0.5+shots-4", "none+mix:0.5"):
        condition = read_presentation(name).load()
        assert mixes(condition)
        found = beside(condition, image(held((0, 0, 100))), called="b", policy="all")
        frames = found.apply(image(held((200, 0, 0)))).frames
        assert pixel(frames[-1].read()) == (100, 0, 50)
    assert not mixes(load_condition("blank"))
    assert isinstance(beside(load_condition("mix:0"), clip(1), called="b", policy="all"), Mixed)
