"""`harness export`: write a copy of a run to share, without ids, paths or pictures; or training data of a task."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import export_training
from harness.cli.options import add_id_key

if TYPE_CHECKING:
    from harness.run.folder import RunFolder


FORMATS = ("export", "datasets", "inspect", "eval-results", "every-eval-ever")
RELATIONSHIPS = ("first_party", "third_party", "collaborative", "other")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness export`."""
    parser.add_argument(
        "run", type=Path, metavar="RUN|TASK",
        help="run folder, to be copied without private matter; with --format eval-results or every-eval-ever also an export "
        "(folder or .zip). With --training the name of a task, or its YAML file",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="DIR", type=Path,
        help="folder to write, or a .zip file of an export; an earlier export there is replaced, training data never. "
        "Default: RUN-FORMAT next to the run; TASK-FORM here for training data",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=FORMATS,
        help="export: a copy to share and compare. datasets: Parquet files with a card, for datasets.load_dataset. "
        "inspect: logs of inspect-ai, one for each cell and field; needs --with-replies. eval-results: files for the folder "
        ".eval_results of models on the Hugging Face Hub; needs --benchmark. every-eval-ever: JSON files of Every Eval "
        "Ever; needs --organization. Default: export",
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
    registries = parser.add_argument_group("registries of results")
    registries.add_argument(
        "--benchmark", metavar="TASK=ORG/NAME:TASK_ID", action="append", default=[],
        help="leaderboard of a task: its data set on the Hub, and the task id in that data set's eval.yaml. Repeatable",
    )  # fmt: skip
    registries.add_argument(
        "--where", metavar="AXIS=VALUE,...", action="append", default=[],
        help="only cells that match, such as prompt=emotion/plain: a leaderboard takes one value of a model. Repeatable",
    )  # fmt: skip
    registries.add_argument(
        "--organization", metavar="NAME", help="who evaluated, for every-eval-ever"
    )
    registries.add_argument(
        "--relationship", choices=RELATIONSHIPS,
        help="relation of the evaluator to the model, for every-eval-ever. Default: third_party",
    )  # fmt: skip
    export_training.add_training(parser)


def execute(args: argparse.Namespace) -> int:
    """Write the export and list its contents."""
    import contextlib
    import tempfile

    from harness.core.errors import HarnessError
    from harness.exports.reader import is_zip, unpack
    from harness.run.folder import RunFolder, open_run

    if args.training:
        _refuse_for_training(args)
        return export_training.export_training(args)
    args.format = args.format or "export"
    _refuse_unused(args)
    registry = args.format in FORMATS[3:]
    with contextlib.ExitStack() as stack:
        if registry and is_zip(args.run):
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-"))
            run = RunFolder(unpack(args.run, Path(scratch) / "export"))
        else:
            run = open_run(args.run)
        place = args.run.resolve()
        name = place.stem if is_zip(args.run) else place.name
        out = args.out or place.with_name(f"{name}-{args.format}")
        if out.resolve() == place:
            raise HarnessError(
                f"{out} is the run folder itself", hint="choose another folder with --out"
            )
        replaced = out.exists() and (out.is_file() or any(out.iterdir()))
        stack.enter_context(run.steady())
        written = _written(args, run, out)
    print(f"export: {out}{' (replaced an earlier export)' if replaced else ''}")
    print(f"holds:  {', '.join(written)}")
    return 0


def _refuse_for_training(args: argparse.Namespace) -> None:
    """Raise HarnessError for options of a copy of a run."""
    from harness.core.errors import refuse_unused

    of_run = {
        "--format": args.format, "--id-key": args.id_key, "--with-replies": args.with_replies,
        "--with-prompts": args.with_prompts, "--no-samples": args.no_samples, "--benchmark": args.benchmark,
        "--where": args.where, "--organization": args.organization, "--relationship": args.relationship,
    }  # fmt: skip
    refuse_unused("with --training, which writes data of a task", of_run)


def _refuse_unused(args: argparse.Namespace) -> None:
    """Raise HarnessError for options that the format does not use, or needs."""
    from harness.core.errors import HarnessError, refuse_unused

    refuse_unused("without --training", export_training.given(args))
    benchmark = {"--benchmark": args.benchmark}
    evaluator = {"--organization": args.organization, "--relationship": args.relationship}
    of_export = {
        "--id-key": args.id_key, "--with-replies": args.with_replies, "--with-prompts": args.with_prompts,
        "--no-samples": args.no_samples,
    }  # fmt: skip
    doing = f"with --format {args.format}"
    if args.format == "eval-results":
        refuse_unused(doing, {**of_export, **evaluator})
    elif args.format == "every-eval-ever":
        refuse_unused(doing, {**of_export, **benchmark})
        if not (args.organization or "").strip():
            raise HarnessError(
                "--format every-eval-ever names who evaluated", hint="add --organization NAME"
            )
    else:
        refuse_unused(doing, {**benchmark, **evaluator, "--where": args.where})


def _written(args: argparse.Namespace, run: RunFolder, out: Path) -> tuple[str, ...]:
    """The names of the files."""
    from datetime import UTC, datetime

    from harness.core.cell_pattern import read_patterns
    from harness.exports.export import Kept, write_export
    from harness.exports.other_formats import write_as
    from harness.exports.pseudonyms import read_key
    from harness.exports.registries import read_benchmarks, write_registry
    from harness.report.page import export_page

    if args.format in FORMATS[3:]:
        return write_registry(
            args.format, run, out, benchmarks=read_benchmarks(args.benchmark),
            where=read_patterns(args.where, option="--where"), organization=args.organization or "",
            relationship=args.relationship or "third_party", created=datetime.now(UTC),
        )  # fmt: skip
    kept = Kept(samples=not args.no_samples, replies=args.with_replies, prompts=args.with_prompts)
    secret = read_key(args.id_key)
    if args.format == "export":
        return write_export(run, out, secret=secret, kept=kept, page=export_page)
    return write_as(args.format, run, out, secret=secret, kept=kept)
