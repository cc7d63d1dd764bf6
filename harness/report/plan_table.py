"""A plan for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from harness.analyses.words import count, visible
from harness.core.cell import FREE
from harness.core.text import counted
from harness.report.writers.terminal import grid, open_console, say, show


def _requests(plan_summary: Mapping[str, Any]) -> str:
    """How many requests will be made. Where other folders were named, whose replies are known once each request is made up,
    it is the most."""
    if "reusable" not in plan_summary:
        return counted(plan_summary["requests"], "request")
    most = plan_summary["requests"] + plan_summary["reusable"]
    taken = counted(plan_summary["reusable"], "reply", "replies")
    return f"at most {counted(most, 'request')} (about {taken} expected from other folders)"


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
    for line in plan_lines(plan_summary):
        say(console, line)


def plan_lines(plan_summary: Mapping[str, Any]) -> Iterator[str]:
    """What stands below the table: the sums, the folder, and notes."""
    yield (
        f"{counted(plan_summary['trials'], 'trial')}, {_requests(plan_summary)}, "
        f"{count(plan_summary['done'])} already done"
    )
    yield f"run folder: {plan_summary['run']}"
    yield from plan_summary.get("token_lines", ())
    for note in plan_summary["notes"]:
        yield f"note: {note}"
