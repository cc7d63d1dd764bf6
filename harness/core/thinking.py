"""How much a model is asked to think before it answers: an axis of a run."""

from __future__ import annotations

import re
from collections.abc import Collection

from harness.core.constraint import Need
from harness.core.errors import HarnessError

OFF = "off"
ON = "on"
EFFORTS = ("low", "medium", "high")
LEVELS = (OFF, ON, *EFFORTS)
"""Besides these, a number of tokens, written in digits."""
MOST_TOKENS = 1_000_000


def read_thinking(written: object) -> str:
    """`off`, `on`, `low`, `medium`, `high`, or a number of tokens as its digits.

    Raises HarnessError for anything else.
    """
    if isinstance(written, bool):  # as YAML reads `on` and `off`
        return ON if written else OFF
    text = str(written).strip().lower()
    if text in LEVELS:
        return text
    if re.fullmatch(r"[0-9]{1,9}", text) and 0 < int(text) <= MOST_TOKENS:
        return str(int(text))
    raise HarnessError(
        f"unknown thinking level {written!r}",
        hint=f"write {', '.join(LEVELS)}, or a number of tokens from 1 to {MOST_TOKENS}",
    )


def thinking_budget(level: str) -> int | None:
    """The number of tokens that a level names; None for the others."""
    return int(level) if level.isdecimal() else None


def thinking_need(level: str, *, held: bool = False) -> Need:
    """What a cell that asks for this needs; `held` where the reply behind the thinking is held to something."""
    return f"{_HELD if held else _FREE}{level}"


def thinking_levels(needs: Collection[Need], *, held: bool = False) -> tuple[str, ...]:
    """The levels that needs ask for, in the order of their words."""
    begin = _HELD if held else _FREE
    return tuple(sorted(need.removeprefix(begin) for need in needs if need.startswith(begin)))


_FREE = "thinking:"
_HELD = "thinking-held:"
