"""`harness score`: records and scores from a run folder, without a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness score`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--json", action="store_true", help="print only the scores, as JSON")


def execute(args: argparse.Namespace) -> int:
    """Score and print."""
    from harness.report.terminal import print_scores, scores_json
    from harness.run.folder import open_run
    from harness.run.manifest import read_manifest
    from harness.score import score_run

    folder = open_run(args.run)
    with folder.locked():
        scores = score_run(folder)
    if args.json:
        print(scores_json(folder.path, scores))
    else:
        print_scores(scores, read_manifest(folder), file=sys.stdout)
    return 0
