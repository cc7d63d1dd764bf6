"""Scores and plans for a terminal of 100 columns, and scores as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.core.cell import FREE
from harness.core.outcome import Outcome
from harness.core.task import Task
from harness.report.channels import channel_lines, constraint_notes
from harness.report.fieldless import fieldless_lines
from harness.report.folds import fold_lines
from harness.report.inputs import RunView, group
from harness.report.notices import notice_lines
from harness.report.slices import slice_lines
from harness.report.soft import BRIEF, soft_table
from harness.report.spread import topk_lines
from harness.report.tables import BLANK, Line, ScoreTable, Shown, score_tables
from harness.report.units import UnitTable, unit_lines, unit_table
from harness.report.words import count, failure_words, fallback_lines, visible
from harness.run.folder import RunFolder
from harness.score import Scores
from harness.score.classes import class_lines
from harness.score.label_orders import order_lines
from harness.score.mixture import mixture_lines
from harness.score.naming import who_answered
from harness.score.prediction_spread import WARNING, spread_lines
from harness.score.repeats import consistency_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
SCHEMA = 1
MOST_INTERVALS = 3
"""With more metrics than this, all but the first two stand without their intervals; on a narrow
terminal all but the first."""
MOST_UNITS = 4
"""Models and prompts beside each other in a table of action units."""
MOST_SLICES = 8
"""Lines of groups below the tables of one task."""


def scores_json(run: Path, scores: Scores, *, notices: Sequence[str] = ()) -> str:
    """The scores as the `--json` contract has them, indented; no value is null, never NaN.

    A row has a `channel` only where that is not free. Beside the rows stand, where there are any, `slices` (scores and
    non-answers by group), `folds` (mean and deviation beside the pooled value) and `units` (members of sets),
    `mixtures` (what mixed labels were followed by), and the `notices` that go with every report.
    """
    rows = [asdict(row) for row in scores.scores]
    for row in rows:
        if row["channel"] == FREE:
            del row["channel"]
    body: dict[str, Any] = {"schema": SCHEMA, "run": str(run), "scores": rows}
    beside = {
        "slices": scores.slices,
        "folds": scores.folds,
        "units": scores.units,
        "mixtures": [
            {"task": state["task"], **entry}
            for state in scores.tasks
            for entry in state.get("mixtures", ())
        ],
        "notices": notices,
    }
    body |= {name: list(entries) for name, entries in beside.items() if entries}
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def print_scores(scores: Scores, manifest: Mapping[str, Any], *, file: IO[str]) -> None:
    """One table for each task, part and field: baselines, then every cell, then what went unanswered.

    Plain text of at most 100 columns where `file` is no terminal.
    """
    tasks = {n: Task.model_validate(entry["config"]) for n, entry in manifest["tasks"].items()}
    view = RunView(RunFolder(Path()), manifest, tasks, scores, group(scores))
    console = _console(file)
    for name in tasks:
        tables = list(score_tables(view, name))
        for table in tables:
            _print_table(console, table)
            _print_units(console, unit_table(view, table))
            soft = soft_table(view, table, most=BRIEF)
            if soft is not None:
                _print_table(console, soft)
        for line in fieldless_lines(scores.scores, name):
            _say(console, line)
        lines = (
            *_outcome_lines(scores, name),
            *_remarks(scores, name),
            *(line for table in tables for line in fold_lines(view, table)),
            *slice_lines(scores, name, most=MOST_SLICES),
            *topk_lines(scores, name),
            *channel_lines(scores, name),
            *constraint_notes(manifest, scores, name),
        )
        for line in lines:
            _say_below(console, line, "bold red" if line.startswith(WARNING) else "dim")
    for line in notice_lines(manifest):
        _say_below(console, line)


def _say_below(console: Console, line: str, style: str = "") -> None:
    for part in textwrap.wrap(
        visible(line), WIDTH - 4, initial_indent="  ", subsequent_indent="    "
    ):
        _say(console, part, style)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    probe = Console(file=file)
    width = min(WIDTH, probe.width) if probe.is_terminal else WIDTH
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False)


def _say(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(visible(text), style=style), overflow="fold")


def _show(console: Console, grid: Table) -> None:
    """Print a table; in a pipe without the blanks that would fill its lines."""
    if console.is_terminal:
        console.print(grid)
        return
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def _print_table(console: Console, table: ScoreTable) -> None:
    from rich.text import Text

    console.print()
    _say(console, f"{table.task}: {table.name}", "bold")
    answered = table.columns[0][1].partition(" =")[0]
    grid = _grid(["n", "cov.", *(heading for _, heading in table.columns), f"{answered}\nanswered"])
    intervals = _intervals(len(table.columns), console.width)
    for line in table.lines:
        cells = [_label(line), *_numbers(line, intervals)]
        style = "" if line.kind == "model" else "dim"
        grid.add_row(*(Text(visible(cell), style=style) for cell in cells))
    _show(console, grid)


def _print_units(console: Console, table: UnitTable | None) -> None:
    from rich.text import Text

    if table is None:
        return
    places = [at for at, key in enumerate(table.keys) if key[2] != BLANK] or [
        *range(len(table.keys))
    ]
    bounds = len(places) < MOST_UNITS - 1
    names = ["\n".join(lines) for lines in table.headings]
    grid = _grid(["present", "F1 if\nalways", *(f"F1\n{names[at]}" for at in places[:MOST_UNITS])])
    for column in grid.columns[3:]:
        column.no_wrap, column.overflow = False, "fold"
    for cells in unit_lines(table, places[:MOST_UNITS], bounds=bounds):
        grid.add_row(
            *(Text(visible(cell), style="bold" if cells[0] == "mean" else "") for cell in cells)
        )
    console.print()
    _show(console, grid)
    if len(table.keys) > len(places[:MOST_UNITS]):
        _say_below(
            console, "F1 of the other models, prompts and conditions: harness report RUN", "dim"
        )
    if table.absent:
        _say_below(console, f"no true case, and not in the mean: {', '.join(table.absent)}", "dim")


def _grid(headings: Sequence[str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _label(line: Line) -> str:
    model, prompt, condition = line.key
    if line.kind in {"baseline", "ceiling"}:
        return f"{model} ({line.note})" if line.note else model
    if line.kind == "not-run":
        return f"blank picture: {line.note}"
    said = " ".join(
        (model, *([] if prompt == "-" else [prompt]), *([] if condition == "none" else [condition]))
    )
    return f"{said}: {line.note}" if line.note else said


def _intervals(columns: int, width: int) -> int:
    """How many columns have room for their intervals."""
    if width < WIDTH:
        return 1
    return columns if columns <= MOST_INTERVALS else 2


def _numbers(line: Line, intervals: int) -> Iterator[str]:
    if line.n is None:
        yield from [""] * (len(line.strict) + 3)
        return
    yield count(line.n)
    yield line.coverage
    for place, shown in enumerate(line.strict):
        yield _told(shown) if place < intervals else shown.value
    yield line.answered[0].value


def _told(shown: Shown) -> str:
    return f"{shown.value} {shown.interval}".strip()


def _outcome_lines(scores: Scores, task: str) -> Iterator[str]:
    """`affect-tiny emotion/plain, emotion: refused 3, unparsed 1`, where not all was answered.

    Fields of one cell with the same counts share a line.
    """
    fields: dict[tuple[str, str], list[str]] = {}
    for entry in scores.outcomes:
        missed = [
            f"{o} {entry['counts'][o]}"
            + (failure_words(entry.get("failures", {})) if o is Outcome.FAILED else "")
            for o in Outcome
            if o is not Outcome.ANSWERED and entry["counts"].get(o)
        ]
        if entry["task"] == task and missed:
            who = who_answered(entry).rpartition(",")[0]
            fields.setdefault((who, ", ".join(missed)), []).append(entry["field"])
    for (who, missed_words), names in fields.items():
        yield f"{who}, {', '.join(names)}: {missed_words}"


def _remarks(scores: Scores, task: str) -> Iterator[str]:
    for state in scores.tasks:
        if state["task"] != task:
            continue
        assumed = ": independence assumed" if state["cluster_unit"] == "image" else ""
        yield (
            f"{count(state['samples'])} samples; 95% intervals resample {state['cluster_unit']}s "
            f"({count(state['clusters'])}){assumed}"
        )
        yield from fallback_lines(state)
        if state["pending"]:
            yield f"{count(state['pending'])} trials not finished yet: the same command goes on"
        yield from class_lines(state)
        yield from spread_lines(state)
        yield from consistency_lines(state)
        yield from order_lines(state)
        yield from mixture_lines(state)


def print_plan(plan_summary: Mapping[str, Any], *, file: IO[str]) -> None:
    """What is about to run: a line for each cell, the sums, the folder, and notes."""
    from rich.text import Text

    console = _console(file)
    grid = _grid([])
    channels = any(cell.get("channel", FREE) != FREE for cell in plan_summary["cells"])
    for name in ("model", "prompt", "condition", *(["channel"] if channels else [])):
        grid.add_column(name, overflow="fold")
    for name in ("trials", "done"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.columns[0].header = "task"
    for cell in plan_summary["cells"]:
        words = [cell["task"], cell["model"], cell["prompt"], cell["condition"]]
        words += [cell.get("channel", FREE)] if channels else []
        counts = [count(cell["trials"]), count(cell["done"])]
        grid.add_row(*(Text(visible(word)) for word in (*words, *counts)))
    _show(console, grid)
    _say(
        console,
        f"{count(plan_summary['trials'])} trials, {count(plan_summary['requests'])} requests, "
        f"{count(plan_summary['done'])} done already",
    )
    _say(console, f"run folder: {plan_summary['run']}")
    for note in plan_summary["notes"]:
        _say(console, f"note: {note}")
