"""`harness faces`: draw annotated faces, or a contact sheet of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.core.errors import refuse_unused

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


def execute(args: argparse.Namespace) -> int:
    """Draw, or make a sheet."""
    return _sheet(args) if args.action == "sheet" else _draw(args)


def _draw(args: argparse.Namespace) -> int:
    from harness.faces.export import QUESTIONS, SPOTTING, export

    if args.kind != "long":
        refuse_unused(f"with --kind {args.kind}", {"--seconds": args.seconds})
    low, high = args.seconds or SECONDS
    table = export(kind=args.kind, n=args.n, seed=args.seed, out=args.out, seconds=(low, high))
    print(f"{args.n} {KINDS[args.kind]} and {table.name} in {args.out}")
    if args.kind in QUESTIONS:
        name = {"clip": "ME-VQA", "long": "ME-LVQA"}[args.kind]
        print(f"{name} questions: {args.out / QUESTIONS[args.kind]}")
    if args.kind == "long":
        print(f"micro-expressions: {args.out / SPOTTING}")
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from harness.core.errors import HarnessError
    from harness.faces.sheet import sheet

    if args.out.suffix.lower() != ".png":
        raise HarnessError(
            f"{args.out} does not end in .png", hint="choose a file name that ends in .png"
        )
    if args.what in FIXED_ROWS:
        refuse_unused(
            f"with --what {args.what}, which has a fixed number of rows", {"--rows": args.rows}
        )
    rows = ROWS if args.rows is None else args.rows
    page = sheet(args.what, seed=args.seed, rows=rows, size=args.size)
    page.save(args.out)
    print(f"{args.out}: {page.width} by {page.height} pixels")
    return 0
