"""Probabilities of labels in columns of their own, as a reply of percentages."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from harness.core.errors import HarnessError
from harness.imports.files import cell_of
from harness.sources.cells import is_blank, plain
from harness.sources.row import TableRow

SLACK = 1e-3
"""How far from 1 the probabilities of a row may add up to."""


def check_shares(row: TableRow, columns: Mapping[str, str]) -> None:
    """Raise HarnessError, naming row and column, for what is no probability, and where a row does not add up to 1.

    A row without any is one without an answer.
    """
    cells = {column: cell_of(row, column) for column in columns.values()}
    if all(is_blank(cell) for cell in cells.values()):
        return
    total = math.fsum(_share(cell, f"{row.where}, column {name!r}") for name, cell in cells.items())
    if abs(total - 1) > SLACK:
        raise HarnessError(
            f"{row.where}: the probabilities add up to {total:.4g}, not to 1",
            hint="write probabilities, such as the softmax of a network, one column for each label",
        )


def _share(cell: Any, where: str) -> float:
    try:
        value = float(plain(cell)) if not is_blank(cell) else math.nan
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise HarnessError(
            f"{where}: {str(cell)[:40]!r} is no probability from 0 to 1",
            hint="correct the cell, or blank the whole row where there is no answer",
        )
    return value


def stated_shares(answers: Mapping[str, Any]) -> str:
    """The reply that states these probabilities (label -> cell) as percentages; empty where there are none."""
    if all(is_blank(cell) for cell in answers.values()):
        return ""
    values = {label: float(cell) for label, cell in answers.items()}
    total = math.fsum(values.values())
    return json.dumps(
        {label: round(100 * value / total, 6) for label, value in values.items()},
        ensure_ascii=False,
    )
