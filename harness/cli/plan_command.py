"""`harness plan`: what a run would ask, without asking; and what it could find out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_changes, add_folders, tasks, workspace

if TYPE_CHECKING:
    from harness.compare.foresight import Prospect
    from harness.run.plan import Plan
    from harness.run.runner import Job

NO_FOLDER = "none: a plan leaves nothing behind"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness plan`: those of `harness run` that say what is asked, and `--power`."""
    parser.add_argument("task", nargs="+", metavar="TASK", help="a task's name or YAML file")
    for name, letter, what in (
        ("model", "M", "model, as for harness run; none is opened"),
        ("prompt", "P", "a prompt's name, or `all`; default: the task's first"),
        ("condition", "C", "none (default), blank, ..."),
    ):
        parser.add_argument(
            f"--{name}", metavar=letter, action="append", default=[], help=f"{what} (repeatable)"
        )
    parser.add_argument(
        "--limit", metavar="N", type=int, help="a random choice of N samples a task"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="seed of that choice")
    parser.add_argument(
        "--power", metavar="DIFF", nargs="?", type=float, const=0.0,
        help="the least difference that a comparison over these samples would find, and with DIFF (0.05) how many "
        "samples would find that",
    )  # fmt: skip
    parser.add_argument(
        "--discordance", metavar="SHARE", type=float, action="append", default=[],
        help="with --power: assumed share of samples that one of the two alone has right "
        "(repeatable; default .1, .2 and .3)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Plan in a temporary folder, print, leave nothing behind."""
    import tempfile

    from harness.core.errors import HarnessError
    from harness.prompting import Library
    from harness.run.plan import make_plan
    from harness.run.runner import make_job

    if args.limit is not None and args.limit < 1:
        raise HarnessError(f"--limit {args.limit} is not at least 1", mend="leave it out for all")
    place = workspace(args)
    with tempfile.TemporaryDirectory(prefix="harness-plan-") as scratch:
        job = make_job(
            tasks(args, args.task, place),
            place,
            models=args.model,
            prompts=args.prompt,
            conditions=args.condition or ["none"],
            limit=args.limit,
            seed=args.seed,
            out=Path(scratch),
            fit_on=None,
            allow_remote=(),
            command=["harness", *sys.argv[1:]],
            changes=args.changes,
        )
        library = Library(place.prompts)
        plan = make_plan(job.tasks, job.axes, library, job.folder, here=place.here)
        summary = _summary(job, plan, library)
        found = [] if args.power is None else _foresee(args, job, plan)
    _show(args, summary, found)
    return 0


def _summary(job: Job, plan: Plan, library: Any) -> dict[str, Any]:
    """What `harness run` would show first, with nothing done."""
    from harness.run.journal import Journal
    from harness.run.runner import ReadyRun

    journal = Journal(job.folder)
    ready = ReadyRun(job, plan, library, {}, journal, {cell.id: 0 for cell in plan.cells})
    try:
        return {**ready.summary(), "run": NO_FOLDER}
    finally:
        ready.close()


def _foresee(args: argparse.Namespace, job: Job, plan: Plan) -> list[Prospect]:
    from harness.compare.foresight import DISCORDANCES, foresee
    from harness.run.sample_file import read_samples

    return [
        one
        for name, planned in plan.tasks.items()
        for one in foresee(
            planned.task,
            read_samples(job.folder.samples(name)),
            difference=args.power or None,
            discordances=args.discordance or DISCORDANCES,
        )
    ]


def _show(args: argparse.Namespace, summary: dict[str, Any], found: list[Prospect]) -> None:
    import json
    import math
    from dataclasses import asdict

    from harness.compare.foresight import foresight_blocks
    from harness.report.terminal import print_plan

    if args.json:
        rows = [asdict(one) for one in found]
        for row in rows:
            known = not math.isnan(row["detectable"])
            row["detectable"] = round(row["detectable"], 6) if known else None
        body = {"schema": 1, "plan": summary, "power": rows}
        print(json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False))
        return
    from harness.cli.compare_command import print_blocks

    print_plan(summary, file=sys.stdout)
    print_blocks(list(foresight_blocks(found)))
    if args.power is not None and not found:
        print("no field with labels: nothing is known of the power of the others")
