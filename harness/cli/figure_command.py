"""`harness figure`: a figure for a paper, from run folders and exports."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_id_key
from harness.cli.overwrite import add_overwrite, refuse_existing
from harness.cli.table_command import add_choice, wish_of
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.compare.board import Board
    from harness.compare.candidates import Side

KINDS = ("heatmap", "forest", "confusion", "reliability")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness figure`."""
    parser.usage = (
        "harness figure RUN [RUN ...] heatmap|forest|confusion|reliability --out FILE [options]"
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN",
        help="run folders and exports (folder or .zip), then the kind of figure: heatmap (scores of prompts by models), "
        "forest (paired differences), confusion (true against answered labels), reliability (probabilities against the "
        "share right)",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True,
        help="file to write, ending in .pdf, .svg or .png. Where there are several figures, the name of each task is added",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="AXIS=VALUE",
        help="forest: cells to compare all others with, such as --against prompt=emotion/plain. Default: what the "
        "experiment says, otherwise the first prompt",
    )  # fmt: skip
    add_overwrite(parser)
    add_choice(parser)
    add_id_key(parser)


def execute(args: argparse.Namespace) -> int:
    """Draw and write; the paths go to standard output."""
    from harness.core.cell_pattern import read_pattern
    from harness.exports.pseudonyms import read_key
    from harness.publish.figure import suffix_of
    from harness.publish.runs import opened
    from harness.publish.table import boards_of
    from harness.run.folder import write_atomically

    *runs, kind = args.runs
    if kind not in KINDS or not runs:
        raise HarnessError(
            f"{kind!r} is no figure" if runs else "no run is named",
            hint=f"write harness figure RUN {'|'.join(KINDS)} --out FILE",
        )
    if kind != "forest":
        refuse_unused(f"with {kind}", {"--against": args.against})
    suffix = suffix_of(args.out)
    against = read_pattern(args.against, option="--against") if args.against else None
    paths = [Path(name) for name in runs]
    with opened(paths, secret=read_key(args.id_key)) as sides:
        boards = boards_of(sides, wish_of(args), against=against, seed=args.seed)
        drawn = [(board, _figure(kind, board, sides)) for board in boards]
        files = [args.out] if len(boards) == 1 else [_named(args.out, board) for board in boards]
        refuse_existing(args, *files)
        for out, (_, draw) in zip(files, drawn, strict=True):
            write_atomically(out, draw(suffix))
            print(out)
    return 0


def _named(out: Path, board: Board) -> Path:
    """The file of one of several figures."""
    slug = re.sub(r"[^\w.]+", "-", f"{board.name} {board.metric}").strip("-")
    return out.with_name(f"{out.stem}-{slug}{out.suffix}")


def _figure(kind: str, board: Board, sides: list[Side]) -> Callable[[str], bytes]:
    from harness.publish import figure

    if kind == "heatmap":
        return figure.heatmap(board)
    if kind == "forest":
        return figure.forest(board)
    if kind == "confusion":
        return figure.confusion(figure.panels_of(sides, board, "confusions"), board.name)
    return figure.reliability(figure.panels_of(sides, board, "reliability"), board.name)
