"""`harness faces`: draw annotated faces, or a contact sheet of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.overwrite import add_overwrite, refuse_existing
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.faces.balance import Balanced

KINDS = {"image": "pictures", "clip": "clips", "long": "long videos", "mixture": "blended pictures"}
SHEETS = ("emotions", "tones", "ages", "units", "clip", "long", "cues", "mixtures")
FIXED_ROWS = ("ages", "units", "cues")
"""Sheets whose rows follow from what they show."""
ROWS = 4
SECONDS = (10.0, 60.0)


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness faces`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    draw = actions.add_parser(
        "draw", help="write pictures, clips or videos with annotations.parquet"
    )
    draw.add_argument(
        "--kind", choices=tuple(KINDS), default="image",
        help="pictures, micro-expression clips, long videos or blends of two emotions. Default: image",
    )  # fmt: skip
    draw.add_argument(
        "--n", type=int, required=True, metavar="N", help="number of pictures, clips or videos"
    )
    draw.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="random seed; the same seed gives the same files. Default: 0",
    )
    draw.add_argument(
        "--seconds",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="length of a long video in seconds; 30 frames per second are written. Default: 10 60",
    )
    draw.add_argument(
        "--balance", default="", metavar="NAMES",
        help="traits whose combinations get equally many people, separated by commas, such as skin_tone,age_group "
        "(skin_tone, age_group, glasses, hair); for pictures and clips",
    )  # fmt: skip
    draw.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write; must be new or empty",
    )
    sheet = actions.add_parser("sheet", help="write a contact sheet of drawn faces as one PNG")
    sheet.add_argument("--what", choices=SHEETS, required=True, help="what the sheet shows")
    sheet.add_argument("--seed", type=int, default=0, metavar="S", help="random seed. Default: 0")
    sheet.add_argument(
        "--rows", type=int, metavar="R", help="number of rows, for sheets that allow it. Default: 4"
    )
    sheet.add_argument(
        "--size",
        type=int,
        default=128,
        metavar="PX",
        help="side of each face, in pixels. Default: 128",
    )
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="file to write")
    add_overwrite(sheet)


def execute(args: argparse.Namespace) -> int:
    """Draw, or make a sheet."""
    return _sheet(args) if args.action == "sheet" else _draw(args)


def _draw(args: argparse.Namespace) -> int:
    from harness.faces.export import QUESTIONS, SPOTTING, balanced_draw, export

    if args.kind != "long":
        refuse_unused(f"with --kind {args.kind}", {"--seconds": args.seconds})
    low, high = args.seconds or SECONDS
    by = [name.strip() for name in args.balance.split(",") if name.strip()]
    chosen = balanced_draw(args.kind, args.n, by=by, seed=args.seed) if by and args.n > 0 else None
    table = export(
        kind=args.kind, n=args.n, seed=args.seed, out=args.out, seconds=(low, high), chosen=chosen
    )
    print(f"{args.n} {KINDS[args.kind]} and {table.name} in {args.out}")
    if chosen is not None:
        print("\n".join(_balance_lines(chosen, by)))
    if args.kind in QUESTIONS:
        name = {"clip": "ME-VQA", "long": "ME-LVQA"}[args.kind]
        print(f"{name} questions: {args.out / QUESTIONS[args.kind]}")
    if args.kind == "long":
        print(f"micro-expressions: {args.out / SPOTTING}")
    return 0


def _balance_lines(chosen: Balanced, by: list[str]) -> Iterator[str]:
    """How many people and pictures each combination has, and what is left over."""
    from harness.core.text import counted

    yield f"balanced by {', '.join(by)}: {counted(len(chosen.people), 'combination')}"
    for cell, people in chosen.people.items():
        yield f"  {', '.join(cell)}: {counted(people, 'person', 'people')}, {chosen.faces[cell]:,} drawn"
    more = sum(people > chosen.each for people in chosen.people.values())
    if more:
        told = "combination has" if more == 1 else "combinations have"
        yield f"remainder: {more} {told} one person more than the others"
    if chosen.partial:
        yield f"remainder: the last person shows {chosen.partial} of the emotions alone"
    if not more and not chosen.partial:
        yield "no remainder: every combination has the same number"


def _sheet(args: argparse.Namespace) -> int:
    from harness.core.errors import HarnessError
    from harness.faces.sheet import sheet

    if args.out.suffix.lower() != ".png":
        raise HarnessError(
            f"{args.out} does not end in .png", hint="choose a file name that ends in .png"
        )
    refuse_existing(args, args.out)
    if args.what in FIXED_ROWS:
        refuse_unused(
            f"with --what {args.what}, which has a fixed number of rows", {"--rows": args.rows}
        )
    rows = ROWS if args.rows is None else args.rows
    page = sheet(args.what, seed=args.seed, rows=rows, size=args.size)
    page.save(args.out)
    print(f"{args.out}: {page.width} by {page.height} pixels")
    return 0
