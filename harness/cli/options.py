"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.task import Task
    from harness.run.runner import Job
    from harness.run.workspace import Workspace


def add_axes(parser: argparse.ArgumentParser) -> None:
    """What `harness run` asks: tasks, models, prompts, conditions, a limit, changes, folders."""
    parser.add_argument("task", nargs="+", metavar="TASK", help="a task's name or YAML file")
    parser.add_argument(
        "--model", metavar="M", action="append", default=[],
        help="affect-tiny, transformers:PATH_OR_ID, openai:MODEL@URL (repeatable); "
        "without one only the baselines majority and prior are scored",
    )  # fmt: skip
    parser.add_argument(
        "--prompt", metavar="P", action="append", default=[],
        help="a prompt's name, or `all` (repeatable); default: the task's first",
    )  # fmt: skip
    parser.add_argument(
        "--condition", metavar="C", action="append", default=[],
        help="none (default), blank, ... (repeatable): exactly those named are run",
    )  # fmt: skip
    parser.add_argument(
        "--limit", metavar="N", type=_positive,
        help="a seeded random choice of N samples of each task instead of all",
    )  # fmt: skip
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="seed of everything drawn")
    add_changes(parser)
    add_folders(parser)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


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


def job(
    args: argparse.Namespace,
    *,
    out: Path | None,
    fit_on: str | None = None,
    allow_remote: Sequence[str] = (),
) -> Job:
    """What the arguments of `add_axes` ask for."""
    from harness.run.runner import make_job

    place = workspace(args)
    return make_job(
        tasks(args, args.task, place),
        place,
        models=args.model,
        prompts=args.prompt,
        conditions=args.condition or ["none"],
        limit=args.limit,
        seed=args.seed,
        out=out,
        fit_on=fit_on,
        allow_remote=allow_remote,
        command=["harness", *sys.argv[1:]],
        changes=args.changes,
    )


def tasks(args: argparse.Namespace, names: list[str], place: Workspace) -> list[Task]:
    """The named tasks with `--set` applied."""
    from harness.run.task_files import load_task

    return [load_task(name, place, changes=args.changes) for name in dict.fromkeys(names)]
