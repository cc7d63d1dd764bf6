"""Blocks as plain JSON: values as they are, each block with its `block` kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from harness.core.blocks import Block, Cell, Table
from harness.report.writers.cells import fits


def blocks_json(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Every block that has room on a page, with its values unrounded; no value is NaN."""
    return [_block(block) for block in blocks if fits(block, "much")]


def _block(block: Block) -> dict[str, Any]:
    told: dict[str, Any] = {"block": type(block).__name__.lower()}
    if isinstance(block, Table):
        told["columns"] = [asdict(column) for column in block.headings]
        told["rows"] = [
            {"role": row.role, "cells": [_cell(cell) for cell in row.cells]} for row in block.lines
        ]
    for name, value in asdict(block).items():
        if name != "room" and name not in told and value not in ("", None, ()):
            told[name] = _lists(value)
    return told


def _lists(value: Any) -> Any:
    """Tuples as JSON has them."""
    return [_lists(item) for item in value] if isinstance(value, tuple | list) else value


def _cell(cell: Cell) -> Any:
    if cell is None or isinstance(cell, str | int | float):
        return cell
    kept = {field.name: getattr(cell, field.name) for field in fields(cell)}
    return {name: value for name, value in kept.items() if value not in ("", None)}
