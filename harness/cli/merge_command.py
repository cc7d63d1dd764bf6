"""`harness merge`: make one run of the shards of a run."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness merge`."""
    parser.add_argument(
        "shards", nargs="+", type=Path, metavar="FOLDER",
        help="run folders written by `harness run --shard I/N`, all N of them",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="RUN", type=Path, required=True,
        help="new run folder; the shards stay as they are",
    )  # fmt: skip
    parser.add_argument(
        "--overwrite", action="store_true",
        help="replace a run folder that an earlier `harness merge` wrote and that nothing was added to since",
    )  # fmt: skip
    parser.add_argument("--no-report", action="store_true", help="do not write report.html")


def execute(args: argparse.Namespace) -> int:
    """Merge, score, write the report, and say where they are."""
    from harness.analyses.words import visible
    from harness.run.merge import merge
    from harness.score.folder import score_run

    folder = merge(args.shards, args.out, overwrite=args.overwrite)
    score_run(folder)
    print(visible(f"run folder: {folder.path}"))
    if not args.no_report:
        from harness.report.page import write_report

        print(visible(f"report:     {write_report(folder)}"))
    return 0
