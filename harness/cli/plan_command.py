"""`harness plan`: show what a run would ask, and with `--power` what it could detect. Sends no request."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_axes, add_folders, add_reuse, add_shard, evaluation
from harness.cli.serving_options import add_serving
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.compare.power import PlannedPower
    from harness.prompting.library import Library
    from harness.run.folder import RunFolder
    from harness.run.job import Job
    from harness.run.plan import Plan
    from harness.run.shared_prompts import SharedPrompts

NOT_THERE = "not there yet; a plan writes nothing"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness plan`: those of `harness run` that say what is asked and of whom, and `--power`."""
    parser.usage = "harness plan TASK [TASK ...] --model MODEL [options]"
    add_axes(parser)
    group = parser.add_argument_group("what to show")
    group.add_argument(
        "--power", metavar="DIFF", nargs="?", type=float, const=0.0,
        help="show the smallest difference a comparison on these samples can detect; with DIFF (such as 0.05), also "
        "how many samples are needed to detect it",
    )  # fmt: skip
    group.add_argument(
        "--discordance", metavar="SHARE", type=float, action="append", default=[],
        help="with --power: assumed share of samples that only one of the two answers correctly. Repeatable. "
        "Default: .1, .2 and .3",
    )  # fmt: skip
    group.add_argument(
        "--out", metavar="DIR", type=Path,
        help="run folder in which to look for what is already done. Default: the one that harness run would use. Nothing is "
        "written",
    )  # fmt: skip
    add_shard(group)
    add_reuse(group)
    group.add_argument("--json", action="store_true", help="print everything as JSON")
    add_serving(parser, planned=True)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Plan in a temporary folder, print the plan and remove the folder; what is done is read from the run's own."""
    import tempfile
    from dataclasses import replace

    if args.power is None:
        refuse_unused("without --power", {"--discordance": args.discordance})
    else:
        refuse_unused("with --power, which is that of the whole run", {"--shard": args.shard})

    from harness.enhancers.settings import settings_of
    from harness.models.registry import refuse_unknown_model
    from harness.prompting.library import Library
    from harness.run.capability_check import check_pictures
    from harness.run.cell_entry import given_ids
    from harness.run.condition_check import check_conditions
    from harness.run.enhancing import identities, recorded
    from harness.run.folder import RunFolder
    from harness.run.plan import make_plan
    from harness.run.prompt_check import check_prompts
    from harness.run.runner import manifest_before
    from harness.run.shards import of_shard

    with tempfile.TemporaryDirectory(prefix="harness-plan-") as scratch:
        asked = evaluation(args, out=args.out).job
        place, samples = asked.workspace, RunFolder(Path(scratch))
        samples.create()
        library = Library(place.prompts)
        before = manifest_before(asked.folder)
        for name in asked.axes.models:
            if name not in before.get(
                "models", {}
            ):  # an object of Python's may have answered there
                refuse_unknown_model(asked.axes.settings_of(name).model)
        _refuse_missing_adapters(asked)
        plan = make_plan(
            asked.tasks, asked.axes, library, samples,
            here=place.here, before=asked.folder, ids=given_ids(before), data=place.data,
        )  # fmt: skip
        plan = of_shard(plan, asked.shard, before, asked.folder)
        check_prompts(plan, library)
        check_conditions(plan)
        named = settings_of([cell.condition for cell in plan.cells], place.enhancers)
        axes = replace(asked.axes, enhancers=identities(recorded(before, named)))
        asked = replace(asked, axes=axes)
        check_pictures(plan, asked.axes, {}, library)
        summary = _summary(args, asked, plan, library, samples=samples, before=before)
        found = [] if args.power is None else _foresee(args, samples, plan)
    _show(args, summary, found)
    return 0


def _refuse_missing_adapters(asked: Job) -> None:
    """Raise HarnessError for adapters that `harness run` would not find; none of a hub is looked up."""
    given = [
        path
        for one in asked.adapted.values()
        for path in (*one.adapters.values(), *([one.adapter] if one.adapter else []))
    ]
    if given:
        from harness.models.transformers.adapter import refuse_missing

        for path in given:
            refuse_missing(path)


def _summary(
    args: argparse.Namespace,
    asked: Job,
    plan: Plan,
    library: Library,
    *,
    samples: RunFolder,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """What `harness run` would show first; what is done is read from the run folder, where there is one."""
    from harness.models.counting import counter_for
    from harness.run.finished import FinishedTrials
    from harness.run.forecast import forecast, forecast_lines
    from harness.run.foreseen import foreseen_done, foreseen_others
    from harness.run.ready_run import ReadyRun
    from harness.run.reuse import open_others

    done = {cell.id: 0 for cell in plan.cells}
    finished = FinishedTrials(asked.folder.trials)
    if before:
        done = foreseen_done(plan, asked.axes, samples, before, finished)
    others = open_others(asked.reuse, asked.folder)
    reusable = foreseen_others(others, plan, asked.axes, samples, before=before, finished=finished)
    ready = ReadyRun(asked, plan, library, {}, done=done, others=others, reusable=reusable)
    axes, summary = asked.axes, ready.summary()
    settled = {cell: count + reusable.get(cell, 0) for cell, count in done.items()}
    shared: dict[str, SharedPrompts] = {}
    found = forecast(
        plan, axes, library, samples, done=settled, folder=asked.folder, before=before, shared=shared,
        counters={name: counter_for(axes.settings_of(name)) for name in axes.models},
    )  # fmt: skip
    summary |= {
        "tokens": [one.row(axes.prices.get(one.cell.model)) for one in found],
        "sharing": [one.row(name) for name, one in shared.items()],
        "token_lines": [
            *forecast_lines(found, axes),
            *(x for name, one in shared.items() for x in one.lines(axes.settings_of(name).shown)),
        ],
    }
    return (
        summary
        if asked.folder.path.exists()
        else {**summary, "run": f"{summary['run']} ({NOT_THERE})"}
    )


def _foresee(args: argparse.Namespace, samples: RunFolder, plan: Plan) -> list[PlannedPower]:
    from harness.compare.power import DISCORDANCES, foresee
    from harness.run.sample_file import read_samples

    return [
        one
        for name, planned in plan.tasks.items()
        for one in foresee(
            planned.task,
            read_samples(samples.samples(name)),
            difference=args.power or None,
            discordances=args.discordance or DISCORDANCES,
        )
    ]


def _show(args: argparse.Namespace, summary: dict[str, Any], found: list[PlannedPower]) -> None:
    import json
    import math
    from dataclasses import asdict

    from harness.compare.power import foresight_blocks
    from harness.report.plan_table import print_plan

    if args.json:
        rows = [asdict(one) for one in found]
        for row in rows:
            known = not math.isnan(row["detectable"])
            row["detectable"] = round(row["detectable"], 6) if known else None
        told = {key: value for key, value in summary.items() if key != "token_lines"}
        body = {"schema": 1, "plan": told, "power": rows}
        print(json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False))
        return
    from harness.cli.compare_command import print_blocks

    print_plan(summary, file=sys.stdout)
    print_blocks(list(foresight_blocks(found)))
    if args.power is not None and not found:
        print("no power estimate: only fields with labels have one")
