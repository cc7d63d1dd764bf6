"""`harness score`: records and scores from a run folder, or from answers made elsewhere, without a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, workspace

if TYPE_CHECKING:
    from harness.run.folder import RunFolder
    from harness.score.prediction_columns import PredictionMap


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness score`."""
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--predictions", metavar="FILE", type=Path,
        help="in place of RUN: answers made elsewhere; a .csv, .tsv, .jsonl or .parquet table, a .json log "
        "of inspect-ai, a samples .jsonl of lm-eval or lmms-eval; a run folder is written from it",
    )  # fmt: skip
    parser.add_argument("--task", metavar="T", help="the task that the answers are to")
    add_columns(parser)
    add_changes(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="run folder of --predictions; default under results/runs/",
    )
    parser.add_argument("--json", action="store_true", help="print only the scores, as JSON")
    add_folders(parser)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """The flags that say what the columns of a table of answers hold."""
    for name, what in (
        ("id", "sample ids (default: name)"),
        ("truth", "true values (default: the task's source, joined by id, else gt)"),
        ("answer", "replies (default: the remaining column)"),
    ):
        parser.add_argument(f"--{name}", metavar="COL", help=f"column of {what}")
    parser.add_argument(
        "--map", metavar="FILE.yaml", type=Path,
        help="in place of the three: YAML with id, truth, answer (a column, or field: column), cluster, "
        "annotations, ranked",
    )  # fmt: skip


def asked_columns(args: argparse.Namespace) -> PredictionMap:
    """What the flags or the map file ask for. Raises HarnessError where both are given."""
    from harness.core.errors import HarnessError
    from harness.score.prediction_columns import PredictionMap, read_map

    named = {name: getattr(args, name) for name in ("id", "truth", "answer")}
    if args.map is None:
        return PredictionMap(**named)
    if any(named.values()):
        raise HarnessError(
            "--map goes without --id, --truth and --answer", mend="write them into the map file"
        )
    return read_map(args.map)


def execute(args: argparse.Namespace) -> int:
    """Score and print."""
    import textwrap

    from harness.core.errors import HarnessError
    from harness.report.terminal import print_scores, scores_json
    from harness.report.words import visible
    from harness.run.folder import open_run
    from harness.run.manifest import read_manifest
    from harness.score import score_run
    from harness.score.prediction_spread import spread_lines

    if (args.run is None) == (args.predictions is None):
        raise HarnessError(
            "what is to be scored?",
            mend="harness score RUN, or harness score --predictions FILE --task T",
        )
    folder = open_run(args.run) if args.predictions is None else _imported(args)
    with folder.locked():
        scores = score_run(folder)
    if args.json:
        print(scores_json(folder.path, scores))
        return 0
    print_scores(scores, read_manifest(folder), file=sys.stdout)
    for line in spread_lines(scores.tasks):
        for part in textwrap.wrap(visible(line), 96, subsequent_indent="  "):
            print(f"  {part}")
    if args.predictions is not None:
        print(f"\nrun folder: {folder.path}")
    return 0


def _imported(args: argparse.Namespace) -> RunFolder:
    """The run folder written from the file of answers; what was noticed goes to standard error."""
    from harness.core.errors import HarnessError
    from harness.core.text import digest_file, digest_json
    from harness.report.words import visible
    from harness.run.folder import RunFolder
    from harness.run.runner import RUNS
    from harness.run.task_files import load_task
    from harness.score.predictions import import_predictions

    if args.task is None:
        raise HarnessError(
            "--predictions needs the task that the answers are to",
            mend="--task table/emotion, or another of `harness list tasks`",
        )
    place = workspace(args)
    task = load_task(args.task, place, changes=args.changes, references=False)
    asked = asked_columns(args)
    folder = args.out
    if folder is None:
        file = digest_file(args.predictions) if args.predictions.is_file() else ""
        mark = digest_json([task.name, file, asked.model_dump(), sorted(args.changes)])[:8]
        folder = RUNS / f"{task.name.replace('/', '-')}-predictions-{mark}"
    run = RunFolder(folder)
    run.create()
    with run.locked():
        imported = import_predictions(
            args.predictions,
            task,
            asked,
            run,
            workspace=place,
            command=["harness", *sys.argv[1:]],
            source_meant=any(change.startswith("source.") for change in args.changes),
        )
    for note in imported.notes:
        print(f"note: {visible(note)}", file=sys.stderr)
    return run
