"""The page on the commands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness.cli.main import COMMANDS, EXIT_STATUSES, build_parser

from .markdown import code, page, prose, table

_INTRO = """
# Commands

`harness COMMAND --help` prints what is on this page. An option that is said to be repeatable may be given several
times.

## Exit status
"""


def commands_page() -> str:
    """Every command with its arguments, as its parser has them."""
    with _columns(96):
        blocks = [block for name in COMMANDS for block in _command(_parser_of(name))]
    statuses = [(code(str(number)), meaning) for number, meaning in EXIT_STATUSES.items()]
    return page(_INTRO, table(("status", "meaning"), statuses), *blocks)


def _parser_of(name: str) -> argparse.ArgumentParser:
    (commands,) = _subcommands(build_parser(name))
    return commands[name]


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[dict[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield dict(action.choices)


def _command(parser: argparse.ArgumentParser, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} {parser.prog}"
    yield prose(parser.description or "")
    yield f"```text\n{parser.format_usage().strip()}\n```"
    own = [a for a in parser._actions if not isinstance(a, argparse._SubParsersAction)]
    yield "\n\n".join(_argument(parser, action) for action in own if action.dest != "help")
    for below in _subcommands(parser):
        for one in below.values():
            yield from _command(one, level + 1)


def _argument(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    formatter = parser._get_formatter()
    name = ", ".join(action.option_strings)
    value = formatter._format_args(action, action.dest) if action.nargs != 0 else ""
    said = formatter._expand_help(action) if action.help else ""
    term = code(f"{name} {value}".strip())
    return f"{term}\n:   {prose(said)}"


@contextmanager
def _columns(width: int) -> Iterator[None]:
    """argparse wraps at the width of the terminal, which it reads from the environment."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
