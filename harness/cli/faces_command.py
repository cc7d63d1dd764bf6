"""`harness faces`: annotated drawn faces as files, and contact sheets of them."""

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
    draw = actions.add_parser("draw", help="PNG media and annotations.parquet in a folder")
    draw.add_argument("--kind", choices=tuple(KINDS), default="image")
    draw.add_argument(
        "--n", type=int, required=True, metavar="N", help="how many pictures, clips or videos"
    )
    draw.add_argument(
        "--seed", type=int, default=0, metavar="S", help="the same seed gives the same bytes"
    )
    draw.add_argument(
        "--seconds",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="length of a long video (10 60); every frame is written, 30 for each second",
    )
    draw.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="an empty or new folder"
    )
    sheet = actions.add_parser("sheet", help="a contact sheet of drawn faces, one PNG")
    sheet.add_argument("--what", choices=SHEETS, required=True)
    sheet.add_argument("--seed", type=int, default=0, metavar="S")
    sheet.add_argument("--rows", type=int, metavar="R", help="rows, where their number is free (4)")
    sheet.add_argument(
        "--size", type=int, default=128, metavar="PX", help="side of each face in pixels"
    )
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE.png")


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
        print(f"their {name} questions: {args.out / QUESTIONS[args.kind]}")
    if args.kind == "long":
        print(f"their micro-expressions: {args.out / SPOTTING}")
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from harness.core.errors import HarnessError
    from harness.faces.sheet import sheet

    if args.out.suffix.lower() != ".png":
        raise HarnessError(f"{args.out} is no PNG file", hint="name a file that ends in .png")
    if args.what in FIXED_ROWS:
        refuse_unused(f"on the sheet {args.what}, whose rows are fixed", {"--rows": args.rows})
    rows = ROWS if args.rows is None else args.rows
    page = sheet(args.what, seed=args.seed, rows=rows, size=args.size)
    page.save(args.out)
    print(f"{args.out}: {page.width} by {page.height} pixels")
    return 0
