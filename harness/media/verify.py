"""A cheap check of every picture before it is sent: header, limits and proper end.

A file that its own container says is whole (see `harness.media.headers`) passes in microseconds.
Anything doubtful, and every format but JPEG, PNG and WebP, is decoded in full. Damage that keeps a
file's length and frame (a flipped bit inside the compressed pixels) is not looked for here; `decode`
finds what the decoder can find.
"""

from __future__ import annotations

from harness.core.errors import MediaError
from harness.core.picture import Picture
from harness.media.decode import DAMAGE, check_size, decode, open_header
from harness.media.headers import whole_jpeg, whole_png, whole_webp

_TURNED = range(5, 9)
"""EXIF orientations that swap width and height."""


def check(data: bytes, name: str) -> tuple[int, int]:
    """Width and height in pixels, as stored (before EXIF orientation).

    Raises MediaError: `empty`, `too-large`, `unsupported`, `corrupt` (truncated files included).
    """
    if not data:
        raise MediaError(f"picture is empty: {name}", kind="empty", hint="get the file again")
    size = whole_jpeg(data) or whole_png(data) or whole_webp(data)
    if size is None:
        size = decode(data, name=name).size
    check_size(*size, name=name)
    return size


def upright_size(picture: Picture) -> tuple[int, int]:
    """Width and height of a picture once it is decoded, EXIF orientation applied. Raises MediaError."""
    opened = open_header(picture.read(), name=picture.name)
    try:
        turned = opened.getexif().get(0x0112) in _TURNED
    except DAMAGE:  # as where it is decoded: unreadable metadata turns nothing
        turned = False
    width, height = opened.size
    return (height, width) if turned else (width, height)
