"""Read table cells as plain values."""

from __future__ import annotations

import math
from typing import Any


def is_blank(cell: Any) -> bool:
    """No value: None, white space, or a NaN."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def plain(cell: Any) -> str:
    """A cell as text: stripped; whole numbers without `.0`; yes and no for true and false."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def finite(cell: Any) -> float:
    """A cell as a finite number. Raises ValueError."""
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{plain(cell)!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{plain(cell)!r} is not a finite number")
    return number
