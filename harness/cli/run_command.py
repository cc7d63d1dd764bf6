"""`harness run`: plan, ask, score, report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_axes, add_serving, job, limits, open_options

if TYPE_CHECKING:
    from harness.run.folder import RunFolder
    from harness.run.runner import Job
    from harness.score import Scores

TRIALS_FAILED = 3
"""Exit status of a run that went to its end while trials failed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness run`."""
    add_axes(parser)
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="run folder; default under results/runs/"
    )
    parser.add_argument("--json", action="store_true", help="print only the scores, as JSON")
    parser.add_argument(
        "--fit-on", metavar="DATA",
        help="what the baselines are fitted on: a path for the source, or source options (split=train); "
        "default: the scored labels, marked in-sample",
    )  # fmt: skip
    add_serving(parser)
    parser.add_argument("--no-report", action="store_true", help="write no report.html")


def execute(args: argparse.Namespace) -> int:
    """Run the command; 3 when trials failed."""
    from harness.core.errors import working
    from harness.score import score_run

    asked = job(
        args, out=args.out, fit_on=args.fit_on, options=open_options(args), ends=limits(args)
    )
    with asked.folder.locked():
        failed = _ask(asked)
        with working():
            _drop_scoring(asked.folder)
            scores = score_run(asked.folder)
            _show(args, asked.folder, scores)
    return TRIALS_FAILED if failed else 0


def _drop_scoring(folder: RunFolder) -> None:
    """A run is scored as it is asked; what `harness score --set` said before no longer holds."""
    from harness.run.scoring import put_in_place, read_scoring

    before = read_scoring(folder)
    if before is not None:
        put_in_place(folder, None)
        said = "; ".join(before["said"])
        print(
            f"note: scored as asked, no longer with {said}; give that to `harness score` again",
            file=sys.stderr,
        )


def _ask(asked: Job) -> int:
    """Plan and run; the number of trials that failed."""
    from harness.core.errors import working
    from harness.report.terminal import print_plan
    from harness.run.progress import Progress
    from harness.run.runner import plan_job, run_job

    ready = plan_job(asked)
    try:
        print_plan(ready.summary(), file=sys.stderr)
        with working(), Progress(total=ready.plan.trials, file=sys.stderr) as progress:
            tally = run_job(ready, on_trial=progress.update, on_note=_warn)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what was finished is kept in {asked.folder.path}\n"
            "the same command goes on from there",
            file=sys.stderr,
        )
        raise
    finally:
        ready.close()
    for rule, trials in sorted(tally.fallbacks.items()):
        print(
            f"{rule}: {trials} of {tally.trials} trials were put in another form", file=sys.stderr
        )
    if tally.failed:
        print(
            f"{tally.failed} of {tally.trials} trials failed; the first: {tally.first_failure}\n"
            "they are asked again when the same command is given again",
            file=sys.stderr,
        )
    return tally.failed


def _warn(note: str) -> None:
    print(f"warning: {note}", file=sys.stderr)


def _show(args: argparse.Namespace, folder: RunFolder, scores: Scores) -> None:
    from harness.report.notices import run_notices
    from harness.report.terminal import print_scores, scores_json
    from harness.run.scoring import scored_manifest

    if not args.no_report:
        from harness.report.page import write_report

        write_report(folder)
    manifest = scored_manifest(folder)
    if args.json:
        print(scores_json(folder.path, scores, notices=[said for said, _ in run_notices(manifest)]))
    else:
        print_scores(scores, manifest, file=sys.stdout)
        print(f"\nrun folder: {folder.path}")
        if not args.no_report:
            print(f"report:     {folder.report}")
