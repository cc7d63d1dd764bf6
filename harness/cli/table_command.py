"""`harness table`: the table of a paper, from run folders and exports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import Arguments, add_id_key
from harness.cli.overwrite import add_overwrite, refuse_existing

if TYPE_CHECKING:
    from harness.publish.table import Wish

FORMATS = ("latex", "markdown", "csv", "xlsx", "html")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness table`."""
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="run folders and exports (folder or .zip)"
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="markdown",
        help="latex: with booktabs. csv: one line per cell, with unrounded numbers. xlsx: both, as sheets. Default: markdown",
    )  # fmt: skip
    add_shape(parser)
    parser.add_argument(
        "--published", nargs="?", const=Path(), type=Path, metavar="DIR",
        help="show numbers of papers and leaderboards beside the measured ones, and what differs. Default DIR: those that "
        "come with the program",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="file to write. Default: standard output"
    )
    add_overwrite(parser)
    add_id_key(parser)


def add_shape(parser: Arguments) -> None:
    """The options that say what stands where."""
    parser.add_argument(
        "--rows", metavar="AXES",
        help="axes of the rows: model, prompt, condition, task, metric, run..., separated by commas. Default: model, and "
        "the axes needed to distinguish the cells",
    )  # fmt: skip
    parser.add_argument("--columns", metavar="AXES", help="axes of the columns. Default: prompt")
    add_choice(parser)


def add_choice(parser: Arguments) -> None:
    """The options that say which cells, field and metrics are shown."""
    parser.add_argument(
        "--metric", metavar="NAME", action="append", default=[],
        help="metric to show. Repeatable. Default: the main metric of each field",
    )  # fmt: skip
    add_where(parser, "show")
    parser.add_argument("--field", metavar="NAME", help="field to show. Default: each")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="random seed. Default: 0")


def add_where(parser: Arguments, verb: str) -> None:
    """`--where`, which says the cells that a command is about."""
    parser.add_argument(
        "--where", metavar="AXIS=VALUE,...", action="append", default=[],
        help=f"{verb} only cells that match, such as --where condition=none,model='qwen*'. Repeatable: cells that match any "
        "of them. Default: all that were shown the pictures",
    )  # fmt: skip


def wish_of(args: argparse.Namespace) -> Wish:
    """What the options ask for. Raises HarnessError for a pattern or an axis that cannot be read."""
    from harness.core.cell_pattern import read_patterns
    from harness.publish.table import Wish

    where = read_patterns(args.where, option="--where")
    axes = {name: _axes(getattr(args, name, None)) for name in ("rows", "columns")}
    return Wish(**axes, metrics=tuple(args.metric), where=where, field=args.field)


def _axes(given: str | None) -> tuple[str, ...]:
    """`model,label-order` as axes."""
    return tuple(one.strip().replace("-", "_") for one in (given or "").split(",") if one.strip())


def execute(args: argparse.Namespace) -> int:
    """Write the tables, and the path where a file was named."""
    from harness.core.errors import HarnessError
    from harness.publish.latex import latex
    from harness.publish.markdown import markdown
    from harness.publish.page import page
    from harness.publish.published import beside
    from harness.publish.runs import opened
    from harness.publish.sheets import tidy, workbook
    from harness.publish.table import boards_of, tables
    from harness.run.folder import write_atomically
    from harness.run.published import published_folder, read_published

    wish = wish_of(args)
    refuse_existing(args, args.out, without="without --out")
    if args.format == "xlsx" and args.out is None:
        raise HarnessError("a workbook needs a file", hint="name it with --out table.xlsx")
    files = None
    if args.published is not None:
        files = read_published(published_folder() if args.published == Path() else args.published)
    with opened(args.runs, secret=_key(args)) as sides:
        made = tables(boards_of(sides, wish, seed=args.seed), wish)
        besides = [beside(one.boards, sides, files) if files else [] for one in made]
    if files and not any(besides):
        print("note: no published number is known of these tasks and metrics", file=sys.stderr)
    data: bytes
    if args.format == "xlsx":
        data = workbook(made, besides)
    else:
        writers = {"latex": latex, "markdown": markdown, "csv": tidy, "html": page}
        data = writers[args.format](made, besides).encode()
    if args.out is None:
        print(data.decode(), end="")
    else:
        write_atomically(args.out, data)
        print(args.out)
    return 0


def _key(args: argparse.Namespace) -> str | None:
    from harness.exports.pseudonyms import read_key

    return read_key(args.id_key)
