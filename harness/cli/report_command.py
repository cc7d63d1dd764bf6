"""`harness report`: the page of a run folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness report`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")


def execute(args: argparse.Namespace) -> int:
    """Write report.html; a run whose scores are older than its journal is scored first."""
    from harness.report.page import write_report
    from harness.run.folder import open_run

    folder = open_run(args.run)
    with folder.locked():
        print(write_report(folder))
    return 0
