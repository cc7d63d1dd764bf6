"""`harness export`: write a copy of a run to share, without ids, paths or pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_id_key


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument(
        "--out", metavar="DIR", type=Path,
        help="folder to write, or a .zip file of an export. Default: RUN-FORMAT next to the run",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("export", "datasets", "inspect"), default="export",
        help="export: a copy to share and compare. datasets: Parquet files with a card, for datasets.load_dataset. "
        "inspect: logs of inspect-ai, one for each cell and field; needs --with-replies. Default: export",
    )  # fmt: skip
    add_id_key(parser)
    parser.add_argument(
        "--with-replies", action="store_true", help="include the text of the replies"
    )
    parser.add_argument(
        "--with-prompts", action="store_true",
        help="include prompts and conversations, which may quote questions from the data set",
    )  # fmt: skip
    parser.add_argument(
        "--no-samples", action="store_true",
        help="leave out the pseudonymized true and answered values; the export can then not be compared",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Write the export and list its contents."""
    from harness.core.errors import HarnessError
    from harness.exports.export import Kept, write_export
    from harness.exports.other_formats import write_as
    from harness.exports.pseudonyms import read_key
    from harness.report.page import export_page
    from harness.run.folder import open_run

    run = open_run(args.run)
    out = args.out or run.path.resolve().with_name(f"{run.path.resolve().name}-{args.format}")
    if out.resolve() == run.path.resolve():
        raise HarnessError(
            f"{out} is the run folder itself", hint="choose another folder with --out"
        )
    kept = Kept(samples=not args.no_samples, replies=args.with_replies, prompts=args.with_prompts)
    secret = read_key(args.id_key)
    with run.steady():
        if args.format == "export":
            written = write_export(run, out, secret=secret, kept=kept, page=export_page)
        else:
            written = write_as(args.format, run, out, secret=secret, kept=kept)
    print(f"export: {out}")
    print(f"holds:  {', '.join(written)}")
    return 0
