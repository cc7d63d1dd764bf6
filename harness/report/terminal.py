"""Scores and plans for a terminal of 100 columns, and scores as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from harness.analyses.keys import row_key
from harness.analyses.sections import Section, task_sections
from harness.analyses.words import (
    count,
    failure_words,
    limit_words,
    refusal_words,
    truthless_words,
    visible,
)
from harness.core.blocks import Block
from harness.core.cell import FREE, thinking_in, tools_in
from harness.core.outcome import Outcome
from harness.core.text import counted
from harness.core.tools_asked import NO_TOOLS
from harness.report.inputs import view_of
from harness.report.notices import notice_lines
from harness.report.placing import apart, brief_block, under
from harness.report.tables import ScoreTable, score_tables
from harness.report.writers.cells import fits
from harness.report.writers.terminal import (
    grid,
    open_console,
    print_lines,
    print_tables,
    say,
    say_below,
    show,
)
from harness.run.folder import RunFolder
from harness.score.analysis import shipped
from harness.score.naming import who_answered
from harness.score.scores import Scores
from harness.stats.coverage import small_sample_coverage

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = 2
"""2: each row has `protocol` and `tools`; in 1 they stood only where a cell had tools."""
NO_PROTOCOL = "-"
"""The protocol of a row that nobody was asked for: baselines, and answers made elsewhere."""


def scores_json(
    run: Path,
    scores: Scores,
    manifest: Mapping[str, Any] = MappingProxyType({}),
    *,
    notices: Sequence[str] = (),
) -> str:
    """The scores as the `--json` contract has them, indented; no value is null, never NaN.

    Each row has the `protocol` of its cell and its `tools` (`none` without); it has a `channel` only where that is not free,
    and `thinking` only where that was asked for. Beside the rows stand, where there are any, the rows of
    shipped analyses under their keys (such as `slices`), what replies cost where a price is known, `analyses` with the
    entries of those of other packages, and the `notices` that go with every report.
    """
    asked = {
        (entry["task"], *row_key(entry)): str(entry["protocol"])
        for entry in manifest.get("cells", ())
    }
    rows = [row.to_json() for row in scores.scores]
    for row in rows:
        if thinking := thinking_in(row["channel"]):
            row["thinking"] = thinking
        row["protocol"] = asked.get((row["task"], *row_key(row)), NO_PROTOCOL)
        row["tools"] = tools_in(row["channel"]) or NO_TOOLS
        if row["channel"] == FREE:
            del row["channel"]
    body: dict[str, Any] = {"schema": SCHEMA, "run": str(run), "scores": rows}
    beside = {
        one.key: list(_rows_of(one.key, scores, one.in_task))
        for one in shipped()
        if one.key and one.in_json
    }
    body |= {key: found for key, found in beside.items() if found}
    body |= {k: list(rows) for k, rows in scores.extras.items() if any("cost" in r for r in rows)}
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
    view = view_of(manifest, scores, folder=RunFolder(Path()))
    scores, manifest = view.scores, view.manifest
    console = open_console(file)
    for name, task in view.tasks.items():
        sections = task_sections(scores, task, manifest)
        tables = list(score_tables(view, name))
        if task.spotting is None:
            _print_fields(console, tables, sections)
        for section in apart(sections, tables):
            print_tables(console, _brief(section.blocks), heading=f"{name}: {section.title}")
        if task.spotting is not None:  # STRS is what such a task is judged by; windows are a means
            _print_fields(console, tables, sections)
        about = sample_lines(scores, name, manifest)
        for line in (*outcome_lines(scores, name), *about, *view.left_out(name)):
            say_below(console, line, "dim")
        for section in sections:
            print_lines(console, _brief(section.blocks))
    for line in notice_lines(manifest):
        say_below(console, line)


def _print_fields(
    console: Console, tables: Sequence[ScoreTable], sections: Sequence[Section]
) -> None:
    """The score tables, each with what belongs under it."""
    for table in tables:
        print_tables(console, [brief_block(table), *_brief(under(sections, table))])


def _brief(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if fits(block, "little")]


def outcome_lines(scores: Scores, task: str) -> Iterator[str]:
    """`affect-tiny emotion/plain, emotion: refused 3, unparsed 1`, where not all was answered.

    Fields of one cell with the same counts share a line.
    """
    fields: dict[tuple[str, str], list[str]] = {}
    for entry in scores.outcomes:
        missed = [
            f"{o} {entry['counts'][o]}"
            + (failure_words(entry.get("failures", {})) if o is Outcome.FAILED else "")
            + (refusal_words(entry.get("refused_by", {})) if o is Outcome.REFUSED else "")
            for o in Outcome
            if o is not Outcome.ANSWERED and entry["counts"].get(o)
        ]
        if entry["task"] == task and missed:
            who = who_answered(entry).rpartition(",")[0]
            fields.setdefault((who, ", ".join(missed)), []).append(entry["field"])
    for (who, missed_words), names in fields.items():
        yield f"{who}, {', '.join(names)}: {missed_words}"
    cut = {
        f"{who_answered(entry).rpartition(',')[0]}: {limit_words(entry)}": None
        for entry in scores.outcomes
        if entry["task"] == task and limit_words(entry)
    }
    yield from cut


def sample_lines(scores: Scores, task: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """How many samples and clusters a task has, what no score counts, and what is pending."""
    for state in scores.tasks:
        if state["task"] != task:
            continue
        assumed = ": independence assumed" if state["cluster_unit"] == "image" else ""
        yield (
            f"{counted(state['samples'], 'sample')}; 95% intervals resample {state['cluster_unit']}s "
            f"({count(state['clusters'])}){assumed}"
        )
        few = small_sample_coverage(state["clusters"], method="expanded")
        if few is not None:
            low, high = (f"{share:.2f}".removeprefix("0") for share in few)
            yield (
                f"few {state['cluster_unit']}s: in simulations such 95% intervals hold the truth in {low} to {high} of "
                "cases"
            )
        if "without_truth" in state:
            yield truthless_words(state["without_truth"])
        if state["pending"]:
            rest = "run the same command again to continue"
            if "shard" in manifest:
                none = " has no trials, since a run is parted into blocks of about 64"
                rest = (
                    f"this is shard {manifest['shard']}{'' if manifest.get('shard_trials', 1) else f', which{none}'}; "
                    "`harness merge` makes one run of all shards"
                )
            yield f"{counted(state['pending'], 'trial')} not finished: {rest}"
    yield from _rows_left_out(manifest, task)


def _rows_left_out(manifest: Mapping[str, Any], task: str) -> Iterator[str]:
    """`left out of the data: 3 rows (asks for none of the task's fields)`."""
    skipped = manifest["tasks"][task].get("skipped", ())
    rows = [
        f"{count(entry['count'])} row{'s' * (entry['count'] != 1)} ({entry['reason']})"
        for entry in skipped
    ]
    if rows:
        yield f"left out of the data: {', '.join(rows)}"


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
