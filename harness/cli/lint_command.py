"""`harness lint`: check prompts for errors before running them."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, given_changes, workspace
from harness.core.errors import refuse_unused
from harness.core.text import counted

if TYPE_CHECKING:
    from harness.core.prompt import Prompt
    from harness.core.task import Task
    from harness.prompting.library import Library
    from harness.prompting.lint import Finding


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness lint`."""
    parser.add_argument(
        "prompt",
        nargs="*",
        metavar="PROMPT",
        help="name of a prompt, or a pattern such as 'mine/*'. Default: all prompts",
    )
    parser.add_argument(
        "--task", metavar="TASK", action="append", default=[],
        help="check against this task. Repeatable. Default: every task that lists the prompt",
    )  # fmt: skip
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Print one line per finding; returns 1 if one is an error. A broken file is also a finding."""
    from harness.core.errors import HarnessError
    from harness.prompting.library import Library
    from harness.prompting.lint import lint
    from harness.run.task_files import find_task, load_task, task_names

    if not args.task:
        refuse_unused("without --task", given_changes(args))
    place = workspace(args)
    library = Library(place.prompts)
    changes = args.changes if args.task else ()
    known: list[Task] = []
    found: list[Finding] = []
    for name in args.task:
        if not (path := find_task(name, place.tasks)).is_file():
            raise HarnessError(f"no such file: {path}")
    for name in args.task or task_names(place.tasks):
        with _noting(found, name, "broken-task"):
            known.append(load_task(name, place, changes=changes, references=False))
    prompts = [name for word in args.prompt for name in library.matching(word)] or library.names()
    for name in sorted({*prompts} - {*library.names()}):
        library.prompt(name)  # says that there is none
    for name in prompts:
        with _noting(found, name, "broken-prompt"):
            prompt = library.prompt(name)
            suited = [task for task in known if args.task or name in task.prompts]
            against: list[Task | None] = [*suited] or [None]
            for task in against:
                found += [one for one in lint(library, prompt, task=task) if one not in found]
            if not any(one.prompt == name and one.code == "protocol-mismatch" for one in found):
                found += _protocol(library, prompt)
            if not args.task:
                found += _fields(prompt, known)
    found += [
        _finding(one.name, f"{one.line}", "broken-package", "repair or uninstall the package")
        for one in dict.fromkeys((*place.tasks.broken, *place.prompts.broken))
    ]
    for finding in found:
        place_of = f"{finding.file}:{finding.line}" if finding.line else finding.file
        print(
            f"{place_of}: {finding.level}: {finding.message} [{finding.code}]\n  hint: {finding.hint}"
        )
    errors = sum(finding.level == "error" for finding in found)
    counts = ((len(prompts), "prompt"), (errors, "error"), (len(found) - errors, "warning"))
    print(", ".join(counted(*one) for one in counts))
    return 1 if errors else 0


@contextlib.contextmanager
def _noting(found: list[Finding], name: str, code: str) -> Iterator[None]:
    """Errors that leave the block become findings."""
    from dataclasses import replace

    from harness.core.errors import HarnessError
    from harness.prompting.faults import PromptError

    try:
        yield
    except PromptError as error:
        one = _finding(error.file, error.fault, code, error.hint)
        found.append(replace(one, prompt=name, line=error.line))
    except HarnessError as error:
        found.append(_finding(name, error.message, code, error.hint))


def _fields(prompt: Prompt, tasks: list[Task]) -> Iterator[Finding]:
    """Fields that no task here has, which are spelt wrong or belong to a task elsewhere."""
    import difflib
    from dataclasses import replace

    from harness.core.prompt import ANY_FIELD

    there = sorted({name for task in tasks for name in task.fields})
    for name in prompt.head.fields:
        if name in there or prompt.head.fields == ANY_FIELD:
            continue
        near = difflib.get_close_matches(name, there, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        message = f"no task that is known here has the field {name}"
        hint = f"{meant}Check `fields:`; name the folder of your own tasks with --tasks DIR"
        one = _finding(f"{prompt.name}.j2", message, "unknown-field", hint)
        yield replace(one, prompt=prompt.name, level="warning")


def _protocol(library: Library, prompt: Prompt) -> Iterator[Finding]:
    """A protocol that does not exist, or cannot run the prompt."""
    from harness.core.errors import HarnessError
    from harness.protocols.registry import load_protocol
    from harness.run.request_count import count_for

    try:
        count_for(load_protocol(prompt.head.protocol), prompt, library)
    except HarnessError as error:
        yield _finding(prompt.name, error.message, "protocol-mismatch", error.hint)


def _finding(name: str, message: str, code: str, hint: str) -> Finding:
    from harness.prompting.lint import Finding

    return Finding(
        prompt=name, file=name, line=0, code=code, level="error", message=message, hint=hint
    )
