"""Answer files as arguments of `harness compare` and `harness gate`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import given_changes
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.core.task import Task
    from harness.run.workspace import Workspace

DEFAULT_TASK = "table/emotion"


def is_answers(path: Path) -> bool:
    """Whether a path is a file of answers: no folder and no zip."""
    return path.is_file() and path.suffix.lower() != ".zip"


def refuse_columns(args: argparse.Namespace) -> None:
    """Raise HarnessError for options that describe a file of answers, where there is none."""
    from harness.cli.score_command import COLUMN_OPTIONS

    columns = (*COLUMN_OPTIONS, "map", "task")
    refuse_unused(
        "without a file of answers",
        {f"--{name}": getattr(args, name) for name in columns}
        | given_changes(args)
        | {"--prompts": args.prompts, "--tasks": args.task_folders},
    )


def task_of_answers(paths: Sequence[Path], args: argparse.Namespace, place: Workspace) -> Task:
    """The task that tables answer: the one named, as the run folders beside them have it, or the default."""
    from harness.core.task import Task
    from harness.run.folder import near_runs, open_run
    from harness.run.scoring import scored_manifest
    from harness.run.task_files import load_task

    for path in paths:
        if not path.exists():
            raise HarnessError(
                f"no such run folder or file: {path}",
                hint="name a folder written by `harness run`, or a file of answers"
                + near_runs(path),
            )
    runs = [scored_manifest(open_run(path)) for path in paths if path.is_dir()]
    known: dict[str, Any] = {n: t["config"] for run in runs for n, t in run["tasks"].items()}
    name = args.task or (next(iter(known)) if len(known) == 1 else None)
    if name in known and not args.changes:
        return Task.model_validate(known[name])
    return load_task(name or DEFAULT_TASK, place, changes=args.changes, references=False)
