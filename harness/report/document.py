"""A scored run as blocks, and as the files report.md and report.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analyses.sections import Section, task_sections
from harness.core.blocks import Block
from harness.report.concealed import concealed
from harness.report.inputs import RunView, read_run
from harness.report.notices import run_notices
from harness.report.placing import apart, score_block, under
from harness.report.provenance import title
from harness.report.tables import score_tables
from harness.report.terminal import outcome_lines, sample_lines
from harness.report.writers.json import blocks_json
from harness.report.writers.markdown import blocks_markdown, escaped
from harness.run.folder import RunFolder, write_atomically

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class TaskDocument:
    """One task: what was answered, a group of blocks for each score table, and the analyses of the whole task."""

    name: str
    lines: tuple[str, ...]
    """Samples, clusters, pending trials, and what was not answered."""
    fields: tuple[tuple[str, tuple[Block, ...]], ...]
    """(field with its part, its scores and what the analyses tell of it)."""
    sections: tuple[Section, ...]
    """With the blocks that stand under no score table."""


def task_document(view: RunView, name: str) -> TaskDocument:
    """One task of a run as blocks."""
    sections = task_sections(view.scores, view.tasks[name], view.manifest)
    tables = tuple(score_tables(view, name))
    return TaskDocument(
        name=name,
        lines=(
            *sample_lines(view.scores, name, view.manifest),
            *outcome_lines(view.scores, name),
            *view.left_out(name),
        ),
        fields=tuple(
            (table.name, (score_block(table), *under(sections, table))) for table in tables
        ),
        sections=tuple(apart(sections, tables)),
    )


def write_markdown(folder: RunFolder) -> Path:
    """Write report.md and return its path: what report.html tells, without figures and samples.

    Raises HarnessError for a folder that is no run, a broken file, or a full disk.
    """
    path = folder.report.with_suffix(".md")
    view = read_run(folder)
    write_atomically(path, concealed(run_markdown(view), view.manifest).encode("utf-8", "replace"))
    return path


def write_json(folder: RunFolder) -> Path:
    """Write report.json and return its path: the same as blocks with unrounded values. Raises as `write_markdown`."""
    path = folder.report.with_suffix(".json")
    write_atomically(path, json_bytes(read_run(folder)))
    return path


def json_bytes(view: RunView) -> bytes:
    """The bytes of report.json."""
    body = json.dumps(run_json(view), ensure_ascii=False, indent=1, allow_nan=False)
    body = concealed(body, view.manifest)
    return f"{body}\n".encode("utf-8", "surrogatepass")


def run_markdown(view: RunView) -> str:
    """The run as Markdown."""
    parts = [f"# {escaped(title(view))}", ""]
    for said, names in run_notices(view.manifest):
        parts += [f"**Notice, {escaped(', '.join(names))}.** {escaped(said)}", ""]
    for name in view.tasks:
        task = task_document(view, name)
        parts += [f"## Task {escaped(name)}", ""]
        parts += [*(f"- {escaped(line)}" for line in task.lines), ""]
        for heading, blocks in task.fields:
            parts += [f"### {escaped(heading)}", "", blocks_markdown(blocks, level=4)]
        for section in task.sections:
            told = blocks_markdown(section.blocks, level=4)
            if told:
                package = f" ({section.package})" if section.package else ""
                parts += [f"### {escaped(section.title + package)}", "", told]
    return "\n".join(parts)


def run_json(view: RunView) -> dict[str, Any]:
    """The run as plain JSON."""
    tasks = [task_document(view, name) for name in view.tasks]
    return {
        "schema": SCHEMA,
        "title": title(view),
        "notices": [said for said, _ in run_notices(view.manifest)],
        "tasks": [
            {
                "task": task.name,
                "lines": list(task.lines),
                "fields": [
                    {"name": name, "blocks": blocks_json(blocks)} for name, blocks in task.fields
                ],
                "sections": [
                    {"name": one.name, "title": one.title, "package": one.package, "blocks": told}
                    for one in task.sections
                    if (told := blocks_json(one.blocks))
                ],
            }
            for task in tasks
        ],
    }
