"""Cells of a table read as targets, frame numbers and annotations. Labels stay as the table spells them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldKind, FieldSpec
from harness.core.sample import Scalar, Value
from harness.core.text import canonical_json

_YES_NO: Mapping[str, str] = {
    **dict.fromkeys(("yes", "y", "true", "1", "1.0"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "0.0"), "no"),
}
_BETWEEN = re.compile(r"[,;+]")
_NO_FRAME = frozenset({"/", "-", "na", "n/a", "nan", "none"})
"""How published coding sheets write "not coded" in a frame column."""


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


def target(cell: Any, spec: FieldSpec, *, column: str, where: str) -> Value:
    """A cell that is not blank as a value of the field's kind.

    label: text. number: a float within the field's scale. yes-no: `yes` or `no`. set: a sorted
    tuple of names, from a list or separated by `,` `;` `+`; the word `none` is the empty set.
    text: text. Raises HarnessError naming row and column.
    """
    try:
        return _PARSERS[spec.kind](cell, spec)
    except ValueError as error:
        raise HarnessError(
            f"{where}, column {column!r}: {error}",
            hint="hint the cell, or list it under source.blank where it stands for no value",
        ) from None


def frame_number(cell: Any, *, column: str, where: str) -> int | None:
    """An onset, apex or offset; None where the sheet says it was not coded."""
    if is_blank(cell) or plain(cell).lower() in _NO_FRAME:
        return None
    number = _number(cell, column=column, where=where)
    if not number.is_integer() or number < 0:
        raise HarnessError(
            f"{where}, column {column!r}: {plain(cell)!r} is not a frame number",
            hint="frames are counted with whole numbers from 0",
        )
    return int(number)


def frame_rate(cell: Any, *, column: str, where: str) -> float | None:
    """Frames per second; None where blank."""
    if is_blank(cell):
        return None
    rate = _number(cell, column=column, where=where)
    if rate <= 0:
        raise HarnessError(
            f"{where}, column {column!r}: {plain(cell)!r} frames per second",
            hint="give a number above 0",
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
        return _finite(cell)
    except ValueError as error:
        raise HarnessError(f"{where}, column {column!r}: {error}", hint="hint the cell") from None


def _finite(cell: Any) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{plain(cell)!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{plain(cell)!r} is not a finite number")
    return number


def _as_label(cell: Any, spec: FieldSpec) -> Value:
    if isinstance(cell, list | tuple | dict | bytes):
        raise ValueError(f"a {type(cell).__name__} is not a label")
    return plain(cell)


def _as_number(cell: Any, spec: FieldSpec) -> Value:
    number = _finite(cell)
    if not spec.low <= number <= spec.high:
        raise ValueError(f"{plain(cell)} lies outside the field's scale, {spec.low} to {spec.high}")
    return number


def _as_yes_no(cell: Any, spec: FieldSpec) -> Value:
    value = _YES_NO.get(plain(cell).lower())
    if value is None:
        raise ValueError(f"{plain(cell)!r} is neither yes nor no")
    return value


def _as_set(cell: Any, spec: FieldSpec) -> Value:
    if isinstance(cell, list | tuple):
        members = [plain(member) for member in cell if not is_blank(member)]
    elif plain(cell).lower() == "none":
        members = []
    else:
        members = [member.strip() for member in _BETWEEN.split(plain(cell))]
    return tuple(sorted({member for member in members if member}))


def _as_text(cell: Any, spec: FieldSpec) -> Value:
    return plain(cell)


_PARSERS: Mapping[FieldKind, Callable[[Any, FieldSpec], Value]] = {
    "label": _as_label,
    "number": _as_number,
    "yes-no": _as_yes_no,
    "set": _as_set,
    "text": _as_text,
}
