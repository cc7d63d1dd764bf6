"""Convert values to the form that metric families expect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.core.errors import HarnessError
from harness.core.sample import Value

T = TypeVar("T")


def converted(values: Sequence[Value], one: Callable[[Value, int], T]) -> list[T]:
    """Each truth by `one(value, position)`."""
    return [one(value, at) for at, value in enumerate(values)]


def answers(values: Sequence[Value | None], one: Callable[[Value, int], T]) -> list[T | None]:
    """Each answer by `one(value, position)`; None stays None."""
    return [None if value is None else one(value, at) for at, value in enumerate(values)]


def word(value: Value, at: int) -> str:
    """A text; yes and no for true and false. Raises HarnessError."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    raise wrong(value, at, "a word")


def number(value: Value, at: int) -> float:
    """A number. Raises HarnessError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise wrong(value, at, "a number")


def names(value: Value, at: int) -> frozenset[str]:
    """A set of names. Raises HarnessError."""
    if isinstance(value, tuple | list | frozenset | set):
        return frozenset(value)
    raise wrong(value, at, "a set of names")


def wrong(value: object, at: int, wanted: str) -> HarnessError:
    """The error for a value that is not of the field's kind."""
    return HarnessError(
        f"value {value!r} of sample {at} is not {wanted}",
        hint="check the kind of the field in the task against the column it reads",
    )
