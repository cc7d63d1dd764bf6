"""`harness runs`: list run folders with their sizes, and delete old ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.run.catalog import CatalogEntry

RESULTS = Path("results")
SORTED = ("time", "size", "path")
UNFOLDED = 4000
"""Columns of a list that goes into a file or another command: a path in two pieces would be no use there."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness runs`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="list run folders, the newest first")
    listed.add_argument(
        "folder", nargs="?", type=Path, default=RESULTS, metavar="FOLDER",
        help="folder to search. Default: results",
    )  # fmt: skip
    listed.add_argument(
        "--search", metavar="WORDS", default="",
        help="list only runs whose path, name, tasks or models contain these words",
    )  # fmt: skip
    listed.add_argument("--sort", choices=SORTED, default="time", help="order. Default: time")
    listed.add_argument("--json", action="store_true", help="print the list as JSON")
    delete = actions.add_parser("delete", help="delete run folders, by name or by age")
    delete.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders to delete")
    delete.add_argument(
        "--older", metavar="AGE",
        help="delete the runs whose last command started longer ago than this, such as 30d, 12h or 2w",
    )  # fmt: skip
    delete.add_argument(
        "--in", metavar="FOLDER", type=Path, dest="within",
        help="folder to search with --older. Default: results",
    )  # fmt: skip
    delete.add_argument(
        "--yes",
        action="store_true",
        help="delete without asking; needed where no terminal is there to ask",
    )


def execute(args: argparse.Namespace) -> int:
    """List or delete."""
    return _list(args) if args.action == "list" else _delete(args)


def _list(args: argparse.Namespace) -> int:
    from harness.run.catalog import find_runs

    found = [one for one in find_runs(args.folder) if one.matches(args.search)]
    if args.sort == "size":
        found.sort(key=lambda one: -one.size)
    elif args.sort == "time":
        found.sort(key=lambda one: one.started.timestamp() if one.started else 0.0, reverse=True)
    if args.json:
        import json

        print(json.dumps([_plain(one) for one in found], ensure_ascii=False, indent=1))
        return 0
    _print(found)
    return 0


def _plain(one: CatalogEntry) -> dict[str, Any]:
    from dataclasses import asdict

    started = one.started.isoformat() if one.started else None
    return {**asdict(one), "path": str(one.path), "started": started}


def _print(found: list[CatalogEntry]) -> None:
    from harness.core.blocks import Column, Table
    from harness.core.text import counted, visible
    from harness.report.writers.terminal import open_console, print_tables

    if not found:
        print("no runs")
        return
    rows = tuple(
        (
            visible(str(one.path)),
            one.started.strftime("%Y-%m-%d %H:%M") if one.started else "",
            one.state,
            _bytes(one.size),
            one.trials,
            visible(
                "; ".join(filter(None, (", ".join(one.tasks), ", ".join(one.models), one.fault)))
            ),
        )
        for one in found
    )
    headings = ("run", "started (UTC)", "state", "size", "trials", "tasks; models")
    console = open_console(sys.stdout)
    if not console.is_terminal:
        console.width = UNFOLDED
    print_tables(console, [Table(columns=tuple(map(Column, headings)), rows=rows)])
    print(f"{counted(len(found), 'run')}, {_bytes(sum(one.size for one in found))}")


def _bytes(size: int) -> str:
    """A size in a unit that suits it: 812 B, 3.4 MB."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def _delete(args: argparse.Namespace) -> int:
    from harness.core.text import counted
    from harness.run.catalog import delete_run

    chosen = _chosen(args)
    if not chosen:
        print("no run is that old; nothing deleted")
        return 0
    for one in chosen:
        print(f"{one.path}  {_bytes(one.size)}  {one.state}")
    if not args.yes and not _confirmed(chosen):
        print("nothing deleted")
        return 0
    for one in chosen:
        delete_run(one)
    print(f"deleted {counted(len(chosen), 'run')}, {_bytes(sum(one.size for one in chosen))}")
    return 0


def _chosen(args: argparse.Namespace) -> list[CatalogEntry]:
    """The runs to delete. Raises HarnessError where none is named, or one is no run or is being written."""
    from datetime import UTC, datetime

    from harness.run.catalog import entry_of, find_runs, older_than, read_age

    if args.older is None:
        refuse_unused("without --older", {"--in": args.within})
        if not args.runs:
            raise HarnessError("name the runs to delete", hint="RUN..., or --older 30d")
        for path in args.runs:
            if not (path / "manifest.json").is_file():
                raise HarnessError(f"{path} is not a run folder", hint="it has no manifest.json")
        chosen = [entry_of(path) for path in dict.fromkeys(args.runs)]
    else:
        refuse_unused("beside --older", {"RUN": args.runs})
        age = read_age(args.older)
        chosen = older_than(find_runs(args.within or RESULTS), age, datetime.now(UTC))
        chosen = [one for one in chosen if one.state != "running"]
    if busy := [str(one.path) for one in chosen if one.state == "running"]:
        raise HarnessError(f"another process is writing {busy[0]}", hint="wait for it to end")
    return chosen


def _confirmed(chosen: list[CatalogEntry]) -> bool:
    """Ask on the terminal. Raises HarnessError where there is none."""
    if not sys.stdin.isatty():
        raise HarnessError("nobody is there to confirm the deletion", hint="give --yes")
    answer = input(f"delete these {len(chosen)} folders for good? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}
