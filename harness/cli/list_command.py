"""`harness list`: list tasks, prompts, models and everything else with a name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.cli.options import add_folders, workspace
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.core.registry import Listed

BROKEN = 1
"""Exit status if a listed item is broken."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness list`."""
    parser.add_argument("kind", choices=tuple(LISTS), help="what to list")
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Print one line per item: name and description. Returns 1 if an item is broken; its line says why."""
    others = {"--prompts": (args.prompts, "prompts"), "--tasks": (args.task_folders, "tasks")}
    refuse_unused(
        f"with list {args.kind}",
        {name: given for name, (given, kind) in others.items() if kind != args.kind},
    )
    listed = list(LISTS[args.kind](args))
    _print(listed)
    return BROKEN if any(one.broken for one in listed) else 0


def _tasks(args: argparse.Namespace) -> Iterator[Listed]:
    from harness.core.errors import HarnessError
    from harness.core.registry import Listed
    from harness.run.task_files import find_task, load_task, task_names

    place = workspace(args)
    folders = place.tasks
    for name in task_names(folders):
        try:
            task = load_task(name, place, references=False)
            package = folders.package_of(find_task(name, folders))
        except HarnessError as error:
            yield Listed(name, f"broken: {error.message}", broken=True)
        else:
            yield Listed(name, task.description, package)
    yield from folders.broken


def _prompts(args: argparse.Namespace) -> Iterator[Listed]:
    from harness.core.errors import HarnessError
    from harness.core.registry import Listed
    from harness.prompting.library import Library

    library = Library(workspace(args).prompts)
    for name in library.names():
        try:
            prompt = library.prompt(name)
        except HarnessError as error:
            yield Listed(name, f"broken: {error.message}", broken=True)
        else:
            line = f"{prompt.head.description} [{', '.join(prompt.head.fields)}]"
            yield Listed(name, line, library.folders.package_of(prompt.path))
    yield from library.folders.broken


def _models(args: argparse.Namespace) -> Iterable[Listed]:
    from harness.core.registry import Listed
    from harness.models import describe_models

    own = workspace(args).models.values()
    return [
        *(Listed(one.called, f"{one.model}, by harness.toml") for one in own),
        *describe_models(),
    ]


def _conditions(args: argparse.Namespace) -> Iterable[Listed]:
    from harness.conditions.registry import describe_conditions
    from harness.core.enhancer import PREFIX
    from harness.core.registry import Listed

    own = workspace(args).enhancers.items()
    listed = [
        *describe_conditions(),
        *(Listed(f"{PREFIX}{n}", f"pictures enhanced by {o.url}, by harness.toml") for n, o in own),
    ]
    return sorted(listed, key=lambda one: one.name)


def _sources(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.sources import describe_sources

    return describe_sources()


def _protocols(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.protocols.registry import PROTOCOLS

    return PROTOCOLS.listed()


def _tools(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.tools.registry import describe_tools

    return describe_tools()


def _channels(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.core.cell import CHANNEL_LINES
    from harness.core.registry import Listed

    return [Listed(name, line) for name, line in CHANNEL_LINES.items()]


def _metrics(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.metrics import describe_metrics

    return describe_metrics()


def _kinds(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.core.kind import describe_kinds

    return describe_kinds()


def _analyses(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.score.analysis import describe_analyses

    return describe_analyses()


def _submissions(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.submit import SUBMISSIONS

    return SUBMISSIONS.listed()


def _labels(_: argparse.Namespace) -> Iterable[Listed]:
    from harness.answers.vocabulary import describe_labels

    return describe_labels()


LISTS: Mapping[str, Callable[[argparse.Namespace], Iterable[Listed]]] = MappingProxyType(
    {
        "tasks": _tasks,
        "prompts": _prompts,
        "models": _models,
        "conditions": _conditions,
        "sources": _sources,
        "protocols": _protocols,
        "tools": _tools,
        "channels": _channels,
        "metrics": _metrics,
        "kinds": _kinds,
        "analyses": _analyses,
        "labels": _labels,
        "submissions": _submissions,
    }
)
"""What can be listed -> a function that gives its lines."""


def _print(listed: Iterable[Listed]) -> None:
    """Names in a column, then what they are, with the package where another one brings it."""
    import shutil
    import textwrap

    rows = [
        (one.name, f"{one.line} (package {one.package})" if one.package else one.line)
        for one in listed
    ]
    width = max((len(name) for name, _ in rows), default=0) + 2
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
    for name, line in rows:
        indent = " " * width
        body = textwrap.wrap(line, max(40, columns - width)) or [""]
        print(name.ljust(width) + ("\n" + indent).join(body))
