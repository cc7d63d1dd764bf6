"""Estimate the size of a value before it is used, so that it cannot grow without limit."""

from __future__ import annotations

from typing import Any

from harness.prompting.slots import MAX_SIZE

MAX_BITS = 4096
"""Longest whole number that a template may make, in bits."""

_ROWS: tuple[type[Any], ...] = (
    list,
    tuple,
    set,
    frozenset,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


def weight(value: Any) -> int:
    """Characters and items of a value with all that it holds, what stands in it several times counted as often.

    The count stops once it is above MAX_SIZE: `[x, x]` of `[x, x]` of ... is short to hold and endless to print.
    """
    if type(value) is str:
        return len(value)
    total, waiting = 0, [value]
    while waiting and total <= MAX_SIZE:
        item = waiting.pop()
        total += 1
        kind = type(item)
        if kind is int:
            total += item.bit_length() >> 3
        elif kind is str or kind is range:
            total += len(item)
        elif isinstance(item, _ROWS):
            if len(item) > MAX_SIZE:
                return total + len(item)
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
    return total
