"""Toolboxes over files, or over samples of a task, for those who call tools themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.conditions.registry import load_condition
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.marks import FaceFinder
from harness.core.medium import Medium, image
from harness.core.picture import FilePicture, Remembered
from harness.core.sample import Sample
from harness.core.task import Task
from harness.core.tool import SECOND_OPINION, Toolbox
from harness.core.tools_asked import ToolsAsked, read_tools
from harness.media.decode import open_picture
from harness.media.video_file import is_video_name, opened, video_clip
from harness.run.mix_pairing import Partners
from harness.run.preview import with_labels
from harness.run.toolboxes import Toolboxes
from harness.tools.frames import MediumFrames
from harness.tools.registry import TOOLS, load_tools
from harness.tools.toolbox import BoundTools

MOST = 1000
"""Pictures or samples that one server offers: each name stands in the description of each tool."""


def asked_tools(written: str | None) -> ToolsAsked:
    """The tools that are named; None: all that ask no other model. Raises HarnessError for `none`, for unknown ones, and for
    one that asks another model, which a run alone can."""
    alone = tuple(name for name in TOOLS.names() if name != SECOND_OPINION)
    asked = ToolsAsked(alone) if written is None else read_tools(written)
    if asked is None:
        raise HarnessError("--tools none offers nothing", hint="leave --tools out, or name tools")
    load_tools(asked.names)
    if SECOND_OPINION in asked.names:
        raise HarnessError(
            f"{SECOND_OPINION} asks another model, which only `harness run` does",
            hint="leave it out of --tools",
        )
    return asked


def toolboxes_of_files(
    paths: Sequence[Path], asked: ToolsAsked, *, finder: FaceFinder | None = None
) -> dict[str, Toolbox]:
    """Name -> toolbox over a picture or video file. Each is opened once, so that a broken one is told now.

    `finder` looks for faces. Raises HarnessError for files that cannot be read, and where tools would show another sample.
    """
    if asked.needs_donor:
        raise HarnessError(
            f"--tools {asked.written} shows another sample, and files have no labels to choose one by",
            hint="use --task TASK --sample ID, or another alteration (blank, echo, unavailable)",
        )
    if asked.needs_region:
        raise HarnessError(
            f"--tools {asked.written} shows where the answer is to be seen, and files have no annotation that says so",
            hint="use --task TASK --sample ID with a task that has the annotation `region`, or the tools as they are",
        )
    _refuse_many(len(paths))
    tools = load_tools(asked.names)
    made: dict[str, Toolbox] = {}
    for name, path in _named(paths).items():
        if not path.is_file():
            raise HarnessError(
                f"{path} is a folder" if path.is_dir() else f"picture not found: {path}",
                hint="name picture or video files; relative paths start at the current folder",
            )
        medium = video_clip(path) if is_video_name(path) else image(Remembered(FilePicture(path)))
        medium = replace(opened(medium), finder=finder)
        open_picture(medium.frames[0])
        made[name] = BoundTools(tools, asked, MediumFrames(medium), seed=name)
    return made


def toolboxes_of_samples(
    task: Task, samples: Sequence[str], asked: ToolsAsked, *, here: Path, seed: int = 0
) -> dict[str, Toolbox]:
    """Sample id -> toolbox, as an agent of a run has it. Raises HarnessError for a sample that the source does not have, and
    for one that cannot be read."""
    _refuse_many(len(samples))
    labelled, source = with_labels(task, here=here)
    partners = Partners(labelled, source, seed=seed) if asked.needs_donor else None
    boxes = Toolboxes(partners, seed=seed)
    cell = Cell(task.name, "", "", "none", "agent", tools=asked.written)
    wanted = dict.fromkeys(samples)
    found: dict[str, Toolbox] = {}
    for sample in source:
        if sample.id in wanted and sample.id not in found:
            found[sample.id] = _of_sample(boxes, cell, sample)
            if len(found) == len(wanted):
                break
    if missing := [one for one in wanted if one not in found]:
        raise HarnessError(
            f"task {task.name} has no sample {missing[0]!r}",
            hint=f"`harness show {task.name}` prints the id of the first one",
        )
    return {name: found[name] for name in wanted}


def _of_sample(boxes: Toolboxes, cell: Cell, sample: Sample) -> Toolbox:
    box, failure = boxes.of(cell, sample, _remembered(sample.medium), load_condition("none"))
    if box is None:
        told = "no tools" if failure is None else failure.detail
        raise HarnessError(f"sample {sample.id}: {told}", hint="choose another sample")
    return box


def _remembered(medium: Medium) -> Medium:
    return replace(medium, frames=tuple(map(Remembered, medium.frames)))


def _named(paths: Sequence[Path]) -> Mapping[str, Path]:
    """Files by their own name, with a number before it where several share it."""
    count = Counter(path.name for path in paths)
    named = [
        (path.name if count[path.name] == 1 else f"{number}-{path.name}", path)
        for number, path in enumerate(paths, 1)
    ]
    if len(dict(named)) < len(named):
        raise HarnessError("two pictures would have the same name", hint="rename one of them")
    return dict(named)


def _refuse_many(count: int) -> None:
    if not 0 < count <= MOST:
        raise HarnessError(
            f"{count} pictures are offered; a server takes 1 to {MOST}",
            hint="name the pictures, or the samples by --task TASK --sample ID",
        )
