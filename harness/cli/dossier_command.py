"""`harness dossier`: one printable page of runs for those who decide about use."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.overwrite import add_overwrite, refuse_existing


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness dossier`."""
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="run folders and exports (folder or .zip)"
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="page to write: dossier.html"
    )
    add_overwrite(parser)
    parser.add_argument(
        "--json", action="store_true",
        help="also write the same with unrounded numbers next to it, as dossier.json",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Write the page and print its path. Runs with replies newer than their scores are scored first."""
    import contextlib
    import tempfile

    from harness.core.errors import HarnessError
    from harness.exports.reader import is_zip, unpack
    from harness.report.dossier_page import dossier_html, dossier_json, dossiers
    from harness.report.inputs import is_export, read_run
    from harness.run.folder import RunFolder, open_run, write_atomically
    from harness.run.scoring import scored_manifest

    if args.out.suffix.lower() not in {".html", ".htm"}:
        raise HarnessError(f"--out {args.out}: a dossier is a page", hint="name a .html file")
    refuse_existing(args, args.out, args.out.with_suffix(".json") if args.json else None)
    if len({path.resolve() for path in args.runs}) < len(args.runs):
        raise HarnessError("a run is named twice", hint="name each run once")
    with contextlib.ExitStack() as stack:
        views = []
        for path in args.runs:
            if is_zip(path):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-"))
                folder = RunFolder(unpack(path, Path(scratch) / "export"))
            else:
                folder = open_run(path)
            if not is_export(scored_manifest(folder)):
                stack.enter_context(folder.locked())
            views.append(read_run(folder))
        found = dossiers(views)
        page, data = dossier_html(views, found), dossier_json(views, found)
    write_atomically(args.out, page.encode("utf-8", "replace"))
    print(args.out)
    if args.json:
        beside = args.out.with_suffix(".json")
        write_atomically(beside, data.encode("utf-8", "replace"))
        print(beside)
    return 0
