"""Cells as a manifest writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.conditions.presentation import read_presentation
from harness.core.cell import FREE, Cell


def cell_of(entry: Mapping[str, Any]) -> Cell:
    """The cell of a manifest's entry, of this version's or of 0.2.0. Raises HarnessError for an unknown condition."""
    shown = read_presentation(entry["condition"])
    cell = Cell(
        task=entry["task"],
        model=entry["model"],
        prompt=entry["prompt"],
        condition=shown.condition,
        protocol=entry["protocol"],
        channel=entry.get("channel", FREE),
        shots=shown.shots,
        label_order=shown.label_order,
        thinking=entry.get("thinking", ""),
        pixels=shown.pixels,
        detail=shown.detail,
        tools=entry.get("tools", ""),
        asked_as=entry.get("asked_as", ""),
    )
    return cell if entry.get("id", cell.id) == cell.id else replace(cell, given_id=entry["id"])


def given_ids(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Id that a cell would have -> id under which the run keeps its trials, where these differ (see `Cell.given_id`)."""
    cells = [cell_of(entry) for entry in manifest.get("cells", ())]
    return {replace(cell, given_id="").id: cell.id for cell in cells if cell.given_id}


def is_kept(entry: Mapping[str, Any]) -> bool:
    """Whether a cell was asked by an earlier command and is not named by the last one."""
    return not entry.get("named", True)


def identity_of(entry: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The identity of the model that answered a cell: of a kept one that of the time when it was asked."""
    return str(entry.get("identity") or manifest["models"][entry["model"]]["identity"])


def version_names(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The prompts of a manifest that are earlier versions, which have names of their own."""
    return frozenset(entry["prompt"] for entry in manifest["cells"] if entry.get("asked_as"))
