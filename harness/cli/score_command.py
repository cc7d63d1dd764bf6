"""`harness score`: records and scores from a run folder, or from answers made elsewhere, without a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_folders, workspace
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.imports.columns import PredictionMap
    from harness.run.folder import RunFolder
    from harness.score import Scores


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness score`."""
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--predictions", metavar="FILE", type=Path,
        help="in place of RUN: answers made elsewhere; a .csv, .tsv, .jsonl or .parquet table, a .json log "
        "of inspect-ai, a samples .jsonl of lm-eval or lmms-eval; a run folder is written from it",
    )  # fmt: skip
    parser.add_argument(
        "--task", metavar="T",
        help="with --predictions: the task that the answers are to; with RUN: the one task that --set, --truths and "
        "--refresh concern (default: each that they fit)",
    )  # fmt: skip
    parser.add_argument(
        "--truths", metavar="FILE", type=Path,
        help="with RUN: corrected truths, a table with a column `sample` (ids as in records.parquet) and one for each "
        "field that is corrected; blank cells change nothing",
    )  # fmt: skip
    parser.add_argument(
        "--refresh", action="store_true",
        help="with RUN: read truths and annotations again from the source, with any --set source.KEY=VALUE; replies "
        "stay as they are",
    )  # fmt: skip
    parser.add_argument(
        "--events", metavar="FILE", type=Path,
        help="with --predictions: both are tables of intervals (subject, video, onset, offset, emotion), this one "
        "the true ones; scored by STRS, as published and mended. --task faces/me-str takes the truth from a task",
    )  # fmt: skip
    add_columns(parser)
    parser.add_argument(
        "--set", metavar="FIELD.PATH=VALUE", action="append", default=[], dest="changes",
        help="with RUN: score otherwise than was asked, e.g. --set fields.emotion.metrics=[uar,kappa] or "
        "--set slices=[age_group]: metrics, scored, synonyms and definitions of fields, slices, folds, cluster, parts, languages; "
        "it is recorded in the run, and `harness score RUN` without options goes back. With --predictions: change a "
        "value of the task file (repeatable)",
    )  # fmt: skip
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
        "--fold", metavar="COL",
        help="column of the fold (leave-one-subject-out) of a trained model's answers: subjects are checked",
    )  # fmt: skip
    parser.add_argument(
        "--map", metavar="FILE.yaml", type=Path,
        help="in place of the three: YAML with id, truth, answer (a column, or field: column), cluster, "
        "annotations, fold, ranked",
    )  # fmt: skip


def asked_columns(args: argparse.Namespace) -> PredictionMap:
    """What the flags or the map file ask for. Raises HarnessError where both are given."""
    from harness.core.errors import HarnessError
    from harness.imports.columns import PredictionMap, read_map

    named = {name: getattr(args, name) for name in ("id", "truth", "answer")}
    if args.map is None:
        return PredictionMap(**named, fold=args.fold)
    if args.fold:
        raise HarnessError("--map goes without --fold", hint="write fold: COL into the map file")
    if any(named.values()):
        raise HarnessError(
            "--map goes without --id, --truth and --answer", hint="write them into the map file"
        )
    return read_map(args.map)


def execute(args: argparse.Namespace) -> int:
    """Score and print."""
    from harness.core.errors import HarnessError

    if (args.run is None) == (args.predictions is None):
        raise HarnessError(
            "what is to be scored?",
            hint="harness score RUN, or harness score --predictions FILE --task T",
        )
    if args.predictions is None:
        return _score_run(args)
    refuse_unused(
        "with --predictions", {"--truths": args.truths, "--refresh": args.refresh},
        hint="name the column of truths with --truth COL; or score the run folder that is written from FILE",
    )  # fmt: skip
    if args.events or _is_spots(args.predictions):
        return _score_spots(args)
    return _score_predictions(args)


def _score_run(args: argparse.Namespace) -> int:
    """A run folder, as it was asked or as the options say."""
    from harness.run.folder import open_run
    from harness.score.rescore import Rescoring, rescore

    _refuse_columns(args, "where a run folder is scored")
    refuse_unused(
        "where a run folder is scored",
        {"--events": args.events, "--out": args.out, "--prompts": args.prompts, "--tasks": args.task_folders},
        hint="a run folder holds its own tasks, prompts and scores",
    )  # fmt: skip
    asked = Rescoring(tuple(args.changes), args.truths, args.refresh, args.task)
    if not asked:
        refuse_unused("without --set, --truths or --refresh", {"--task": args.task})
    folder = open_run(args.run)
    with folder.locked():
        scores = rescore(folder, asked, workspace(args))
    _show(args, folder, scores)
    return 0


def _score_predictions(args: argparse.Namespace) -> int:
    from harness.core.errors import working
    from harness.score import score_run

    folder = _imported(args)
    with folder.locked(), working():
        scores = score_run(folder)
    _show(args, folder, scores)
    if not args.json:
        print(f"\nrun folder: {folder.path}")
    return 0


def _show(args: argparse.Namespace, folder: RunFolder, scores: Scores) -> None:
    from harness.report.notices import run_notices
    from harness.report.terminal import print_scores, scores_json
    from harness.run.scoring import scored_manifest

    manifest = scored_manifest(folder)
    if args.json:
        print(scores_json(folder.path, scores, notices=[said for said, _ in run_notices(manifest)]))
    else:
        print_scores(scores, manifest, file=sys.stdout)


def _refuse_columns(args: argparse.Namespace, doing: str) -> None:
    """Raise HarnessError for the flags of `add_columns`."""
    names = ("id", "truth", "answer", "fold", "map")
    refuse_unused(
        doing, {f"--{name}": getattr(args, name) for name in names},
        hint="they say what the columns of --predictions FILE hold",
    )  # fmt: skip


def _is_spots(path: Path) -> bool:
    """Whether a table holds intervals."""
    from harness.imports.spot_tables import COLUMNS
    from harness.sources.rows import open_table

    if path.suffix.lower() == ".json" or not path.is_file():
        return False
    return set(COLUMNS) <= set(open_table(path).columns)


def _score_spots(args: argparse.Namespace) -> int:
    """Intervals against true ones, which a table or a task gives; no run folder is written."""
    from harness.analyses.spot_lines import mended_lines, spot_lines
    from harness.analyses.words import visible
    from harness.core.errors import HarnessError
    from harness.imports.spot_tables import Truth, read_spots, spot_notes, spot_table_rows, truth_of
    from harness.report.terminal import scores_json
    from harness.run.task_files import load_task
    from harness.score.scores import Scores
    from harness.sources import open_source

    _refuse_columns(args, "on tables of intervals, whose columns have fixed names")
    refuse_unused(
        "on tables of intervals: no run folder is written",
        {"--out": args.out, "--prompts": args.prompts},
    )
    if args.events is not None:
        refuse_unused(
            "with --events, which holds the truth",
            {"--task": args.task, "--set": args.changes, "--tasks": args.task_folders},
        )
    predicted = read_spots(args.predictions)
    if args.events is not None:
        truth = Truth(read_spots(args.events))
    elif args.task is not None:
        place = workspace(args)
        task = load_task(args.task, place, changes=args.changes)
        source = open_source(task.source, fields=task.fields, base=place.here)
        truth = truth_of(task, iter(source))
    else:
        raise HarnessError(
            f"{args.predictions.name} holds intervals: what is there to spot?",
            hint="--events FILE with the true intervals, or --task faces/me-str",
        )
    rows = tuple(spot_table_rows(predicted, truth, task=args.task or truth.table.name))
    for note in spot_notes(predicted, truth):
        print(f"note: {visible(note)}", file=sys.stderr)
    if args.json:
        print(scores_json(args.predictions, Scores(rows, (), (), ())))
        return 0
    for line in (*spot_lines(rows), *mended_lines()):
        print(visible(line))
    return 0


def _imported(args: argparse.Namespace) -> RunFolder:
    """The run folder written from the file of answers; what was noticed goes to standard error."""
    from harness.analyses.words import visible
    from harness.core.errors import HarnessError
    from harness.core.text import digest_file, digest_json
    from harness.imports.predictions import import_predictions
    from harness.run.folder import RunFolder
    from harness.run.job import RUNS
    from harness.run.task_files import load_task

    if args.task is None:
        raise HarnessError(
            "--predictions needs the task that the answers are to",
            hint="--task table/emotion, or another of `harness list tasks`",
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
