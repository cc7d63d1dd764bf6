"""`harness list`: what there is to choose from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from harness.cli.options import add_folders, workspace

KINDS = ("tasks", "prompts", "models", "conditions")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness list`."""
    parser.add_argument("kind", choices=KINDS)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Print one line a thing: its name and what it is."""
    rows = {"tasks": _tasks, "prompts": _prompts, "models": _models, "conditions": _conditions}
    _print(rows[args.kind](args))
    return 0


def _tasks(args: argparse.Namespace) -> Iterable[tuple[str, str]]:
    from harness.run.task_files import find_task, task_names
    from harness.run.yaml_file import read_yaml

    folders = workspace(args).tasks
    for name in task_names(folders):
        data, _ = read_yaml(find_task(name, folders))
        yield name, str(data.get("description", ""))


def _prompts(args: argparse.Namespace) -> Iterable[tuple[str, str]]:
    from harness.prompting import Library

    library = Library(workspace(args).prompts)
    for name in library.names():
        head = library.prompt(name).head
        yield name, f"{head.description} [{', '.join(head.fields)}]"


def _models(args: argparse.Namespace) -> Iterable[tuple[str, str]]:
    from harness.models import describe_models

    for _, form, line in describe_models():
        yield form, line


def _conditions(args: argparse.Namespace) -> Iterable[tuple[str, str]]:
    from harness.conditions import describe_conditions

    yield from describe_conditions()


def _print(rows: Iterable[tuple[str, str]]) -> None:
    import shutil
    import textwrap

    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0) + 2
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
    for name, line in listed:
        indent = " " * width
        body = textwrap.wrap(line, max(40, columns - width)) or [""]
        print(name.ljust(width) + ("\n" + indent).join(body))
