"""Scores and plans for a terminal of 100 columns, and scores as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.analyses.sections import Section, task_sections
from harness.analyses.words import count, failure_words, visible
from harness.core.blocks import Block
from harness.core.cell import FREE
from harness.core.outcome import Outcome
from harness.core.task import Task
from harness.report.inputs import RunView, group
from harness.report.notices import notice_lines
from harness.report.tables import Line, ScoreTable, Shown, score_tables
from harness.report.writers.cells import fits
from harness.report.writers.terminal import (
    WIDTH,
    grid,
    open_console,
    print_lines,
    print_tables,
    say,
    say_below,
    show,
)
from harness.run.folder import RunFolder
from harness.score import Scores
from harness.score.analysis import shipped
from harness.score.naming import who_answered

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = 1
MOST_INTERVALS = 3
"""With more metrics than this, all but the first two stand without their intervals; on a narrow
terminal all but the first."""


def scores_json(run: Path, scores: Scores, *, notices: Sequence[str] = ()) -> str:
    """The scores as the `--json` contract has them, indented; no value is null, never NaN.

    A row has a `channel` only where that is not free. Beside the rows stand, where there are any, the rows of every
    shipped analysis under its key (such as `slices`), `analyses` with the entries of those of other packages, and the
    `notices` that go with every report.
    """
    rows = [asdict(row) for row in scores.scores]
    for row in rows:
        if row["channel"] == FREE:
            del row["channel"]
    body: dict[str, Any] = {"schema": SCHEMA, "run": str(run), "scores": rows}
    beside = {one.key: list(_rows_of(one.key, scores, one.in_task)) for one in shipped() if one.key}
    body |= {key: found for key, found in beside.items() if found}
    if scores.analyses:
        body["analyses"] = {name: list(entries) for name, entries in scores.analyses.items()}
    if notices:
        body["notices"] = list(notices)
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def _rows_of(key: str, scores: Scores, in_task: bool) -> Iterator[Mapping[str, Any]]:
    """The rows under a key, each with its task."""
    if not in_task:
        yield from scores.found.get(key, ())
        return
    for state in scores.tasks:
        yield from ({"task": state["task"], **row} for row in state.get(key, ()))


def print_scores(scores: Scores, manifest: Mapping[str, Any], *, file: IO[str]) -> None:
    """One table for each task, part and field: baselines, then every cell, then what the analyses tell.

    Plain text of at most 100 columns where `file` is no terminal.
    """
    tasks = {n: Task.model_validate(entry["config"]) for n, entry in manifest["tasks"].items()}
    view = RunView(RunFolder(Path()), manifest, tasks, scores, group(scores))
    console = open_console(file)
    for name, task in tasks.items():
        sections = task_sections(scores, task, manifest)
        tables = list(score_tables(view, name))
        for table in tables:
            _print_table(console, table)
            print_tables(console, _under(sections, table))
        headed = {(table.field, table.slice) for table in tables}
        for section in sections:
            alone = [
                b for b in _brief(section) if b.at is None or (b.at.field, b.at.part) not in headed
            ]
            print_tables(console, alone, heading=f"{name}: {section.title}")
        for line in (*_outcome_lines(scores, name), *_remarks(scores, name)):
            say_below(console, line, "dim")
        for section in sections:
            print_lines(console, _brief(section))
    for line in notice_lines(manifest):
        say_below(console, line)


def _brief(section: Section) -> list[Block]:
    return [block for block in section.blocks if fits(block, "little")]


def _under(sections: Sequence[Section], table: ScoreTable) -> Iterator[Block]:
    """The tables and figures of all analyses that belong under one score table."""
    for section in sections:
        for block in _brief(section):
            at = block.at
            if at is not None and (at.field, at.part) == (table.field, table.slice):
                yield block


def _print_table(console: Console, table: ScoreTable) -> None:
    from rich.text import Text

    console.print()
    say(console, f"{table.task}: {table.name}", "bold")
    answered = table.columns[0][1].partition(" =")[0]
    made = grid(["n", "cov.", *(heading for _, heading in table.columns), f"{answered}\nanswered"])
    intervals = _intervals(len(table.columns), console.width)
    for line in table.lines:
        cells = [_label(line), *_numbers(line, intervals)]
        style = "" if line.kind == "model" else "dim"
        made.add_row(*(Text(visible(cell), style=style) for cell in cells))
    show(console, made)


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
        if state["pending"]:
            yield f"{count(state['pending'])} trials not finished yet: the same command goes on"


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
        words = [cell["task"], cell["model"], cell["prompt"], cell["condition"]]
        words += [cell.get("channel", FREE)] if channels else []
        counts = [count(cell["trials"]), count(cell["done"])]
        table.add_row(*(Text(visible(word)) for word in (*words, *counts)))
    show(console, table)
    say(
        console,
        f"{count(plan_summary['trials'])} trials, {count(plan_summary['requests'])} requests, "
        f"{count(plan_summary['done'])} done already",
    )
    say(console, f"run folder: {plan_summary['run']}")
    for note in plan_summary["notes"]:
        say(console, f"note: {note}")
