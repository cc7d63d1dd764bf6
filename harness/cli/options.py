"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.task import Task
    from harness.run.workspace import Workspace


def add_folders(parser: argparse.ArgumentParser) -> None:
    """`--prompts DIR` and `--tasks DIR`."""
    parser.add_argument(
        "--prompts", metavar="DIR", action="append", default=[], type=Path,
        help="folder of your own prompts, searched before the shipped ones (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--tasks", metavar="DIR", action="append", default=[], type=Path, dest="task_folders",
        help="folder of your own tasks, searched before the shipped ones (repeatable)",
    )  # fmt: skip


def add_changes(parser: argparse.ArgumentParser) -> None:
    """`--set field.path=value`."""
    parser.add_argument(
        "--set", metavar="FIELD.PATH=VALUE", action="append", default=[], dest="changes",
        help="change a value of the task file, e.g. --set source.file=labels.csv (repeatable)",
    )  # fmt: skip


def workspace(args: argparse.Namespace) -> Workspace:
    """The workspace of the current folder with the folders given."""
    from harness.run.workspace import open_workspace

    return open_workspace(Path.cwd(), prompts=args.prompts, tasks=args.task_folders)


def tasks(args: argparse.Namespace, names: list[str], place: Workspace) -> list[Task]:
    """The named tasks with `--set` applied."""
    from harness.run.task_files import load_task

    return [load_task(name, place, changes=args.changes) for name in dict.fromkeys(names)]
