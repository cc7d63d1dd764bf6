"""Scores for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.analyses.sections import Section, task_sections
from harness.analyses.words import (
    count,
    failure_words,
    limit_words,
    refusal_words,
    truthless_words,
)
from harness.core.blocks import Block
from harness.core.outcome import Outcome
from harness.core.text import counted
from harness.report.inputs import view_of
from harness.report.notices import notice_lines
from harness.report.placing import apart, brief_block, under
from harness.report.tables import ScoreTable, score_tables
from harness.report.writers.cells import fits
from harness.report.writers.terminal import (
    open_console,
    print_lines,
    print_tables,
    say_below,
)
from harness.run.folder import RunFolder
from harness.score.naming import who_answered
from harness.score.scores import Scores
from harness.stats.coverage import small_sample_coverage

if TYPE_CHECKING:
    from rich.console import Console


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
