"""Pictures opened with limits, lazy transforms, frame policies."""

from harness.media.decode import (
    FORMATS,
    IMAGE_SUFFIXES,
    PIXEL_LIMIT,
    decode,
    open_picture,
)
from harness.media.frames import POLICIES, Policy, parse_policy
from harness.media.portable import portable
from harness.media.sheet import ContactSheet, contact_sheet
from harness.media.transforms import (
    Transformed,
    blank,
    encode_png,
    limit_pixels,
    limited_picture,
    resize,
    shrink,
)
from harness.media.verify import check

__all__ = [
    "FORMATS",
    "IMAGE_SUFFIXES",
    "PIXEL_LIMIT",
    "POLICIES",
    "ContactSheet",
    "Policy",
    "Transformed",
    "blank",
    "check",
    "contact_sheet",
    "decode",
    "encode_png",
    "limit_pixels",
    "limited_picture",
    "open_picture",
    "parse_policy",
    "portable",
    "resize",
    "shrink",
]
