"""Bytes that every reader shows the same way.

Servers differ in what they do with EXIF orientation, transparency, 16-bit grey, CMYK, animations and
rarer formats: some turn the picture, some do not; some lay it over white, some over black. A plain
JPEG, PNG or WebP leaves nothing to differ about and keeps its own bytes; any other picture becomes a
PNG of what `harness.media.decode` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import MediaError
from harness.media.decode import DAMAGE, check_size, corrupt, decode, open_header
from harness.media.headers import plain_jpeg
from harness.media.transforms import encode_png
from harness.media.verify import check

if TYPE_CHECKING:
    from PIL import Image

_PLAIN_FORMATS = frozenset({"JPEG", "PNG", "WEBP"})
_PLAIN_MODES = frozenset({"RGB", "L", "P", "1"})
_ORIENTATION = 0x0112
_TURNED = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
"""Where Pillow keeps what may hold an orientation."""


def portable(data: bytes, *, name: str) -> bytes:
    """The same bytes where they are plain, else a PNG. Raises MediaError as `check` and `decode` do."""
    size = plain_jpeg(data)
    if size is not None:  # without Pillow's slower reading of the header
        check_size(*size, name=name)
        return data
    check(data, name)
    opened = open_header(data, name=name)
    try:
        plain = _is_plain(opened, data)
    except MediaError:
        raise
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None
    return data if plain else encode_png(decode(data, name=name))


def _is_plain(opened: Image.Image, data: bytes) -> bool:
    return (
        opened.format in _PLAIN_FORMATS
        and opened.mode in _PLAIN_MODES
        and "transparency" not in opened.info
        and not getattr(opened, "is_animated", False)
        and _is_upright(opened, data)
    )


def _is_upright(opened: Image.Image, data: bytes) -> bool:
    behind_pixels = opened.format == "PNG" and b"eXIf" in data  # not read with the header
    if behind_pixels or any(key in opened.info for key in _TURNED):
        return int(opened.getexif().get(_ORIENTATION, 1)) == 1
    return True
