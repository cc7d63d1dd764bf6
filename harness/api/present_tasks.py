"""The tasks of a run, and those that are left out because their data are not on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.run.task_files import changed_task, load_task, undefined_roots
from harness.run.workspace import Workspace, fill_references

if TYPE_CHECKING:
    from harness.api.options import RunOptions


def present_tasks(
    asked: RunOptions, place: Workspace, *, option: str
) -> tuple[list[Task], dict[str, str]]:
    """The tasks to run, and with `skip_missing` those whose data root is not defined: task -> what to define.

    A root that is defined and wrong is refused as always: it was meant. `option` writes the option's name. Raises
    HarnessError, also where no task is left.
    """
    left_out: dict[str, str] = {}
    for name in asked.tasks if asked.skip_missing else ():
        missing = [] if isinstance(name, Task) else undefined_roots(name, place, asked.changes)
        if missing:
            lines = ", ".join(f'{root} = "FOLDER"' for root in missing)
            left_out[str(name)] = f"[data] {lines} is not in harness.toml"
    if left_out and len(left_out) == len(asked.tasks):
        raise HarnessError(
            f"{option} leaves no task: {'; '.join(map(': '.join, left_out.items()))}",
            hint="define the folder of one set in harness.toml",
        )
    kept = [task for task in asked.tasks if isinstance(task, Task) or task not in left_out]
    found = tasks_of(kept, place, asked.changes)
    if asked.spots is None:
        return found, left_out
    from harness.api.given_spots import with_given_spots

    return with_given_spots(found, asked.spots), left_out


def tasks_of(
    asked: Sequence[str | Task], place: Workspace, changes: Sequence[str] = ()
) -> list[Task]:
    """The tasks with their changes, each once. Raises HarnessError."""
    named = dict.fromkeys(task for task in asked if isinstance(task, str))
    made = [task for task in asked if isinstance(task, Task)]
    return [
        *(load_task(name, place, changes=changes) for name in named),
        *(_made(task, changes, place) for task in made),
    ]


def _made(task: Task, changes: Sequence[str], place: Workspace) -> Task:
    """A task that was made in Python, with changes and references to data roots."""
    if not task.name:
        raise HarnessError(
            "a task needs a name to be run",
            hint='set one: Task(name="mine/emotion", ...)',
        )
    changed = changed_task(task, changes)
    filled = {
        name: fill_references(getattr(changed, name), place.data, where=f"task {task.name}: {name}")
        for name in ("source", "exemplars")
    }
    return changed.model_copy(update=filled)
