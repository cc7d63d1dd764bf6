"""Ranked lists of labels in tables: JSON, Python lists, or separated by commas or `>`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from harness.answers.table import LabelTable
from harness.sources.cells import is_blank, plain

LONGEST = 4096
"""Longer cells are prose."""

_SEPARATORS = (">", ";", ",")
_QUOTES = "\"'` \t\r\n"
_NUMBER = re.compile(r"^\s*\d{1,2}[.):]\s+")


def split_ranking(cell: Any) -> tuple[str, ...]:
    """The items of a cell, best first, blank ones left out; a cell that is no list gives one item."""
    if isinstance(cell, list | tuple):
        return tuple(plain(item) for item in cell if not is_blank(item))
    text = plain(cell) if not is_blank(cell) else ""
    if len(text) > LONGEST:
        return (text,)
    if text.startswith("[") and text.endswith("]"):
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            text = text[1:-1]
        else:
            return split_ranking(parsed)
    separator = next((s for s in _SEPARATORS if s in text), None)
    parts = text.split(separator) if separator else [text]
    items = (_NUMBER.sub("", part).strip(_QUOTES) for part in parts)
    return tuple(item for item in items if item)


def is_ranking(cell: Any, labels: LabelTable) -> bool:
    """Whether a cell is a list of two or more labels and of nothing else."""
    items = split_ranking(cell)
    return len(items) > 1 and all(labels.label(item) is not None for item in items)


def are_ranked(cells: Iterable[tuple[Any, int]], labels: LabelTable) -> bool:
    """Whether a column of cells, each standing so many times, holds rankings: at least half of those not blank."""
    filled, ranked = 0, 0
    for cell, times in cells:
        if not is_blank(cell):
            filled += times
            ranked += times * is_ranking(cell, labels)
    return filled > 0 and 2 * ranked >= filled


def ranking(cell: Any, labels: LabelTable) -> tuple[str, ...]:
    """The items of a cell of a ranked column; prose, whose first item is no label, stays whole."""
    items = split_ranking(cell)
    if len(items) < 2 or isinstance(cell, list | tuple) or plain(cell).startswith("["):
        return items
    return items if labels.label(items[0]) is not None or _short(items) else (plain(cell),)


def _short(items: Sequence[str]) -> bool:
    """No item is longer than a label would be."""
    return all(len(item.split()) <= 3 for item in items)
