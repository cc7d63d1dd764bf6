"""Plain pictures keep their bytes; pictures that readers show differently become plain."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import MediaError
from harness.media.decode import decode
from harness.media.portable import READ_AS, portable, portable_noted


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


RED = Image.new("RGB", (6, 4), "red")
GREY_16 = Image.fromarray(np.full((4, 6), 30_000, dtype=np.uint16))

PLAIN = {
    "jpeg": encoded(RED, "JPEG"),
    "jpeg upright": encoded(RED, "JPEG", exif=turned(1)),
    "png": encoded(RED, "PNG"),
    "png upright": encoded(RED, "PNG", exif=turned(1)),
    "grey": encoded(RED.convert("L"), "PNG"),
    "palette": encoded(RED.convert("P"), "PNG"),
    "webp": encoded(RED, "WEBP"),
}
OTHER = {
    "jpeg turned": encoded(RED, "JPEG", exif=turned(6)),
    "png turned": encoded(RED, "PNG", exif=turned(8)),
    "webp turned": encoded(RED, "WEBP", exif=turned(3)),
    "alpha": encoded(Image.new("RGBA", (6, 4), (255, 0, 0, 99)), "PNG"),
    "webp alpha": encoded(Image.new("RGBA", (6, 4), (255, 0, 0, 99)), "WEBP"),
    "16 bit": encoded(GREY_16, "PNG"),
    "cmyk": encoded(RED.convert("CMYK"), "JPEG"),
    "gif": encoded(RED, "GIF"),
    "bmp": encoded(RED, "BMP"),
    "tiff": encoded(RED, "TIFF"),
    "apng": encoded(RED, "PNG", save_all=True, append_images=[Image.new("RGB", (6, 4), "blue")]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_pictures_keep_their_bytes(name: str) -> None:
    assert portable(PLAIN[name], name=name) is PLAIN[name]


@pytest.mark.parametrize("name", OTHER)
def test_other_pictures_become_what_is_decoded(name: str) -> None:
    data = portable(OTHER[name], name=name)
    assert data.startswith(b"\x89PNG")
    shown = Image.open(io.BytesIO(data))
    expected = decode(OTHER[name], name=name)
    assert (shown.mode, shown.size) == ("RGB", expected.size)
    assert shown.tobytes() == expected.tobytes()
    assert portable(data, name=name) is data


def test_what_is_no_picture_says_so() -> None:
    with pytest.raises(MediaError, match="thing"):
        portable(b"no", name="thing")


def frames(form: str) -> bytes:
    others = [Image.new("RGB", (6, 4), "blue")]
    return encoded(RED, form, save_all=True, append_images=others)


def png_with_text(kind: str, *, before: bool = True) -> bytes:
    """A PNG with a compressed text of 4 MB before or behind its pixels."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    if kind == "zTXt":
        texts.add_text("parameters", "x" * 4_000_000, zip=True)
    else:
        texts.add_itxt("parameters", "x" * 4_000_000, zip=True)
    data = encoded(RED, "PNG", pnginfo=texts)
    if before:
        return data
    at = data.index(kind.encode()) - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    return data[:at] + data[end:-12] + data[at:end] + data[-12:]


DEEP = np.array([[0, 257, 32_896, 65_535]], dtype=">u2")


def png_16_bit_rgb() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    row = np.repeat(DEEP[0], 3).astype(">u2").tobytes()
    head = struct.pack(">IIBBBBB", 4, 1, 16, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (frames("GIF"), ("first-frame",)),
        (frames("PNG"), ("first-frame",)),
        (frames("WEBP"), ("first-frame",)),
        (frames("TIFF"), ("first-frame",)),
        (encoded(RED, "GIF"), ()),
        (OTHER["16 bit"], ("16-bit-to-8",)),
        (png_16_bit_rgb(), ("16-bit-to-8",)),
        (OTHER["alpha"], ("transparency-over-grey",)),
        (encoded(RED.convert("RGBA"), "PNG"), ()),  # nothing shows through
        (png_with_text("zTXt"), ("texts-left-out",)),
        (png_with_text("iTXt"), ("texts-left-out",)),
        (png_with_text("zTXt", before=False), ("texts-left-out",)),
        (PLAIN["jpeg"], ()),
    ],
)
def test_the_rules_that_were_applied_are_told(data: bytes, rules: tuple[str, ...]) -> None:
    sent, applied = portable_noted(data, name="a")
    assert applied == rules
    assert set(applied) <= set(READ_AS)
    with Image.open(io.BytesIO(sent)) as opened:
        opened.load()  # as any reader does
        assert not getattr(opened, "is_animated", False)
    assert np.array_equal(np.asarray(decode(sent, name="a")), np.asarray(decode(data, name="a")))


@pytest.mark.parametrize("data", [png_16_bit_rgb(), b"P5 4 1 65535\n" + DEEP.tobytes()])
def test_16_bits_are_scaled_over_their_whole_range(data: bytes) -> None:
    shown = np.asarray(decode(portable(data, name="a"), name="a"))[0, :, 0]
    assert shown.tolist() == [0, 1, 128, 255]


def heic(image: Image.Image) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["AVIF", "PPM", "HEIC", "JPEG"])
def test_formats_are_known_by_content(form: str) -> None:
    from harness.media.headers import is_picture

    big = RED.resize((64, 48))
    data = heic(big) if form == "HEIC" else encoded(big, form)
    assert is_picture(data[:16])
    sent = portable(data, name="called.txt")
    assert np.abs(np.asarray(decode(sent, name="a"))[20, 20].astype(int) - (255, 0, 0)).max() < 12
    with pytest.raises(MediaError):
        portable(data[: len(data) // 2], name="cut")


def test_heic_without_its_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = heic(RED.resize((64, 48)))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MediaError, match="pillow-heif is not installed") as caught:
        portable(data, name="a.heic")
    assert caught.value.kind == "unsupported"
    assert "[heic]" in caught.value.hint
