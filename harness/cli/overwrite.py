"""Files that a command writes where its user says: none that is there is replaced unless that is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.core.errors import HarnessError, refuse_unused


def add_overwrite(parser: argparse._ActionsContainer) -> None:
    """The option --overwrite."""
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")


def refuse_existing(args: argparse.Namespace, *paths: Path | None, without: str = "") -> None:
    """Raise HarnessError for a file that exists, unless --overwrite is given; and for --overwrite where no path is named,
    which `without` then says: "without --html"."""
    named = [path for path in paths if path is not None]
    if not named:
        refuse_unused(without, {"--overwrite": args.overwrite})
    for path in named:
        if path.is_dir():
            raise HarnessError(f"{path} is a folder", hint="name a file")
        if path.exists() and not args.overwrite:
            raise HarnessError(
                f"{path} already exists", hint="name another file, or replace it with --overwrite"
            )
