"""A sheet of one picture under several conditions, to look at their order."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_PAPER, _INK = (250, 250, 248), (40, 40, 44)
_CAPTION, _GAP = 16, 4


def picture_sheet(rows: Sequence[Sequence[tuple[str, Image.Image]]], *, size: int) -> Image.Image:
    """Rows of pictures, each scaled into a square of `size` pixels, with what it is written under it."""
    wide = max(len(row) for row in rows)
    page = Image.new(
        "RGB", (wide * (size + _GAP) + _GAP, len(rows) * (size + _CAPTION + _GAP) + _GAP), _PAPER
    )
    pen = ImageDraw.Draw(page)
    fonts = [ImageFont.load_default(points) for points in range(max(9, min(12, size // 10)), 4, -1)]
    for r, row in enumerate(rows):
        for c, (caption, image) in enumerate(row):
            x, y = _GAP + c * (size + _GAP), _GAP + r * (size + _CAPTION + _GAP)
            shown = image.copy()
            shown.thumbnail((size, size), Image.Resampling.LANCZOS)
            page.paste(shown, (x + (size - shown.width) // 2, y + (size - shown.height) // 2))
            font = next((f for f in fonts if pen.textlength(caption, f) <= size), fonts[-1])
            pen.text((x + 1, y + size + 2), caption, fill=_INK, font=font)
    return page
