"""`harness export`: a run as others may have it, without ids, paths and pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_id_key


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument(
        "--out", metavar="DIR", type=Path,
        help="where to write, a file where it ends in .zip; default: RUN-export beside the run",
    )  # fmt: skip
    add_id_key(parser)
    parser.add_argument(
        "--with-replies", action="store_true", help="keep the words of the models' replies"
    )
    parser.add_argument(
        "--with-prompts", action="store_true",
        help="keep templates and conversations, which may quote the data set's own questions",
    )  # fmt: skip
    parser.add_argument(
        "--no-samples", action="store_true",
        help="leave out the true values under made-up names; the export can then not be compared",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Write the export and say what is in it."""
    from harness.core.errors import HarnessError
    from harness.exports.export import Kept, write_export
    from harness.exports.pseudonyms import read_key
    from harness.run.folder import open_run

    run = open_run(args.run)
    out = args.out or run.path.resolve().with_name(f"{run.path.resolve().name}-export")
    if out.resolve() == run.path.resolve():
        raise HarnessError(f"{out} is the run itself", hint="name another place with --out")
    kept = Kept(samples=not args.no_samples, replies=args.with_replies, prompts=args.with_prompts)
    with run.locked():
        written = write_export(run, out, secret=read_key(args.id_key), kept=kept)
    print(f"export: {out}")
    print(f"holds:  {', '.join(written)}")
    return 0
