"""How pictures are sent: the maximum number of pixels, and the detail requested from a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from harness.core.errors import HarnessError

PIXELS = "pixels:"
DETAIL = "detail:"
"""What these are written with as parts of a condition: `apex+pixels:0.25MP+detail:low`."""
FULL = "full"
"""Given for pixels: pictures as they are."""
LARGEST = 64_000_000
SMALLEST = 64

DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "low": "a small version of the picture alone",
        "high": "the picture in full",
        "auto": "as the server chooses",
    }
)
"""Words of the field `detail` of a picture in OpenAI's API -> what they ask for."""

_MEGA = 1_000_000
_WRITTEN = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<mega>MP)?", re.ASCII | re.IGNORECASE)


def read_pixels(written: str, *, where: str = "--pixels") -> int:
    """The most pixels of a picture: `0.25MP`, `250000`; 0 for `full`, as they are. Raises HarnessError."""
    if written.strip().lower() == FULL:
        return 0
    found = _WRITTEN.fullmatch(written.strip())
    number = 0.0 if found is None else float(found["number"]) * (_MEGA if found["mega"] else 1)
    if found is None or not number.is_integer() or not SMALLEST <= number <= LARGEST:
        raise HarnessError(
            f"{where} {written!r} is not a number of pixels from {SMALLEST} to {LARGEST // _MEGA}MP",
            hint="write 0.25MP or 250000 (width times height), or `full` for pictures as they are",
        )
    return int(number)


def spelled_pixels(pixels: int) -> str:
    """250000 -> `0.25MP`, 200704 -> `200704`: the one way in which a number is written in a cell."""
    return f"{pixels / _MEGA:g}MP" if pixels % 10_000 == 0 else str(pixels)


def read_detail(written: str, *, where: str = "--detail") -> str:
    """A word of DETAILS. Raises HarnessError for another."""
    if written not in DETAILS:
        raise HarnessError(
            f"{where} {written!r} is not a valid detail", hint=f"write one of: {', '.join(DETAILS)}"
        )
    return written


def split_sent(condition: str) -> tuple[str, int, str]:
    """The condition without what says how its pictures are sent (`none` where nothing is left), pixels (0: as they
    are), and detail (empty: nothing is said). Raises HarnessError for a part that is wrong or stands twice."""
    kept, pixels, detail = [], 0, ""
    for part in condition.split("+"):
        if part.startswith(PIXELS) and not pixels:
            pixels = read_pixels(part.removeprefix(PIXELS), where=f"condition {condition}:")
        elif part.startswith(DETAIL) and not detail:
            detail = read_detail(part.removeprefix(DETAIL), where=f"condition {condition}:")
        elif part.startswith((PIXELS, DETAIL)):
            raise HarnessError(
                f"condition {condition} sets how pictures are sent twice", hint=f"leave out {part}"
            )
        else:
            kept.append(part)
    return "+".join(kept) or "none", pixels, detail
