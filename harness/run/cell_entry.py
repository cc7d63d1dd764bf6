"""Cells as a manifest writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.conditions import read_presentation
from harness.core.cell import FREE, Cell


def cell_of(entry: Mapping[str, Any]) -> Cell:
    """The cell of a manifest's entry, of this version's or of 0.2.0. Raises HarnessError for an unknown condition."""
    shown = read_presentation(entry["condition"])
    return Cell(
        task=entry["task"],
        model=entry["model"],
        prompt=entry["prompt"],
        condition=shown.condition,
        protocol=entry["protocol"],
        channel=entry.get("channel", FREE),
        shots=shown.shots,
        label_order=shown.label_order,
        asked_as=entry.get("asked_as", ""),
    )


def is_kept(entry: Mapping[str, Any]) -> bool:
    """Whether a cell was asked by an earlier command and is not named by the last one."""
    return not entry.get("named", True)
