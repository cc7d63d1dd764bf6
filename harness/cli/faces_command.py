"""`harness faces draw`: annotated drawn faces as files."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness faces`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    draw = actions.add_parser("draw", help="PNG media and annotations.parquet in a folder")
    draw.add_argument("--kind", choices=("image", "clip"), default="image")
    draw.add_argument(
        "--n", type=int, required=True, metavar="N", help="how many pictures or clips"
    )
    draw.add_argument(
        "--seed", type=int, default=0, metavar="S", help="the same seed gives the same bytes"
    )
    draw.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="an empty or new folder"
    )


def execute(args: argparse.Namespace) -> int:
    """Draw."""
    from harness.faces import export

    folder = export(kind=args.kind, n=args.n, seed=args.seed, out=args.out)
    what = {"image": "pictures", "clip": "clips"}[args.kind]
    print(f"{args.n} {what} and annotations.parquet in {folder}")
    if args.kind == "clip":
        print(f"their ME-VQA questions: {folder / 'me_vqa_drawn.jsonl'}")
    return 0
