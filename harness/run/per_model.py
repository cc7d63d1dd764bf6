"""Options for every model or for one: `VALUE` or `MODEL=VALUE`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.core.errors import HarnessError

T = TypeVar("T")


def declared(
    written: Sequence[str], models: Sequence[str], *, option: str, read: Callable[[str], T]
) -> dict[str, T]:
    """Model -> value, from `VALUE` (every model) and `MODEL=VALUE`; the last word counts.

    `read` raises HarnessError for what is no value. Raises it too for a model that is not among `models`.
    """
    found: dict[str, T] = {}
    for text in written:
        model, _, value = text.rpartition("=")
        told = read(value)
        if model and model not in models:
            raise HarnessError(
                f"{option} {text!r} names no model of this run",
                hint=f"write one of: {', '.join(f'{name}={value}' for name in models) or 'none is run'}",
            )
        found |= dict.fromkeys([model] if model else models, told)
    return found
