"""`harness report`: the report of a run folder, as a page, Markdown or JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness report`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument(
        "--format", choices=("html", "markdown", "json"), default="html",
        help="html: the page, report.html (default); markdown: its tables, report.md; json: these with unrounded "
        "values, report.json",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Write the report; a run whose scores are older than its journal is scored first.

    The file's path goes to standard output, its notices to standard error.
    """
    from harness.analyses.words import visible
    from harness.report.document import write_json, write_markdown
    from harness.report.notices import notice_lines
    from harness.report.page import write_report
    from harness.run.folder import open_run
    from harness.run.scoring import scored_manifest

    folder = open_run(args.run)
    with folder.locked():
        write = {"html": write_report, "markdown": write_markdown, "json": write_json}[args.format]
        print(write(folder))
    for line in notice_lines(scored_manifest(folder)):
        print(visible(line), file=sys.stderr)
    return 0
