"""`harness report`: the page of a run folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness report`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")


def execute(args: argparse.Namespace) -> int:
    """Write report.html; a run whose scores are older than its journal is scored first.

    The page's path goes to standard output, its notices to standard error.
    """
    from harness.analyses.words import visible
    from harness.report.notices import notice_lines
    from harness.report.page import write_report
    from harness.run.folder import open_run
    from harness.run.scoring import scored_manifest

    folder = open_run(args.run)
    with folder.locked():
        print(write_report(folder))
    for line in notice_lines(scored_manifest(folder)):
        print(visible(line), file=sys.stderr)
    return 0
