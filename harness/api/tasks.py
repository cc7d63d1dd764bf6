"""`harness.load_task`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from harness.api.changes import changes
from harness.core.task import Task
from harness.run.task_files import load_task as load_named
from harness.run.workspace import open_workspace


def load_task(
    name: str | PathLike[str],
    *,
    source: Mapping[str, object] | None = None,
    fields: Mapping[str, Mapping[str, object]] | None = None,
    set: Mapping[str, object] | None = None,
    tasks_folders: Sequence[str | PathLike[str]] = (),
) -> Task:
    """A task by its name (`harness list tasks`) or YAML file, with changes, checked; no data is read.

    `source`: options of its data source; `fields`: field -> key -> value; `set`: other values by dotted path;
    `tasks_folders`: folders of your own tasks, searched first. The task is frozen, and `harness.evaluate` takes it.

    Raises HarnessError for an unknown name, key, metric or kind, naming file, line and hint.
    """
    place = open_workspace(Path.cwd(), tasks=map(Path, tasks_folders))
    made = changes(source=source, fields=fields, set=set)
    # A reference to a data root that is not known here is told when the task is run.
    return load_named(str(name), place, changes=made, references=False)
