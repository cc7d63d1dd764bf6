"""`harness report`: write the report of a run folder as HTML, Markdown or JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness report`."""
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="run folder, or an export (folder or .zip)"
    )
    parser.add_argument(
        "--format", choices=("html", "markdown", "json"), default="html",
        help="html: write report.html. markdown: write its tables to report.md. json: write them with unrounded "
        "values to report.json. Default: html",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="DIR", type=Path,
        help="folder to write to, with the scores if there are none yet; the run stays as it is, such as one that can "
        "only be read. A DIR of `harness score RUN --out DIR` is reported as it was scored",
    )  # fmt: skip
    parser.add_argument(
        "--with-pictures", action="store_true",
        help="write a page with small pictures of the data set to private/report-with-pictures.html, instead of the one "
        "without; do not pass it on",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Write the report. A run with replies newer than its scores is scored first.

    The path goes to standard output, notices to standard error.
    """
    import contextlib
    import tempfile

    from harness.analyses.words import visible
    from harness.core.errors import HarnessError
    from harness.exports.reader import is_zip, unpack
    from harness.report.document import write_json, write_markdown
    from harness.report.inputs import is_export
    from harness.report.notices import notice_lines
    from harness.report.page import write_report
    from harness.run.folder import RunFolder, open_run
    from harness.run.scoring import scored_manifest

    if args.with_pictures and args.format != "html":
        raise HarnessError(
            f"--with-pictures has no effect on --format {args.format}", hint="leave one of them out"
        )
    with contextlib.ExitStack() as stack:
        if is_zip(args.run):
            if args.out is None:
                raise HarnessError(
                    f"{args.run} is a zip, into which no page is written",
                    hint="name a folder for it with --out DIR",
                )
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-report-"))
            folder = RunFolder(unpack(args.run, Path(scratch) / "export"))
        else:
            folder = open_run(args.run)
        exported = is_export(scored_manifest(folder))
        if exported and args.with_pictures:
            raise HarnessError(f"{args.run} is an export, which holds no pictures")
        if args.out is not None:
            folder = folder.writing_to(args.out)
        if not exported:  # an export holds no lock, and nothing in it changes
            stack.enter_context(folder.locked())
        if args.format == "html":
            print(write_report(folder, with_pictures=args.with_pictures))
        else:
            print((write_markdown if args.format == "markdown" else write_json)(folder))
        told = list(notice_lines(scored_manifest(folder)))
    for line in told:
        print(visible(line), file=sys.stderr)
    return 0
