from __future__ import annotations

import io
from typing import Any

import PIL.Image
import pytest

from harness.core.errors import MediaError
from harness.core.message import Image
from harness.models.transformers import picture
from harness.models.transformers.picture import decode_picture


def saved(made: PIL.Image.Image, form: str = "PNG", **options: Any) -> Image:
    stream = io.BytesIO()
    made.save(stream, form, **options)
    return Image("x", stream.getvalue())


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "CMYK", "I;16"])
def test_every_mode_becomes_rgb_of_the_same_size(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    got = decode_picture(saved(PIL.Image.new(mode, (5, 3)), form))
    assert (got.mode, got.size) == ("RGB", (5, 3))


def test_pixels_are_kept_and_the_transparent_is_white() -> None:
    made = PIL.Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    made.putpixel((1, 0), (10, 20, 30, 0))
    got = decode_picture(saved(made))
    assert [got.getpixel((x, 0)) for x in (0, 1)] == [(10, 20, 30), (255, 255, 255)]


def test_a_moving_picture_gives_its_first_frame() -> None:
    frames = [PIL.Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    got = decode_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert got.getpixel((0, 0)) == (254, 0, 0) or got.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"nope", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" * 9])
def test_what_is_no_picture_is_corrupt(data: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        decode_picture(Image("face.png", data))
    assert caught.value.kind == "corrupt" and "face.png" in caught.value.message
    assert "0x" not in caught.value.message  # an address would differ from run to run


def test_a_cut_file_is_corrupt() -> None:
    whole = saved(PIL.Image.effect_noise((64, 64), 90).convert("RGB"), "JPEG")
    with pytest.raises(MediaError):
        decode_picture(Image("cut", whole.data[: len(whole.data) // 2]))


def test_a_picture_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MOST_PIXELS", 99)
    with pytest.raises(MediaError) as caught:
        decode_picture(saved(PIL.Image.new("RGB", (10, 10))))
    assert caught.value.kind == "too-large"
