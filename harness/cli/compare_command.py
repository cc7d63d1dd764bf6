"""`harness compare`: compare runs and tables of predictions on the samples they share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.answer_files import DEFAULT_TASK, is_answers, refuse_columns, task_of_answers
from harness.cli.options import add_changes, add_folders, add_id_key, workspace
from harness.cli.overwrite import add_overwrite, refuse_existing
from harness.cli.score_command import add_columns, asked_columns
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.compare.candidates import Side
    from harness.compare.differing import Differing
    from harness.compare.tables import Block
    from harness.core.cell import Cell
    from harness.core.cell_pattern import CellPattern


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness compare`."""
    parser.usage = "harness compare PATH [PATH ...] [options]"
    parser.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="run folders, exports (folder or .zip), or files of answers from other tools",
    )
    parser.add_argument(
        "--task", metavar="TASK",
        help="task of the answer files. Default: the task of the run folders given, otherwise "
        + DEFAULT_TASK,
    )  # fmt: skip
    parser.add_argument(
        "--by", choices=("id", "content"), default="id",
        help="pair samples by id, or by the content of their pictures (reads the pictures again). Default: id",
    )  # fmt: skip
    parser.add_argument(
        "--select", choices=("loso",),
        help="choose the best prompt of a run instead, leave-one-subject-out: each subject is scored with the "
        "prompt that is best on all other subjects",
    )  # fmt: skip
    parser.add_argument(
        "--unlike", action="store_true",
        help="compare even if more differs than one axis; every result then says so",
    )  # fmt: skip
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="random seed. Default: 0")
    shown = parser.add_argument_group("what to show")
    shown.add_argument(
        "--all", action="store_true",
        help="every pair of cells with all metrics, class by class and slice by slice. Default: the ranking, and the "
        "differences from one cell, in about 60 lines",
    )  # fmt: skip
    shown.add_argument(
        "--against", metavar="AXIS=VALUE,...",
        help="compare only with the cells that match, such as prompt=emotion/plain. Default: what the experiment says, "
        "otherwise the first prompt",
    )  # fmt: skip
    shown.add_argument(
        "--metric", metavar="NAME", help="metric to compare by. Default: the task's main metric"
    )
    shown.add_argument(
        "--condition", metavar="CONDITION", action="append", default=[],
        help="compare only cells with this condition. Repeatable",
    )  # fmt: skip
    shown.add_argument(
        "--where", metavar="AXIS=VALUE,...", action="append", default=[],
        help="compare only cells that match, such as 'model=qwen*'. Repeatable: cells that match any of them",
    )  # fmt: skip
    shown.add_argument(
        "--samples", action="store_true",
        help="list the samples that two cells answer differently; needs exactly two cells (see --where)",
    )  # fmt: skip
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print the results as JSON")
    shape.add_argument("--markdown", action="store_true", help="print the results as Markdown")
    shape.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write the results as a page to FILE, and print its path",
    )
    add_overwrite(parser)
    tables = parser.add_argument_group("answers from other tools")
    add_columns(tables)
    add_changes(tables)
    add_id_key(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Compare and print."""
    import tempfile

    from harness.analyses.words import visible
    from harness.compare import compare, open_sides
    from harness.compare.candidates import by_content
    from harness.compare.markdown import markdown
    from harness.compare.tables import blocks
    from harness.exports.pseudonyms import read_key

    place = workspace(args)
    task = task_of_answers(args.what, args, place)
    _refuse_unused(args)
    refuse_existing(args, args.html, without="without --html")
    with tempfile.TemporaryDirectory(prefix="harness-compare-") as scratch:
        sides = open_sides(
            args.what,
            task=task,
            asked=asked_columns(args),
            workspace=place,
            scratch=Path(scratch),
            secret=read_key(args.id_key),
        )
        if not any(side.exported for side in sides):
            refuse_unused("without an export", {"--id-key": args.id_key})
        if args.by == "content":
            sides = by_content(sides, here=place.here)
        _refuse_no_cell(args, sides)
        if args.select:
            return _print_selections(args, sides)
        if args.samples and args.html is None:
            return _print_samples(args, sides)
        if _is_brief(args, sides) and not args.samples:
            return _print_overview(args, sides)
        below = list(_sample_blocks(args, sides)) if args.samples else []
        report = compare(
            sides, unlike=args.unlike, keep=_keep(args), against=_against(args), metric=args.metric,
            seed=args.seed, on_pair=_progress,
        )  # fmt: skip
    if args.json:
        print(report.to_json())
    elif args.markdown:
        print(visible(markdown(blocks(report))), end="")
    elif args.html is not None:
        _write_page(args, blocks=[*blocks(report), *below])
    else:
        print_blocks(list(blocks(report)))
    return 0


def _write_page(args: argparse.Namespace, **content: Any) -> None:
    """Write the page that --html names, and print its path."""
    from harness.report.compare_page import comparison_page
    from harness.run.folder import write_atomically

    page = comparison_page([path.name for path in args.what], **content)
    write_atomically(args.html, page.encode("utf-8"))
    print(args.html)


def _keep(args: argparse.Namespace) -> Callable[[Cell], bool]:
    """Which cells are compared, by --condition and --where."""
    from harness.core.cell_pattern import fitting_any, read_patterns

    fits = fitting_any(read_patterns(args.where, option="--where"))
    return lambda cell: fits(cell) and (not args.condition or cell.condition in args.condition)


def _refuse_no_cell(args: argparse.Namespace, sides: list[Side]) -> None:
    """Raise HarnessError for --where or --condition where it leaves no cell, naming what there is."""
    from harness.core.cell_pattern import read_patterns, refuse_unmatched, values_of
    from harness.run.cell_entry import cell_of

    cells = [cell_of(entry) for side in sides for entry in side.manifest["cells"]]
    refuse_unmatched(read_patterns(args.where, option="--where"), cells)
    if args.condition and not any(map(_keep(args), cells)):
        raise HarnessError(
            f"no cell matches --condition {' or '.join(args.condition)}"
            + (" and --where" if args.where else ""),
            hint=values_of(cells, ["condition"]),
        )


def _against(args: argparse.Namespace) -> CellPattern | None:
    from harness.core.cell_pattern import read_pattern

    return read_pattern(args.against, option="--against") if args.against else None


def _is_brief(args: argparse.Namespace, sides: list[Side]) -> bool:
    """Whether the ranking comes first and the rest is left to --all: where there are three cells or more."""
    from harness.run.cell_entry import cell_of

    if args.all or args.json or args.markdown or args.unlike or args.by == "content":
        return False
    keep = _keep(args)
    cells = [cell_of(entry) for side in sides for entry in side.manifest["cells"]]
    return sum(keep(cell) and not cell.asked_as for cell in cells) > 2


def _print_overview(args: argparse.Namespace, sides: list[Side]) -> int:
    from harness.compare.brief import brief
    from harness.compare.overview import overview_of

    found = overview_of(
        sides, against=_against(args), metric=args.metric, keep=_keep(args), seed=args.seed
    )
    if not found.boards:
        raise HarnessError(
            "no cell that matches has a score", hint="leave out --where or --condition"
        )
    if args.html is not None:
        _write_page(args, found=found)
    else:
        print_blocks(list(brief(found)))
    return 0


def _print_samples(args: argparse.Namespace, sides: list[Side]) -> int:
    import json
    from dataclasses import asdict

    from harness.analyses.words import visible
    from harness.compare.differing import differing_blocks
    from harness.compare.markdown import markdown
    from harness.compare.measure import party

    found = _differing(args, sides)
    if args.json:
        sorts = ("only_a", "only_b", "otherwise")
        body = {"a": asdict(party(found.pair.a)), "b": asdict(party(found.pair.b))} | {
            name: [asdict(one) for one in getattr(found, name)] for name in sorts
        }
        print(json.dumps({"schema": 1, **body}, ensure_ascii=False, indent=1))
    elif args.markdown:
        print(visible(markdown(differing_blocks(found))), end="")
    else:
        print_blocks(list(differing_blocks(found)))
    return 0


def _differing(args: argparse.Namespace, sides: list[Side]) -> Differing:
    """The samples that the two cells answer differently. Raises HarnessError where there are not two."""
    from harness.compare.all_pairs import turned
    from harness.compare.candidates import contenders
    from harness.compare.comparability import pair_up
    from harness.compare.differing import differing

    keep, against = _keep(args), _against(args)
    pairs = pair_up([one for one in contenders(sides) if keep(one.cell)], unlike=args.unlike)
    return differing(turned(pairs, against) if against else pairs)


def _sample_blocks(args: argparse.Namespace, sides: list[Side]) -> Iterator[Block]:
    """The samples that the two cells answer differently, all of them."""
    from harness.compare.differing import differing_blocks

    found = _differing(args, sides)
    total = len(found.only_a) + len(found.only_b) + len(found.otherwise)
    return differing_blocks(found, most=max(total, 1))


def _refuse_unused(args: argparse.Namespace) -> None:
    """Raise HarnessError for options that concern what is not among the things compared."""
    if not any(map(is_answers, args.what)):
        refuse_columns(args)
    chosen = {"--all": args.all, "--metric": args.metric}
    narrowed = {"--against": args.against, "--condition": args.condition, "--where": args.where}
    if args.select:
        refuse_unused(
            "with --select",
            {"--unlike": args.unlike, "--samples": args.samples} | chosen | narrowed,
        )
    if args.samples:
        refuse_unused("with --samples", chosen)
    if args.json or args.markdown:
        refuse_unused("with --json or --markdown, which hold every pair", {"--all": args.all})


def _print_selections(args: argparse.Namespace, sides: list[Side]) -> int:
    import json
    from dataclasses import asdict

    from harness.analyses.words import visible
    from harness.compare.loso import select_loso, selection_blocks
    from harness.compare.markdown import markdown

    found = select_loso(sides, seed=args.seed)
    if args.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    elif args.markdown:
        print(visible(markdown(selection_blocks(found))), end="")
    elif args.html is not None:
        _write_page(args, blocks=list(selection_blocks(found)))
    else:
        print_blocks(list(selection_blocks(found)))
    return 0


def _progress(done: int, of: int) -> None:
    """A line on a terminal's standard error, where there are many pairs."""
    if of > 10 and sys.stderr.isatty():
        last = done + 1 == of
        print(f"\rpair {done + 1} of {of}", end="\n" if last else "", file=sys.stderr, flush=True)


def print_blocks(found: list[Block]) -> None:
    """Blocks as plain text of at most 100 columns where standard output is no terminal."""
    from rich.console import Console
    from rich.text import Text

    from harness.analyses.words import visible
    from harness.report.writers.terminal import WIDTH

    probe = Console(file=sys.stdout)
    width = min(WIDTH, probe.width) if probe.is_terminal else WIDTH
    console = Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)

    def say(line: str, style: str = "") -> None:
        console.print(Text(visible(line), style=style), overflow="fold")

    for block in found:
        console.print()
        if block.heading:
            say(block.heading, "bold red" if block.warning else "bold")
        for line in block.lines:
            say(f"  {line}")
        if block.header:
            _print_table(console, block)
        for remark in block.remarks:
            say(f"  {remark}", "dim")


def _print_table(console: Any, block: Block) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from harness.analyses.words import visible

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, heading in enumerate(block.header):
        if number:
            grid.add_column(heading, justify="right", no_wrap=True)
        else:
            grid.add_column(heading, overflow="fold")
    for row in block.rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    if console.is_terminal:
        console.print(grid)
        return
    with console.capture() as captured:  # a pipe needs no blanks at the ends of lines
        console.print(grid)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")
