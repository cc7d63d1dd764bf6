"""report.html: the run folder as one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analyses import words
from harness.analyses.keys import heading, row_key
from harness.analyses.sections import Section, task_sections
from harness.compare.board import Overview
from harness.compare.overview import overview
from harness.core.blocks import Note
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.core.text import visible
from harness.report.concealed import concealed
from harness.report.figures import interval_plot, outcome_bar, outcome_text
from harness.report.film_pictures import Strips, collect_strips
from harness.report.films import KINDS
from harness.report.first_screen import first_screen
from harness.report.grid import Grid, Grids, grid_json, read_grids, script_json
from harness.report.inputs import RunView, is_export, read_run, view_of
from harness.report.notices import run_notices
from harness.report.pictures import Thumbnails, collect
from harness.report.placing import apart, score_block, under
from harness.report.provenance import provenance, sample_line, title
from harness.report.tables import SUMMARY_TABLES, ScoreTable, score_tables, summary
from harness.report.writers.cells import fits
from harness.report.writers.html import blocks_html
from harness.run.folder import RunFolder, write_atomically
from harness.score.columns import BASELINE, NO_PROMPT
from harness.version import __version__

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("tables.js", "samples.js")
WITH_PICTURES = "report-with-pictures.html"
"""In the private part of the run folder."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """Everything about one field on the whole task or one part."""

    table: ScoreTable
    plot: Markup | None
    estimators: tuple[tuple[str, str], ...]
    """(metric, how it was computed)."""
    scores: Markup
    analyses: Markup
    """What the analyses tell of this field."""


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """The outcomes of one cell on one field."""

    name: str
    bar: Markup
    text: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """One section of the page."""

    task: Task
    anchor: str
    samples: str
    independence_assumed: bool
    pending: int
    fields: tuple[FieldView, ...]
    outcomes: tuple[tuple[str, tuple[OutcomeView, ...]], ...]
    """(field, its cells)."""
    sections: tuple[tuple[str, str, Markup], ...]
    """(title, package that brings it, blocks) of the analyses of the whole task."""
    warnings: tuple[tuple[str, str], ...]
    """(title, text) of what no reader may overlook."""
    left_out: tuple[str, ...] = ()
    """What the tables leave out, in words."""
    earlier: tuple[tuple[str, Markup], ...] = ()
    """(field, scores) of earlier versions of edited prompts."""


def write_report(folder: RunFolder, *, with_pictures: bool = False) -> Path:
    """Write report.html from what the run folder holds and return its path.

    One file, no network, the same bytes for the same folder. A run that was not scored since its last reply is scored
    first. `with_pictures`: write the page with thumbnails of the data set's own pictures instead, into the private part
    of the run, where exports never look. Raises HarnessError for a folder that is no run, a broken file, a full disk, and
    with pictures for a data set that is not where it was.
    """
    view = read_run(folder)
    if with_pictures and is_export(view.manifest):
        raise HarnessError(
            f"{folder.path} is an export, which holds no pictures",
            hint="give --with-pictures with the run folder itself",
        )
    made = concealed(render(view, with_pictures=with_pictures), view.manifest)
    path = folder.report
    if with_pictures:
        private = (folder.written or folder.path) / "private"
        private.mkdir(exist_ok=True)
        path = private / WITH_PICTURES
    write_atomically(path, made.encode("utf-8"))
    return path


def export_page(folder: RunFolder) -> bytes:
    """The page of an export, made from what the export holds alone."""
    view = read_run(folder)
    return concealed(render(view), view.manifest).encode("utf-8")


def render(view: RunView, *, with_pictures: bool = False) -> str:
    """The page; that of an export shows no sample."""
    exported = is_export(view.manifest)
    grids = Grids((), {}, 0) if exported else read_grids(view)
    album = Thumbnails() if exported else collect(view, grids.places(), own=with_pictures)
    strips = Strips() if exported else collect_strips(view, own=with_pictures)
    tables = {name: tuple(score_tables(view, name)) for name in view.tasks}
    tasks = [task_view(view, name, tables[name]) for name in view.tasks]
    found = _overview(view)
    scripts = SCRIPTS[:1] if exported else SCRIPTS
    script = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in scripts)
    lines = tuple(line for some in tables.values() for line in summary(some))
    screen = first_screen(view, found, [line.verdict for line in lines])
    warnings = [(t.task.name, *told) for t in tasks for told in t.warnings]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=screen.title or title(view),
            subtitle=title(view) if screen.title else "",
            version=__version__,
            started=str(view.manifest["started"]),
            screen=screen,
            warnings=warnings,
            summary=lines,
            shortened=words.listed([n for n, some in tables.items() if len(some) > SUMMARY_TABLES]),
            summary_models=len({line.key[0] for line in lines}) > 1,
            made_elsewhere=all(cell["prompt"] == NO_PROMPT for cell in view.manifest["cells"]),
            trained_here=all(c["model"].startswith(BASELINE) for c in view.manifest["cells"]),
            blank_run=any(cell["condition"] == "blank" for cell in view.manifest["cells"]),
            tasks=tasks,
            pending=sum(task.pending for task in tasks),
            provenance=provenance(view),
            exported=exported,
            grids=grids,
            strips=strips,
            film_kinds=KINDS,
            picture_notes=_picture_notes(album),
            own_pictures=with_pictures,
            data=Markup(script_json(_data(found, grids, album))),  # noqa: S704
            script=Markup(script),  # noqa: S704
            script_digest=script_digest(script),
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704
            outcomes=words.OUTCOMES,
            notices=run_notices(view.manifest),
        )
    )


def _overview(view: RunView) -> Overview:
    """The run at a glance; where its cells cannot be paired, scores and details are shown without it, and why is told."""
    exported = is_export(view.manifest)
    if exported and not view.manifest["export"]["samples"]:
        said = "This export was made without samples, so nothing could be paired."
        return Overview("", {}, (), (), (), (), (said,))
    try:
        folder = RunFolder(view.folder.path) if exported else view.folder
        return overview(folder, scores=view.scores)
    except HarnessError as error:
        name = str(view.manifest.get("experiment", {}).get("name", ""))
        return Overview(name, {}, (), (), (), (), (f"Cells cannot be compared: {error.message}",))


def environment() -> Environment:
    """Jinja with everything escaped and unseen characters spelled out."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
        keep_trailing_newline=True,
    )
    env.filters.update(count=words.count, metric=words.metric_name)
    return env


def _seen(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def script_digest(script: str) -> str:
    """The script as the page's policy names it: no other script may run."""
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _sample_words(entry: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """How many samples there are, and how many of them no score counts."""
    line = sample_line(entry)
    missing = state.get("without_truth")
    return f"{line}; {words.truthless_words(missing)}" if missing else line


def task_view(view: RunView, name: str, tables: Sequence[ScoreTable]) -> TaskView:
    """The section of one task."""
    entry = view.manifest["tasks"][name]
    state: Mapping[str, Any] = next((t for t in view.scores.tasks if t["task"] == name), {})
    sections = task_sections(view.scores, view.tasks[name], view.manifest)
    return TaskView(
        task=view.tasks[name],
        anchor=f"task-{list(view.tasks).index(name) + 1}",
        samples=_sample_words(entry, state),
        independence_assumed=entry["cluster_unit"] == "image",
        pending=int(state.get("pending", 0)),
        fields=tuple(_field_view(view, table, sections) for table in tables),
        outcomes=_outcome_views(view, name),
        sections=tuple(_sections(apart(sections, tables))),
        warnings=tuple(
            (block.title, block.text)
            for section in sections
            for block in section.blocks
            if isinstance(block, Note) and block.warning and fits(block, "much")
        ),
        left_out=tuple(view.left_out(name)),
        earlier=tuple(_earlier(view, name)),
    )


def _earlier(view: RunView, task: str) -> Iterator[tuple[str, Markup]]:
    if view.all_scores is None:
        return
    manifest = {**view.manifest, "cells": list(view.all_cells)}
    old = view_of(manifest, view.all_scores, folder=view.folder, versions=True)
    for table in score_tables(old, task):
        lines = tuple(line for line in table.lines if line.kind in {"model", "blank"})
        if lines:
            yield table.name, blocks_html([score_block(replace(table, lines=lines))], environment())


def _sections(sections: Iterable[Section]) -> Iterator[tuple[str, str, Markup]]:
    """The sections that are drawn where there is much room."""
    for section in sections:
        if any(fits(block, "much") for block in section.blocks):
            yield section.title, section.package, blocks_html(section.blocks, environment())


def _field_view(view: RunView, table: ScoreTable, sections: Sequence[Section]) -> FieldView:
    lines = dict.fromkeys(
        (metric, shown.row.estimator)
        for line in table.lines
        for (metric, _), shown in zip(table.columns, line.strict, strict=True)
        if shown.row is not None
    )
    return FieldView(
        table=table,
        plot=interval_plot(table),
        estimators=tuple((words.metric_name(metric), said) for metric, said in lines),
        scores=blocks_html([score_block(table)], environment()),
        analyses=blocks_html(under(sections, table), environment()),
    )


def _outcome_views(view: RunView, task: str) -> tuple[tuple[str, tuple[OutcomeView, ...]], ...]:
    fields: dict[str, list[OutcomeView]] = {}
    for entry in view.scores.outcomes:
        if entry["task"] != task:
            continue
        name = " · ".join(heading(row_key(entry)))
        fields.setdefault(entry["field"], []).append(
            OutcomeView(
                name,
                outcome_bar(entry["counts"], name),
                outcome_text(entry["counts"], entry.get("failures"), entry.get("refused_by"))
                + (f"; {told}" if (told := words.limit_words(entry)) else ""),
            )
        )
    return tuple((field, tuple(cells)) for field, cells in fields.items())


def _picture_notes(album: Thumbnails) -> tuple[tuple[str, str], ...]:
    """(note, the tasks it holds for)."""
    by_note: dict[str, list[str]] = {}
    for task, note in album.notes.items():
        by_note.setdefault(note, []).append(task)
    return tuple((note, words.listed(names)) for note, names in by_note.items())


def _data(found: Overview, grids: Grids, album: Thumbnails) -> dict[str, Any]:
    """What the script of the page reads: the samples, and their pictures."""
    data = grid_json(grids)
    for grid, task in zip(grids.grids, data["tasks"], strict=True):
        conditions = list(dict.fromkeys(cell.key[2] for cell in grid.cells))
        shown = {
            words.visible(condition): {
                str(at): [[words.visible(caption), name] for caption, name in pictures]
                for at, one in enumerate(grid.samples)
                if (pictures := album.shown.get((grid.task, condition, one.sample)))
            }
            for condition in conditions
        }
        task["pictures"] = {name: some for name, some in shown.items() if some}
        task["best"] = _ranked(found, grid)
    return {**data, "pictures": album.urls}


def _ranked(found: Overview, grid: Grid) -> list[int]:
    """The cells of a grid that have a score on the first board of their task, the best first, as places."""
    board = next((one for one in found.boards if one.task == grid.task), None)
    places = {cell.key: at for at, cell in enumerate(grid.cells)}
    return [places[one.key] for one in board.cells if one.key in places] if board else []
