"""Sections: the blocks of all analyses of one task, in the order of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.blocks import Block, Note
from harness.core.task import Task
from harness.score.analysis import ScoredTask, shipped
from harness.score.outside_analyses import told
from harness.score.scores import Scores


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks of one analysis on one task."""

    name: str
    title: str
    task: str
    package: str
    """The package that brings the analysis, with its version; empty for shipped ones."""
    blocks: tuple[Block, ...]


def task_sections(scores: Scores, task: Task, manifest: Mapping[str, Any]) -> tuple[Section, ...]:
    """The sections of one task: shipped analyses first, then those of other packages by name. Empty ones are left out.

    An analysis of another package that failed has a section with a warning that says so.
    """
    beside = scored_task(scores, task, manifest)
    sections = [*_shipped(scores, beside), *_brought(scores, beside)]
    return tuple(section for section in sections if section.blocks)


def scored_task(scores: Scores, task: Task, manifest: Mapping[str, Any]) -> ScoredTask:
    """One task of scored runs, as blocks are made beside it."""
    return ScoredTask(
        task=task,
        scores=tuple(row for row in scores.scores if row.task == task.name),
        summary=next((state for state in scores.tasks if state["task"] == task.name), {}),
        manifest=manifest,
        confusions=tuple(entry for entry in scores.confusions if entry["task"] == task.name),
        extras={
            key: tuple(row for row in rows if row["task"] in {task.name, ""})
            for key, rows in scores.extras.items()
        },
    )


def _shipped(scores: Scores, beside: ScoredTask) -> Iterator[Section]:
    task = beside.task.name
    for analysis in sorted(shipped(), key=lambda one: one.order):
        rows: Sequence[Any] = ()
        if analysis.in_task:
            rows = beside.summary.get(analysis.key, ())
        elif analysis.key:
            rows = [row for row in scores.found.get(analysis.key, ()) if row["task"] == task]
        yield Section(analysis.name, analysis.title, task, "", tuple(analysis.blocks(rows, beside)))


def _brought(scores: Scores, beside: ScoredTask) -> Iterator[Section]:
    for one in told(scores.analyses, beside):
        failed = Note(text=one.failed, title="Analysis", warning=True) if one.failed else None
        blocks = one.blocks if failed is None else (failed,)
        yield Section(one.name, one.title, beside.task.name, one.package, blocks)
