"""Plain pictures keep their bytes; pictures that readers show differently become plain."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import MediaError
from harness.media import decode, portable


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
