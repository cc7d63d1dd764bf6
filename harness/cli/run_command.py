"""`harness run`: plan, send requests, score and report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_axes, add_folders, add_reuse, add_shard, evaluation, run_options
from harness.cli.serving_options import add_serving
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.api.carry_out import Finished

TRIALS_FAILED = 3
"""Exit status of a run that went to its end while trials failed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness run`."""
    parser.usage = "harness run TASK [TASK ...] --model MODEL [options]"
    add_axes(parser)
    group = parser.add_argument_group("where the results go")
    group.add_argument(
        "--out", metavar="DIR", type=Path,
        help="run folder. An existing one is continued and keeps its replies. Default: a folder under results/runs/",
    )  # fmt: skip
    group.add_argument(
        "--name", metavar="TITLE",
        help="title of the experiment; without --out, the run folder is named after it",
    )  # fmt: skip
    group.add_argument(
        "--write", metavar="FILE.yaml", type=Path,
        help="save the options as an experiment file instead of running them",
    )  # fmt: skip
    add_shard(group)
    add_reuse(group)
    group.add_argument(
        "--json",
        action="store_true",
        help="print only the scores, as JSON; of the plan only the totals are shown",
    )
    group.add_argument("--no-report", action="store_true", help="do not write report.html")
    group.add_argument(
        "--fit-on", metavar="DATA",
        help="data to fit the baselines on: a path for the source, or source options such as split=train. "
        "Default: the scored labels; the rows are then marked in-sample",
    )  # fmt: skip
    add_serving(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Run the command; 3 when trials failed."""
    from harness.api.carry_out import carry_out
    from harness.api.watchers import StreamWatcher

    if args.write is not None:
        refuse_unused(
            "with --write, which asks no model", {"--preview": args.preview},
            hint="leave it out, and give it when you run the file",
        )  # fmt: skip
        return _write(args)
    asked = evaluation(args, out=args.out)
    done = carry_out(
        asked, StreamWatcher(sys.stderr, tables=not args.json), report=not args.no_report
    )
    _show(args, done)
    return TRIALS_FAILED if done.tally.failed else 0


def _write(args: argparse.Namespace) -> int:
    """Save the options once they are found to hold together."""
    from harness.api.experiment import write_experiment
    from harness.api.options import prepare

    options, settings = run_options(args, out=args.out)
    if settings:
        raise HarnessError(
            f"{args.task[0]} is an experiment file already", hint="copy it and change the copy"
        )
    prepare(options, command=[])
    write_experiment(args.write, options)
    print(f"wrote {args.write}; run it with: harness run {args.write}")
    return 0


def _show(args: argparse.Namespace, done: Finished) -> None:
    from harness.run.scoring import scored_manifest

    folder = done.folder
    manifest = scored_manifest(folder)
    if args.json:
        from harness.report.notices import run_notices
        from harness.report.scores_json import scores_json

        notices = [said for said, _ in run_notices(manifest)]
        print(scores_json(folder.path, done.scores, manifest, notices=notices))
    else:
        from harness.report.terminal import print_scores

        print_scores(done.scores, manifest, file=sys.stdout)
        if args.preview is not None:
            from harness.report.side_by_side import print_side_by_side

            print_side_by_side(folder, manifest, most=args.preview, file=sys.stdout)
            print("\nThis was a preview. The same command without --preview asks the rest.")
        print(f"\nrun folder: {folder.path}")
        if not args.no_report:
            print(f"report:     {folder.report}")
