"""Contact sheets of numbered tiles, for models that accept one picture.

The same pictures give the same bytes: the layout is integer arithmetic, and the digits are drawn from a
table here, since those of a font differ between versions of the library that reads it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from harness.core.errors import MediaError
from harness.core.picture import Picture
from harness.media.decode import decode, open_header
from harness.media.portable import portable
from harness.media.transforms import encode_png

if TYPE_CHECKING:
    from PIL import Image

LONGER_SIDE = 1568
"""Most pixels of a sheet's longer side: three frames of 448 side by side keep every pixel."""

LEAST_TILE = 48
"""A tile whose shorter side was scaled below this many pixels shows no face: the sheet is refused."""

GAP = 4
"""Pixels between tiles and around them."""

_PAPER, _INK = 255, 0
_WIDE, _HIGH = 5, 7
_DIGITS = (
    "0e11131519110e", "040c040404040e", "0e11010204081f", "1f02040201110e", "02060a121f0202",
    "1f101e0101110e", "0608101e11110e", "1f010204080808", "0e11110e11110e", "0e11110f01020c",
)  # fmt: skip
"""Rows of each digit from the top, two hex digits a row, the highest of five bits at the left."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tiles of a sheet stand. All in pixels."""

    columns: int
    rows: int
    tile: tuple[int, int]
    """Width and height of every tile."""
    dot: int
    """Pixels of one dot of a digit; the number of a tile stands above it in a strip of 11 dots."""

    @property
    def strip(self) -> int:
        """Height of the strip above each tile that holds its number."""
        return (_HIGH + 4) * self.dot

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        width, height = self.tile
        return (
            GAP + self.columns * (width + GAP),
            GAP + self.rows * (self.strip + height + GAP),
        )

    def place(self, nth: int) -> tuple[int, int]:
        """The upper left corner of the strip above tile `nth` (from 0), in reading order."""
        row, column = divmod(nth, self.columns)
        width, height = self.tile
        return GAP + column * (width + GAP), GAP + row * (self.strip + height + GAP)


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """A Picture that is put together when it is read."""

    pictures: tuple[Picture, ...]
    longer_side: int = LONGER_SIDE

    @property
    def name(self) -> str:
        """`contact sheet of 3: FIRST ... LAST`."""
        first, last = self.pictures[0].name, self.pictures[-1].name
        return f"contact sheet of {len(self.pictures)}: {first} ... {last}"

    def read(self) -> bytes:
        """PNG bytes. Raises MediaError where a picture cannot be used, or there are too many to see."""
        return encode_png(_compose(self.pictures, self.longer_side))


def contact_sheet(pictures: Sequence[Picture], *, longer_side: int = LONGER_SIDE) -> ContactSheet:
    """One picture that shows `pictures` in reading order, numbered from 1; nothing is opened yet.

    Up to three stand in one row; n of them in ceil(sqrt(n)) columns. Every tile is as wide as the
    widest and as high as the highest picture, each scaled into it with its proportions (Lanczos;
    untouched where it fits exactly); all tiles are scaled down alike where the sheet's longer side
    would be over `longer_side` pixels. Each number stands in a white strip above its tile, never on
    the picture. Raises ValueError for no picture.
    """
    if not pictures:
        raise ValueError("a contact sheet needs at least one picture")
    return ContactSheet(tuple(pictures), longer_side)


def grid(count: int) -> tuple[int, int]:
    """Columns and rows of a sheet of `count` pictures."""
    columns = count if count <= 3 else math.isqrt(count - 1) + 1
    return columns, -(-count // columns)


def lay_out(sizes: Sequence[tuple[int, int]], *, longer_side: int = LONGER_SIDE) -> Layout:
    """The layout for pictures of these (width, height)."""
    columns, rows = grid(len(sizes))
    box = max(width for width, _ in sizes), max(height for _, height in sizes)
    bare = _tile(box, columns, rows, strip=0, longer_side=longer_side)
    dot = max(1, min(bare) // 112)
    tile = _tile(box, columns, rows, strip=(_HIGH + 4) * dot, longer_side=longer_side)
    return Layout(columns, rows, tile, dot)


def _tile(
    box: tuple[int, int], columns: int, rows: int, *, strip: int, longer_side: int
) -> tuple[int, int]:
    """The largest tile of the box's proportions, at most the box, with which the sheet fits."""
    free = (longer_side - GAP - columns * GAP, longer_side - GAP - rows * (GAP + strip))
    scale = min(
        Fraction(1), Fraction(max(0, free[0]), columns * box[0]), Fraction(max(0, free[1]), rows * box[1])
    )  # fmt: skip
    return max(1, int(box[0] * scale)), max(1, int(box[1] * scale))


def _compose(pictures: Sequence[Picture], longer_side: int) -> Image.Image:
    """The sheet's pixels. One picture is decoded at a time."""
    from PIL import Image

    plain = [portable(picture.read(), name=picture.name) for picture in pictures]
    names = [picture.name for picture in pictures]
    sizes = [open_header(data, name=name).size for data, name in zip(plain, names, strict=True)]
    layout = lay_out(sizes, longer_side=longer_side)
    natural = min(max(width for width, _ in sizes), max(height for _, height in sizes))
    if min(layout.tile) < min(LEAST_TILE, natural):
        raise MediaError(
            f"a contact sheet of {len(pictures)} pictures leaves "
            f"{layout.tile[0]}x{layout.tile[1]} pixels for each",
            kind="too-large",
            hint="show fewer frames: use media.frames: uniform-16, or a condition that "
            "selects frames",
        )
    sheet = Image.new("RGB", layout.size, (_PAPER,) * 3)
    for nth, (data, name) in enumerate(zip(plain, names, strict=True)):
        left, top = layout.place(nth)
        _number(sheet, nth + 1, left, top + 2 * layout.dot, layout.dot)
        shown = _fitted(decode(data, name=name), layout.tile)
        sheet.paste(
            shown,
            (
                left + (layout.tile[0] - shown.width) // 2,
                top + layout.strip + (layout.tile[1] - shown.height) // 2,
            ),
        )
    return sheet


def _fitted(picture: Image.Image, tile: tuple[int, int]) -> Image.Image:
    """The picture scaled into a tile: one side exactly, the other rounded to the nearest pixel."""
    from PIL import Image

    if picture.size == tile:
        return picture
    width, height = picture.size
    if width * tile[1] >= height * tile[0]:
        size = tile[0], max(1, (2 * height * tile[0] + width) // (2 * width))
    else:
        size = max(1, (2 * width * tile[1] + height) // (2 * height)), tile[1]
    size = min(size[0], tile[0]), min(size[1], tile[1])
    return picture.resize(size, Image.Resampling.LANCZOS)


def _number(sheet: Image.Image, number: int, left: int, top: int, dot: int) -> None:
    """Write a number, its upper left corner at (left, top)."""
    for place, digit in enumerate(str(number)):
        for y, row in enumerate(bytes.fromhex(_DIGITS[int(digit)])):
            for x in range(_WIDE):
                if row >> (_WIDE - 1 - x) & 1:
                    corner = left + (place * (_WIDE + 1) + x) * dot, top + y * dot
                    sheet.paste((_INK,) * 3, (*corner, corner[0] + dot, corner[1] + dot))
