"""`harness lint`: faults of prompts, before anything is asked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, workspace
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.core.task import Task


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness lint`."""
    parser.add_argument(
        "prompt", nargs="*", metavar="PROMPT", help="prompts by name; default: all there are"
    )
    parser.add_argument(
        "--task", metavar="TASK", action="append", default=[],
        help="check against this task (repeatable); default: every task that lists the prompt",
    )  # fmt: skip
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Print one line a finding; 1 when there is an error among them."""
    from harness.prompting import Library, lint
    from harness.run.task_files import load_task, task_names

    if not args.task:
        refuse_unused("without --task", {"--set": args.changes})
    place = workspace(args)
    library = Library(place.prompts)
    names = args.task or task_names(place.tasks)
    changes = args.changes if args.task else ()
    known = [load_task(name, place, changes=changes, references=False) for name in names]
    found = []
    prompts = args.prompt or library.names()
    for name in prompts:
        prompt = library.prompt(name)
        suited = [task for task in known if args.task or name in task.prompts]
        against: list[Task | None] = [*suited] or [None]
        for task in against:
            found += [
                finding for finding in lint(library, prompt, task=task) if finding not in found
            ]
    for finding in found:
        place_of = f"{finding.file}:{finding.line}" if finding.line else finding.file
        print(
            f"{place_of}: {finding.level}: {finding.message} [{finding.code}]\n  hint: {finding.hint}"
        )
    errors = sum(finding.level == "error" for finding in found)
    print(f"{len(prompts)} prompts, {errors} errors, {len(found) - errors} warnings")
    return 1 if errors else 0
