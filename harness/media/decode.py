"""Decode pictures to RGB, with limits that are checked before pixels are allocated."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

from harness.core.errors import MediaError, missing_extra
from harness.core.picture import Picture, refuse_exhausted
from harness.media.headers import has_long_texts, is_heic, webp_size, without_texts

if TYPE_CHECKING:
    from PIL import Image

PIXEL_LIMIT = 50_000_000
"""A picture with more pixels than this is refused from its header alone."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""Formats that are opened, found by content and not by suffix; of an animation, the first frame. HEIC is opened where
pillow-heif is installed."""

IMAGE_SUFFIXES = frozenset(
    {
        ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff",
        ".pgm", ".ppm", ".pbm", ".pnm", ".avif", ".heic", ".heif",
    }
)  # fmt: skip
"""File name endings (lower case) that count as pictures when a folder is read."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that `git clone` left in place of a large one."""

MID_GREY = (128, 128, 128)
"""What shows behind transparent pixels; also the colour of a blank picture."""

# What Pillow's readers raise on damaged files, as met in fuzzing and in its own tracker.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
    UserWarning,  # raised only where warnings are turned into errors
)


def open_picture(picture: Picture) -> Image.Image:
    """Read and decode a picture: RGB, upright, 8 bits a channel. Raises MediaError."""
    return decode(picture.read(), name=picture.name)


def decode(data: bytes, *, name: str) -> Image.Image:
    """Decode an encoded picture to an upright RGB image.

    EXIF orientation is applied; transparency is laid over mid-grey (128); 16 bits a channel are scaled to 8 over
    their whole range (65535 becomes 255); palette, grey, CMYK and other colour spaces become RGB; animations give
    their first frame. Raises MediaError: `empty`, `too-large` (over PIXEL_LIMIT, nothing allocated),
    `unsupported` (not one of FORMATS, or pixels without a stated range), `corrupt`.
    """
    from PIL import ImageOps

    try:
        opened = open_header(data, name=name)
        opened.load()
        return _to_rgb(ImageOps.exif_transpose(opened), name=name)
    except MediaError:
        raise
    except MemoryError as error:
        refuse_exhausted(error, f"decoding {name}")
        raise
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None


def readable(data: bytes, *, name: str) -> bytes:
    """The bytes, without a PNG's texts where these are longer than readers take them. Raises MediaError.

    Only a PNG with a text of over a kilobyte (compressed: a megabyte at most) is looked at closely.
    """
    if not has_long_texts(data):
        return data
    try:
        open_bare(data).load()
    except ValueError:
        return without_texts(data)
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None
    return data


def open_header(data: bytes, *, name: str) -> Image.Image:
    """Open a picture without decoding it, within the pixel limit. Raises MediaError."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise MediaError(f"picture is empty: {name}", kind="empty", hint="get the file again")
    if data.startswith(LFS_POINTER):
        raise MediaError(f"a Git LFS pointer in place of the picture: {name}", kind="unsupported", hint="run `git lfs pull` in its folder")  # fmt: skip
    if is_heic(data):
        return _open_heic(data, name=name)
    data = readable(data, name=name)
    webp = webp_size(data)
    if webp is not None:  # its decoder reserves the canvas when it is opened
        check_size(*webp, name=name)
    try:
        opened = open_bare(data)
        width, height = opened.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, str(error)) from None
    except UnidentifiedImageError:
        raise MediaError(
            f"unknown picture format: {name}",
            kind="unsupported",
            hint=f"convert it to one of {', '.join(FORMATS)}, or get it again",
        ) from None
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None
    check_size(width, height, name=name)
    return opened


def open_bare(data: bytes) -> Image.Image:
    """Opened by content, no limit checked. Raises what Pillow raises."""
    from PIL import Image

    return Image.open(io.BytesIO(data), formats=FORMATS)


def _open_heic(data: bytes, *, name: str) -> Image.Image:
    try:
        import pillow_heif
    except ImportError:
        raise MediaError(
            f"a HEIC picture, and pillow-heif is not installed: {name}",
            kind="unsupported",
            hint=f"{missing_extra('pillow-heif', 'heic').hint}, or convert the pictures to JPEG",
        ) from None
    try:
        opened: Image.Image = pillow_heif.HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]
        width, height = opened.size
    except DAMAGE as error:
        raise corrupt(name, str(error)) from None
    check_size(width, height, name=name)
    return opened


def check_size(width: int, height: int, *, name: str) -> None:
    """Refuse a picture above the pixel limit or without pixels. Raises MediaError."""
    if width <= 0 or height <= 0:
        raise corrupt(name, f"its header says {width}x{height} pixels")
    if width * height > PIXEL_LIMIT:
        raise _too_large(name, f"{width}x{height} pixels")


def corrupt(name: str, why: str) -> MediaError:
    """The error for a damaged file."""
    return MediaError(
        f"picture is damaged: {name}: {why}", kind="corrupt", hint="get the file again"
    )


def _too_large(name: str, why: str) -> MediaError:
    return MediaError(
        f"picture has more than {PIXEL_LIMIT // 1000000} million pixels: {name}: {why}",
        kind="too-large",
        hint="make it smaller before the run",
    )


def _to_rgb(image: Image.Image, *, name: str) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*MID_GREY, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    if image.mode.startswith("I"):
        return _scale_16_bit(image).convert("RGB")
    if image.mode == "F":
        raise MediaError(
            f"picture has floating-point pixels, whose range is unknown: {name}",
            kind="unsupported",
            hint="convert it to 8 bits per channel",
        )
    return image.convert("RGB")


def _scale_16_bit(image: Image.Image) -> Image.Image:
    """16-bit grey to 8 bits; Pillow's own conversion would clip at 255. Wider values are cut."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
