"""Requests over drawn faces as a run would put them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.core.request import Request, make_request
from harness.prompting.library import Library
from harness.protocols.registry import load_protocol
from harness.run.axes import Axes, sampling_for
from harness.run.folder import RunFolder
from harness.run.plan import make_plan
from harness.run.prepare import prepare
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace


def requests_of(task: str, prompt: str, count: int, *, seed: int = 0) -> list[Request]:
    """The first request of `count` trials of a task by a prompt, greedy, as any model would get it."""
    place = open_workspace(Path.cwd())
    library = Library(place.prompts)
    axes = Axes(models=("any",), prompts=(prompt,), limit=count, seed=seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        folder.create()
        plan = make_plan([load_task(task, place)], axes, library, folder, here=place.here)
        planned = plan.tasks[task]
        found = []
        for trials in prepare(planned, plan.cells, plan, library):
            for trial in trials:
                step = load_protocol(trial.cell.protocol).step(trial.render, [])
                sampling = sampling_for(planned.task, trial.prompt, axes, trial.cell.model)
                found.append(make_request(step.messages, sampling, model="any"))
    return found
