"""Near-duplicates: candidates by a perceptual hash, confirmed on small pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 32
"""Pixels of the picture that is hashed."""
_LOW = 8
"""Frequencies a side that are kept: 64 bits."""
_SMALL = 16
"""Pixels a side of the picture that is compared."""
NEAR_BITS = 6
"""Bits of 64 that may differ."""
NEAR_GREYS = 6.0
"""Mean difference of grey levels (of 255) that two small pictures may have."""
_BANDS = NEAR_BITS + 1
"""Among so many parts of two hashes one is equal where no more than NEAR_BITS differ."""
_CROWD = 2000
"""Pictures that share a part of the hash and are still compared: more are pictures of nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of a picture to find others like it."""

    bits: int
    """64 bits: signs of its low frequencies against their median (pHash)."""
    small: bytes
    """16 x 16 grey levels."""


def look_of(image: Image.Image) -> Look:
    """The look of an RGB picture. Two copies in other sizes or qualities have nearly the same."""
    from PIL import Image as Pillow

    grey = image.convert("L")
    pixels = np.asarray(grey.resize((_SIDE, _SIDE), Pillow.Resampling.BOX), dtype=np.float64)
    waves = _waves()
    low = (waves @ pixels @ waves.T)[:_LOW, :_LOW].ravel()
    bits = low > np.median(low[1:])
    small = grey.resize((_SMALL, _SMALL), Pillow.Resampling.BOX).tobytes()
    return Look(int.from_bytes(np.packbits(bits).tobytes(), "big"), small)


def is_near(one: Look, other: Look) -> bool:
    """Whether two pictures are nearly the same."""
    if (one.bits ^ other.bits).bit_count() > NEAR_BITS:
        return False
    a = np.frombuffer(one.small, dtype=np.uint8).astype(np.int16)
    b = np.frombuffer(other.small, dtype=np.uint8).astype(np.int16)
    return float(np.abs(a - b).mean()) <= NEAR_GREYS


def near_pairs(looks: Sequence[Look]) -> Iterator[tuple[int, int]]:
    """The places of all pictures that are near each other, each pair once."""
    seen: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        first, last = 64 * band // _BANDS, 64 * (band + 1) // _BANDS
        mask = (1 << (last - first)) - 1
        groups: dict[int, list[int]] = defaultdict(list)
        for place, look in enumerate(looks):
            groups[look.bits >> first & mask].append(place)
        for group in groups.values():
            if len(group) > _CROWD:
                continue
            for pair in combinations(group, 2):
                if pair not in seen and is_near(looks[pair[0]], looks[pair[1]]):
                    seen.add(pair)
                    yield pair


@cache
def _waves() -> np.ndarray[Any, np.dtype[np.float64]]:
    """The cosines of a discrete cosine transform (type II), one frequency a row."""
    places = np.arange(_SIDE)
    return np.cos(np.pi * np.outer(places, 2 * places + 1) / (2 * _SIDE))
