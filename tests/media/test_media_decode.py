"""Decoding with limits: whatever the bytes are, an RGB picture or a MediaError."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import MediaError
from harness.core.picture import FilePicture, HeldPicture
from harness.media.decode import decode, open_picture
from harness.media.verify import check

GREY = 128


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def noise(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header promises much and whose pixels never come."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


SAMPLES = {
    form: encoded(noise(), form, **options)
    for form, options in (
        ("PNG", {}),
        ("JPEG", {"quality": 90}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
    )
}


@pytest.mark.parametrize("form", SAMPLES)
def test_every_format_opens_as_rgb(form: str) -> None:
    image = decode(SAMPLES[form], name="a")
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert check(SAMPLES[form], "a") == (40, 30)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_keep_every_pixel(form: str) -> None:
    assert decode(SAMPLES[form], name="a").tobytes() == noise().tobytes()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("kept", [0.5, 0.98])
def test_a_truncated_file_is_corrupt(form: str, kept: float) -> None:
    data = SAMPLES[form]
    cut = data[: int(len(data) * kept)]
    for look in (lambda: decode(cut, name="cut.x"), lambda: check(cut, "cut.x")):
        with pytest.raises(MediaError, match=r"cut\.x") as caught:
            look()
        assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("size", [(40_000, 40_000), (10_000, 8_000), (2**31 - 1, 1)])
def test_a_huge_png_is_refused_from_its_header(size: tuple[int, int]) -> None:
    data = png_header(*size)
    tracemalloc.start()
    for look in (decode, check):
        with pytest.raises(MediaError) as caught:
            look(data, name="huge.png")
        assert caught.value.kind == "too-large"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_huge_webp_is_refused_from_its_header() -> None:
    side = (20_000 - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + side + side
    data = b"RIFF" + struct.pack("<I", len(body)) + body
    for look in (decode, check):
        with pytest.raises(MediaError) as caught:
            look(data, name="huge.webp")
        assert caught.value.kind == "too-large"


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 60}, {"exif": b"Exif\0\0"}])
def test_check_reads_every_kind_of_webp(options: dict[str, object]) -> None:
    data = encoded(noise(33, 21), "WEBP", **options)
    assert check(data, "a") == (33, 21) == decode(data, name="a").size
    with pytest.raises(MediaError):
        check(data[:-10], "a")


def test_a_picture_just_within_the_limit_is_decoded() -> None:
    data = encoded(Image.new("L", (10_000, 5_000)), "PNG")
    assert check(data, "a") == (10_000, 5_000)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"not a picture at all", "unsupported"),
        (b"%PDF-1.4", "unsupported"),
        (b"\xff\xd8\xff", "corrupt"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
        (png_header(0, 5), "corrupt"),
    ],
)
def test_what_is_no_picture_says_so(data: bytes, kind: str) -> None:
    for look in (decode, check):
        with pytest.raises(MediaError, match="thing") as caught:
            look(data, name="thing")
        assert caught.value.kind in ({kind, "unsupported"} if kind == "corrupt" else {kind})


def test_a_zero_byte_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(MediaError, match=r"a\.png") as caught:
        open_picture(FilePicture(tmp_path / "a.png"))
    assert caught.value.kind == "empty"


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.png") as caught:
        open_picture(FilePicture(tmp_path / "gone.png"))
    assert caught.value.kind == "missing"


def test_exif_orientation_turns_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to view
    data = encoded(noise(), "PNG", exif=exif)
    upright = decode(data, name="a")
    assert upright.size == (30, 40)
    assert upright.tobytes() == noise().transpose(Image.Transpose.ROTATE_270).tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_mid_grey(mode: str) -> None:
    clear = Image.new(mode, (4, 4), (255, 255, 255, 0) if mode == "RGBA" else (255, 0))
    assert set(decode(encoded(clear, "PNG"), name="a").tobytes()) == {GREY}


def test_a_transparent_palette_colour_shows_mid_grey() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    data = encoded(image, "PNG", transparency=0)
    assert list(decode(data, name="a").tobytes()) == [GREY] * 3 + [0, 255, 0]


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    values = np.array([[0, 257, 32_896, 65_535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    assert list(decode(data, name="a").tobytes()[::3]) == [0, 1, 128, 255]


def test_cmyk_becomes_rgb() -> None:
    data = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    red, green, blue = decode(data, name="a").getpixel((4, 4))
    assert red > 200
    assert max(green, blue) < 60


def test_floating_point_pixels_are_unsupported() -> None:
    data = encoded(Image.fromarray(np.ones((3, 3), dtype=np.float32)), "TIFF")
    with pytest.raises(MediaError) as caught:
        decode(data, name="a.tif")
    assert caught.value.kind == "unsupported"


def test_an_animation_gives_its_first_frame() -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    data = encoded(red, "GIF", save_all=True, append_images=[blue])
    assert decode(data, name="a").getpixel((0, 0)) == (255, 0, 0)


def test_check_accepts_bytes_behind_the_end() -> None:
    assert check(SAMPLES["JPEG"] + b"trailer", "a") == (40, 30)
    assert check(SAMPLES["PNG"] + b"trailer", "a") == (40, 30)


def test_check_is_not_fooled_by_a_thumbnail() -> None:
    """The end marker of an embedded thumbnail is not the end of the picture."""
    body = SAMPLES["JPEG"]
    thumbnail = b"Exif\0\0" + encoded(Image.new("RGB", (4, 4)), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = body[:2] + segment + body[2:]
    assert check(whole, "a") == (40, 30)
    with pytest.raises(MediaError):
        check(whole[: len(whole) - len(body) // 2], "a")


def test_check_reads_progressive_jpeg() -> None:
    data = encoded(noise(), "JPEG", progressive=True)
    assert check(data, "a") == (40, 30)
    with pytest.raises(MediaError):
        check(data[:-200], "a")


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(sorted(SAMPLES)),
    edits=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=6),
    kept=st.integers(0, 6_000),
)
def test_damaged_bytes_give_a_picture_or_a_media_error(
    form: str, edits: list[tuple[int, int]], kept: int
) -> None:
    data = bytearray(SAMPLES[form])
    for at, value in edits:
        data[at % len(data)] = value
    cut = bytes(data[:kept]) if kept < 5_000 else bytes(data)
    for look in (decode, check):
        try:
            look(cut, name="x")
        except MediaError as error:
            assert error.kind in {"empty", "corrupt", "too-large", "unsupported"}


@given(st.binary(max_size=300))
def test_any_bytes_give_a_media_error(data: bytes) -> None:
    with pytest.raises(MediaError):
        decode(data, name="x")


def test_held_bytes_open() -> None:
    assert open_picture(HeldPicture("row 3", SAMPLES["PNG"])).size == (40, 30)
