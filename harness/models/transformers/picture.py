"""Pictures decoded for a model that runs here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from harness.core.errors import MediaError
from harness.core.message import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST_PIXELS = 64_000_000
"""Larger pictures are not decoded: a few kilobytes can unpack to gigabytes."""


def decode_picture(image: Image) -> Picture:
    """An RGB picture of the file's first frame; what is transparent becomes white, as servers do.

    Raises MediaError where the bytes are no picture, or too large a one.
    """
    import PIL
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(image.data)) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise MediaError(
                    f"{image.name} is {width}x{height}, more than {MOST_PIXELS} pixels",
                    kind="too-large",
                    hint="resize it",
                )
            if opened.mode == "RGB":
                opened.load()
                return opened.copy()
            if not opened.has_transparency_data:
                return opened.convert("RGB")
            clear = opened.convert("RGBA")
            white = PIL.Image.new("RGBA", clear.size, (255, 255, 255, 255))
            return PIL.Image.alpha_composite(white, clear).convert("RGB")
    except PIL.UnidentifiedImageError as error:
        raise MediaError(
            f"{image.name} is not a picture format that Pillow supports",
            kind="corrupt",
            hint="replace the file",
        ) from error
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise MediaError(
            f"{image.name} cannot be decoded: {error}", kind="corrupt", hint="replace the file"
        ) from error
