"""Trials of cells as the audit of tools and the ladder read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from harness.analyses.rows.tools import ToolTrial
from harness.core.cell import Cell
from harness.core.tool import LIMIT_RULE
from harness.score.analysis import TaskAnswers


def read_trials(
    answers: TaskAnswers, cells: Mapping[str, Cell], fields: Sequence[str]
) -> tuple[dict[tuple[Cell, str], dict[str, ToolTrial]], dict[str, dict[str, str | None]]]:
    """(cell, field) -> repeat and sample -> trial, of trials with a true label that did not fail; and by field the true
    label of each sample. `cells` are those wanted, by their ids."""
    found: dict[tuple[Cell, str], dict[str, ToolTrial]] = {}
    truths: dict[str, dict[str, str | None]] = {}
    for row in answers.trials():
        cell_id, _, key = row["trial"].partition("/")
        if row["field"] not in fields or cell_id not in cells:
            continue
        truth = _label(row["target"])
        truths.setdefault(row["field"], {})[row["sample"]] = truth
        trial = ToolTrial(
            row["sample"],
            row["cluster"],
            truth,
            _label(row["value"]),
            tuple(json.loads(row.get("calls") or "[]")),
            LIMIT_RULE in (row.get("fallback") or ""),
        )
        if truth is not None and row["outcome"] != "failed":
            found.setdefault((cells[cell_id], row["field"]), {})[key] = trial
    return found, truths


def told_cell(cell: Cell) -> dict[str, str]:
    """How rows of the audit of tools and of the ladder name a cell."""
    return {
        "model": cell.model,
        "prompt": cell.prompt,
        "condition": cell.shown_condition,
        "channel": cell.taken,
        "protocol": cell.protocol,
        "offered": cell.tools,
    }


def _label(written: str | None) -> str | None:
    value = None if written is None else json.loads(written)
    return value if isinstance(value, str) else None
