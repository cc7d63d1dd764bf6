"""Read cells of a table as targets, frame numbers and annotations. Labels keep their spelling."""

from __future__ import annotations

from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.sample import Scalar, Value
from harness.core.text import canonical_json
from harness.kinds.cells import finite, is_blank, plain

__all__ = ["annotation", "frame_number", "frame_rate", "is_blank", "plain", "target"]

NO_VALUE = frozenset(
    {"", "nan", "none", "null", "nil", "n/a", "#n/a", "na", "<na>", "-", "--", "missing"}
)
"""How tables write a cell without a value, in small letters."""
NO_VALUE_MARKS = frozenset({"\u2013", "\u2014", ".", "?"})
"""Marks that say the same in tables of people, but may be a class of pictures."""
_NO_FRAME = frozenset({"/", "\\", "-", "na", "n/a", "nan", "none"})
"""How published coding sheets write "not coded" in a frame column."""


def target(cell: Any, spec: FieldSpec, *, column: str, where: str) -> Value:
    """A cell that is not blank as a value of the field's kind (`target` of :class:`harness.core.kind.Kind`).

    Raises HarnessError naming row and column.
    """
    try:
        return kind_of(spec).target(cell, spec)
    except ValueError as error:
        raise HarnessError(
            f"{where}, column {column!r}: {error}",
            hint="correct the cell, or list it under source.blank if it means no value",
        ) from None


def frame_number(cell: Any, *, column: str, where: str) -> int | None:
    """An onset, apex or offset; None where the sheet says it was not coded."""
    if is_blank(cell) or plain(cell).lower() in _NO_FRAME:
        return None
    number = _number(cell, column=column, where=where)
    if not number.is_integer() or number < 0:
        raise HarnessError(
            f"{where}, column {column!r}: {plain(cell)!r} is not a frame number",
            hint="frame numbers are whole numbers from 0",
        )
    return int(number)


def frame_rate(cell: Any, *, column: str, where: str) -> float | None:
    """Frames per second; None where blank."""
    if is_blank(cell):
        return None
    rate = _number(cell, column=column, where=where)
    if rate <= 0:
        raise HarnessError(
            f"{where}, column {column!r}: {plain(cell)!r} is not a valid number of frames per "
            "second",
            hint="use a number above 0",
        )
    return rate


def annotation(cell: Any) -> Scalar:
    """A cell as a scalar: blank is None, lists are joined, other nested values become JSON text."""
    if is_blank(cell) or isinstance(cell, bytes):
        return None
    if isinstance(cell, bool | int | float):
        return cell
    if isinstance(cell, list | tuple) and not any(isinstance(c, list | dict | bytes) for c in cell):
        return ", ".join(plain(c) for c in cell if not is_blank(c))
    if isinstance(cell, list | dict):
        try:
            return canonical_json(cell)
        except TypeError:  # bytes inside: media, not an annotation
            return None
    return str(cell).strip()


def _number(cell: Any, *, column: str, where: str) -> float:
    try:
        return finite(cell)
    except ValueError as error:
        raise HarnessError(
            f"{where}, column {column!r}: {error}", hint="correct the cell"
        ) from None
