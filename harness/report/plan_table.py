"""A plan for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from harness.analyses.words import count, visible
from harness.core.cell import FREE
from harness.core.text import counted
from harness.report.writers.terminal import grid, open_console, say, show


def _reusable(plan_summary: Mapping[str, Any]) -> str:
    """How many replies other folders are foreseen to give, where any were named."""
    if "reusable" not in plan_summary:
        return ""
    return f", up to {counted(plan_summary['reusable'], 'reply', 'replies')} to be taken from other folders"


def print_plan(plan_summary: Mapping[str, Any], *, file: IO[str]) -> None:
    """What is about to run: a line for each cell, the sums, the folder, and notes."""
    from rich.text import Text

    console = open_console(file)
    table = grid([])
    channels = any(cell.get("channel", FREE) != FREE for cell in plan_summary["cells"])
    for name in ("model", "prompt", "condition", *(["channel"] if channels else [])):
        table.add_column(name, overflow="fold")
    for name in ("trials", "done"):
        table.add_column(name, justify="right", no_wrap=True)
    table.columns[0].header = "task"
    for cell in plan_summary["cells"]:
        shown = cell.get("display_name", cell["model"])
        words = [cell["task"], shown, cell["prompt"], cell["condition"]]
        words += [cell.get("channel", FREE)] if channels else []
        counts = [count(cell["trials"]), count(cell["done"])]
        table.add_row(*(Text(visible(word)) for word in (*words, *counts)))
    show(console, table)
    say(
        console,
        f"{counted(plan_summary['trials'], 'trial')}, {counted(plan_summary['requests'], 'request')}, "
        f"{count(plan_summary['done'])} already done" + _reusable(plan_summary),
    )
    say(console, f"run folder: {plan_summary['run']}")
    for line in plan_summary.get("token_lines", ()):
        say(console, line)
    for note in plan_summary["notes"]:
        say(console, f"note: {note}")
