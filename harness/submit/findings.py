"""What a check of an answer file found, and how rows are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_ROWS = 8
"""Row numbers named in one sentence."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one file of answers."""

    file: str
    rows: int
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> the labels known, for fields with an answer outside them."""


def name_rows(numbers: Sequence[int]) -> str:
    """`row 3`, `rows 3, 7 and 9`, `rows 1-8`, `rows 1, 2, 5, ... (14 in all)`."""
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"rows {numbers[0]}-{numbers[-1]}"
    if len(numbers) > MOST_ROWS:
        return f"rows {', '.join(map(str, numbers[:MOST_ROWS]))}, ... ({len(numbers)} in all)"
    return f"rows {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
