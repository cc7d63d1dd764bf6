"""Read sizes from the containers of JPEG, PNG and WebP files that have a proper end."""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""What AVIF and HEIF files name themselves behind `ftyp` (AV1 Image File Format; ISO/IEC 23008-12)."""
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
"""PNG chunks of text, which no pixel depends on."""
_SIZE_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG start-of-frame markers (ITU T.81, table B.1)."""
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""
_PLAIN_SEGMENTS = frozenset({0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0, 0xFE})
"""JPEG segments that say nothing but how to decode: frames, tables, restarts, JFIF, comments."""


def is_picture(head: bytes) -> bool:
    """Whether the first bytes (16 are enough) are those of a picture of a format that is opened."""
    if head.startswith((_PNG, b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return True
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF | _HEIF:
        return True
    return (
        head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n#" and len(head) > 3
    )


def is_heic(data: bytes) -> bool:
    """Whether a file is HEIC or another kind of HEIF that is not AVIF, by the brands it names."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 128)
    named = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    return bool(named & _HEIF) and not named & _AVIF


def without_texts(data: bytes) -> bytes:
    """A PNG without its chunks of text; other bytes, and chunks that lead nowhere, as they are."""
    if not data.startswith(_PNG):
        return data
    at, kept = 8, [_PNG]
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in _TEXTS:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def has_long_texts(data: bytes) -> bool:
    """Whether a PNG has a compressed text that may hold over a megabyte: deflate packs at most 1,032 to 1."""
    if not data.startswith(_PNG):
        return False
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length > 1024 and data[at + 4 : at + 8] in _TEXTS:
            return True
        at += 12 + length
    return False


def is_16_bit_png(data: bytes) -> bool:
    """Whether a PNG has 16 bits a channel: what shows it in 8 may do so in several ways."""
    return data.startswith(_PNG) and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def whole_jpeg(data: bytes) -> tuple[int, int] | None:
    """The size of a JPEG that ends properly; None where that is not plain."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    size: tuple[int, int] | None = None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _SIZE_OF_FRAME and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        if marker == 0xDA:  # start of scan: inside it, FF D9 can only be the end of the image
            return size if data.rfind(b"\xff\xd9", at) > 0 else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def plain_jpeg(data: bytes) -> tuple[int, int] | None:
    """The size of a JPEG that ends properly and that all readers show the same way, as far as its segments tell.

    It has 8 bits, grey or three colours, and nothing in which an orientation, a profile, another colour
    space or another picture could stand. None says nothing: it takes a closer look.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    size: tuple[int, int] | None = None
    at, end = 2, len(data) - 10
    while at <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return size if data.rfind(b"\xff\xd9", at) > 0 else None
        if marker not in _PLAIN_SEGMENTS:
            return None
        if marker in _SIZE_OF_FRAME:
            if size is not None or data[at + 4] != 8 or data[at + 9] not in (1, 3):
                return None
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None


def whole_png(data: bytes) -> tuple[int, int] | None:
    """The size of a PNG whose chunks lead to IEND; None where that is not plain."""
    if not data.startswith(_PNG) or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    at, has_pixels = 8, False
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            return (width, height) if has_pixels else None
        at += 12 + length
    return None


def whole_webp(data: bytes) -> tuple[int, int] | None:
    """The size of a WebP file as long as it says; None where that is not plain."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        return None
    return webp_size(data)


def webp_size(data: bytes) -> tuple[int, int] | None:
    """The size in a WebP header (RFC 9649, section 2), whatever follows; None where there is none."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
