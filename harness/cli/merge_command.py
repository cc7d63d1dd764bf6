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


def execute(args: argparse.Namespace) -> int:
    """Merge, score, and say where the run is."""
    from harness.run.merge import merge
    from harness.score.folder import score_run

    folder = merge(args.shards, args.out)
    score_run(folder)
    print(f"run folder: {folder.path}")
    print(f"report:     harness report {folder.path}")
    return 0
