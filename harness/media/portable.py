"""Encode pictures so that every reader shows them in the same way.

Servers differ in what they do with EXIF orientation, transparency, 16-bit grey, CMYK, animations and
rarer formats: some turn the picture, some do not; some lay it over white, some over black. A plain
JPEG, PNG or WebP leaves nothing to differ about and keeps its own bytes; any other picture becomes a
PNG of what `harness.media.decode` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.core.errors import MediaError
from harness.media.decode import DAMAGE, check_size, corrupt, decode, open_header, readable
from harness.media.headers import is_16_bit_png, plain_jpeg
from harness.media.transforms import encode_png
from harness.media.verify import check

if TYPE_CHECKING:
    from PIL import Image

_PLAIN_FORMATS = frozenset({"JPEG", "PNG", "WEBP"})
_PLAIN_MODES = frozenset({"RGB", "L", "P", "1"})
_ORIENTATION = 0x0112
_TURNED = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
"""Where Pillow keeps what may hold an orientation."""


READ_AS = MappingProxyType(
    {
        "first-frame": "an animation: its first frame is shown",
        "16-bit-to-8": "16 bits a channel: scaled to 8 over their whole range (65535 is white)",
        "transparency-over-grey": "transparent: laid over mid-grey (128)",
        "texts-left-out": "texts in the file, too long for most readers, are left out",
    }
)
"""What is done to a picture before it is sent, where readers would differ about it -> in words."""


def portable(data: bytes, *, name: str) -> bytes:
    """The same bytes where they are plain, else a PNG. Raises MediaError as `check` and `decode` do."""
    return portable_noted(data, name=name)[0]


def portable_noted(data: bytes, *, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The bytes to send, and which rules of READ_AS were applied. Raises MediaError as `check` and `decode` do."""
    size = plain_jpeg(data)
    if size is not None:  # without Pillow's slower reading of the header
        check_size(*size, name=name)
        return data, ()
    bare = readable(data, name=name)
    check(bare, name)
    opened = open_header(bare, name=name)
    rules: tuple[str, ...] = ("texts-left-out",) if bare is not data else ()
    try:
        if _is_plain(opened, bare):
            return bare, rules
        rules += tuple(rule for rule, holds in _LOOKS.items() if holds(opened, bare))
    except MediaError:
        raise
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None
    return encode_png(decode(bare, name=name)), rules


def _is_animated(opened: Image.Image, data: bytes) -> bool:
    return bool(getattr(opened, "is_animated", False))


def _is_deep(opened: Image.Image, data: bytes) -> bool:
    return opened.mode.startswith("I") or is_16_bit_png(data)


def _is_transparent(opened: Image.Image, data: bytes) -> bool:
    if "transparency" not in opened.info and opened.mode not in _WITH_ALPHA:
        return False
    low, _ = opened.convert("RGBA").getchannel("A").getextrema()
    return isinstance(low, int | float) and low < 255


_WITH_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_LOOKS: Mapping[str, Callable[[Image.Image, bytes], bool]] = MappingProxyType(
    {
        "first-frame": _is_animated,
        "16-bit-to-8": _is_deep,
        "transparency-over-grey": _is_transparent,
    }
)


def _is_plain(opened: Image.Image, data: bytes) -> bool:
    return (
        opened.format in _PLAIN_FORMATS
        and opened.mode in _PLAIN_MODES
        and "transparency" not in opened.info
        and not getattr(opened, "is_animated", False)
        and not is_16_bit_png(data)
        and _is_upright(opened, data)
    )


def _is_upright(opened: Image.Image, data: bytes) -> bool:
    behind_pixels = opened.format == "PNG" and b"eXIf" in data  # not read with the header
    if behind_pixels or any(key in opened.info for key in _TURNED):
        return int(opened.getexif().get(_ORIENTATION, 1)) == 1
    return True
