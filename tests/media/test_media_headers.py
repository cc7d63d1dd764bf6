"""What a JPEG's segments tell, beside what Pillow says of the same file."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from harness.media.headers import plain_jpeg, whole_jpeg

EXIF = Image.Exif()
EXIF[0x0112] = 6


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((37, 23)).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (jpeg(), True),
        (jpeg("L"), True),
        (jpeg(progressive=True, optimize=True), True),
        (jpeg(subsampling=0, quality=100), True),
        (jpeg(restart_marker_blocks=2), True),
        (jpeg(comment=b"a note"), True),
        (jpeg("CMYK"), False),
        (jpeg(exif=EXIF), False),
        (jpeg(xmp=b"<x:xmpmeta/>"), False),
        (jpeg(icc_profile=b"p" * 200), False),
        (jpeg(keep_rgb=True), False),
        (b"", False),
        (jpeg()[:60], False),
        (b"\xff\xd8\xff", False),
    ],
)
def test_a_plain_jpeg_is_one_that_leaves_nothing_open(data: bytes, plain: bool) -> None:
    assert (plain_jpeg(data) is not None) is plain
    if plain:
        assert whole_jpeg(data) == (37, 23)
        opened = Image.open(io.BytesIO(data))
        assert opened.mode in {"RGB", "L"} and not opened.getexif()


def test_a_second_frame_header_or_a_length_past_the_end_is_not_plain() -> None:
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    length = int.from_bytes(data[frame + 2 : frame + 4], "big") + 2
    assert not plain_jpeg(data[:frame] + data[frame : frame + length] + data[frame:])
    assert not plain_jpeg(data[: frame + 2] + b"\xff\xff" + data[frame + 4 :])
