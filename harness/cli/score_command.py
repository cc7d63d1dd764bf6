"""`harness score`: score a run folder, or answers from another tool. Needs no model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import Arguments, add_folders, given_changes, opened_task, workspace
from harness.cli.score_ratings import add_ratings, given
from harness.core.errors import refuse_unused
from harness.imports.checkpoints import checkpoint_names

if TYPE_CHECKING:
    from harness.imports.columns import PredictionMap
    from harness.run.folder import RunFolder
    from harness.score.scores import Scores


COLUMN_OPTIONS = (
    "id", "truth", "answer", "fold", "training", "checkpoint", "epoch", "probabilities",
)  # fmt: skip
"""Options that say what the columns of a table of answers hold, as a map file names them too."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness score`."""
    parser.usage = (
        "harness score RUN [options]\n       harness score --predictions FILE --task TASK [options]\n"
        "       harness score --ratings FILE [--task TASK] [--model-run RUN] [options]"
    )
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help="run folder")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], dest="changes",
        help="change how the run is scored, such as --set fields.emotion.metrics=[uar,kappa] or "
        "--set slices=[age_group]. Allowed: metrics, scored, synonyms and definitions of fields, slices, folds, "
        "cluster, parts, languages. The change is recorded; `harness score RUN` without options undoes it. With "
        "--predictions: override a value of the task file. Repeatable",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print only the scores, as JSON")
    run = parser.add_argument_group("scoring a run folder")
    run.add_argument(
        "--truths", metavar="FILE", type=Path,
        help="table of corrected truths, with a column `sample` (ids as in records.parquet) and one column per "
        "corrected field; empty cells change nothing",
    )  # fmt: skip
    run.add_argument(
        "--refresh", action="store_true",
        help="read truths and annotations again from the source, with any --set source.KEY=VALUE; replies are kept",
    )  # fmt: skip
    run.add_argument(
        "--reference", metavar="MODEL",
        help="model of the run that mean corruption errors are relative to. Default: the model that `harness run "
        "--against model=MODEL` named, otherwise every other model in turn",
    )  # fmt: skip
    predictions = parser.add_argument_group("scoring answers from other tools")
    predictions.add_argument(
        "--predictions", metavar="FILE", type=Path,
        help="answers to score instead of a run: a table (.csv, .tsv, .jsonl, .parquet), a .json log of "
        "inspect-ai, or a samples .jsonl of lm-eval or lmms-eval. A run folder is written from it",
    )  # fmt: skip
    predictions.add_argument(
        "--task", metavar="TASK",
        help="task of the answers. With RUN: apply --set, --truths and --refresh to this task only. Default: to "
        "every task they fit",
    )  # fmt: skip
    add_columns(predictions)
    predictions.add_argument(
        "--events", metavar="FILE", type=Path,
        help="table of true intervals (subject, video, onset, offset, emotion), if --predictions is a table of "
        "spotted intervals. Both STRS variants are shown: as published and corrected. To take the truth from a "
        "task, use --task, such as --task faces/me-str",
    )  # fmt: skip
    add_ratings(parser.add_argument_group("scoring ratings by people"))
    parser.add_argument(
        "--out", metavar="DIR", type=Path,
        help="folder to write to. With RUN: scores and records go there and the run stays as it is, such as one that "
        "can only be read. With --predictions: the run folder (default: one under results/runs/)",
    )  # fmt: skip
    add_folders(parser)


def add_columns(parser: Arguments) -> None:
    """The options that say what the columns of a table of answers hold."""
    for name, what in (
        ("id", "sample ids. Default: name"),
        ("truth", "true values. Default: taken from the task's source by id, otherwise gt"),
        ("answer", "replies. Default: the remaining column"),
    ):
        parser.add_argument(f"--{name}", metavar="COLUMN", help=f"column of {what}")
    parser.add_argument(
        "--fold", metavar="COLUMN",
        help="column of cross-validation folds, for answers of a trained model; checks that no subject is in two "
        "folds",
    )  # fmt: skip
    parser.add_argument(
        "--training", metavar="COLUMN|FILE",
        help="which subjects each answer's model was trained on: a column that lists them, separated by semicolons, or a "
        "table with the columns fold and subject. A row whose own subject is among them is refused",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoint", choices=checkpoint_names(),
        help="how the checkpoint of each fold was chosen. The report warns of checkpoints that were chosen on the "
        "tested subject (test-subject) and, with --fold, of unknown ones",
    )  # fmt: skip
    parser.add_argument(
        "--epoch", metavar="COLUMN", help="column of the epoch that was chosen, one for each fold"
    )
    parser.add_argument(
        "--probabilities", metavar="PREFIX",
        help="prefix of the columns with the labels' probabilities, in place of --answer, such as p_ for p_anger, "
        "p_fear and so on",
    )  # fmt: skip
    parser.add_argument(
        "--map", metavar="FILE.yaml", type=Path,
        help="YAML file instead of these options, with the keys id, truth, answer (a column, or field: column), "
        "cluster, annotations, fold, training, checkpoint, epoch, probabilities, ranked",
    )  # fmt: skip


def asked_columns(args: argparse.Namespace) -> PredictionMap:
    """What the flags or the map file ask for. Raises HarnessError where both are given."""
    from harness.core.errors import HarnessError
    from harness.imports.columns import PredictionMap, read_map

    named = {name: getattr(args, name) for name in COLUMN_OPTIONS}
    if args.map is None:
        return PredictionMap(**named)
    given = [f"--{name}" for name, value in named.items() if value]
    if given:
        raise HarnessError(
            f"--map cannot be combined with {' or '.join(given)}",
            hint="write them into the map file",
        )
    return read_map(args.map)


def execute(args: argparse.Namespace) -> int:
    """Score and print."""
    from harness.core.errors import HarnessError

    if sum(one is not None for one in (args.run, args.predictions, args.ratings)) != 1:
        raise HarnessError(
            "nothing to score: give one of a run folder, --predictions and --ratings",
            hint="run `harness score RUN`, `harness score --predictions FILE --task TASK`, or "
            "`harness score --ratings FILE --task TASK`",
        )
    if args.ratings is not None:
        return _score_ratings(args)
    refuse_unused("without --ratings", given(args))
    if args.predictions is None:
        return _score_run(args)
    refuse_unused(
        "with --predictions",
        {"--truths": args.truths, "--refresh": args.refresh, "--reference": args.reference},
        hint="name the column of true values with --truth COLUMN; or run `harness score` on the folder written from FILE",
    )  # fmt: skip
    if args.events or _is_spots(args.predictions):
        return _score_spots(args)
    return _score_predictions(args)


def _score_ratings(args: argparse.Namespace) -> int:
    from harness.cli.score_ratings import score_ratings

    names = [name for name in (*COLUMN_OPTIONS, "map") if name != "truth"]
    refuse_unused(
        "with --ratings",
        {
            f"--{name}": getattr(args, name)
            for name in (*names, "truths", "refresh", "reference", "events", "out", "prompts")
        },
    )
    return score_ratings(args)


def _score_run(args: argparse.Namespace) -> int:
    """A run folder, as it was asked or as the options say."""
    from harness.run.folder import open_run
    from harness.score.rescore import Rescoring, rescore

    _refuse_columns(args, "when scoring a run folder")
    refuse_unused(
        "when scoring a run folder",
        {"--events": args.events, "--prompts": args.prompts, "--tasks": args.task_folders},
        hint="leave it out; a run folder has its own tasks, prompts and scores",
    )  # fmt: skip
    asked = Rescoring(
        tuple(args.changes), args.truths, args.refresh, args.task, reference=args.reference
    )
    if not asked.of_tasks:
        refuse_unused("without --set, --truths or --refresh", {"--task": args.task})
    run = open_run(args.run)
    folder = run if args.out is None else run.writing_to(args.out)
    with folder.locked():
        scores = rescore(folder, asked, workspace(args))
    if args.out is not None:
        folder = run.writing_to(args.out)  # it is now scored as was asked
    _show(args, folder, scores)
    return 0


def _score_predictions(args: argparse.Namespace) -> int:
    from harness.core.errors import working
    from harness.score.folder import score_run

    folder = _imported(args)
    with folder.locked(), working():
        scores = score_run(folder)
    _show(args, folder, scores)
    if not args.json:
        print(f"\nrun folder: {folder.path}")
    return 0


def _show(args: argparse.Namespace, folder: RunFolder, scores: Scores) -> None:
    from harness.report.notices import run_notices
    from harness.report.scores_json import scores_json
    from harness.report.terminal import print_scores
    from harness.run.scoring import scored_manifest

    manifest = scored_manifest(folder)
    if args.json:
        print(
            scores_json(
                folder.path, scores, manifest, notices=[said for said, _ in run_notices(manifest)]
            )
        )
    else:
        print_scores(scores, manifest, file=sys.stdout)


def _refuse_columns(args: argparse.Namespace, doing: str) -> None:
    """Raise HarnessError for the flags of `add_columns`."""
    names = (*COLUMN_OPTIONS, "map")
    refuse_unused(
        doing, {f"--{name}": getattr(args, name) for name in names},
        hint="leave it out; it describes the columns of --predictions FILE",
    )  # fmt: skip


def _is_spots(path: Path) -> bool:
    """Whether a table holds intervals."""
    from harness.imports.spot_tables import COLUMNS
    from harness.sources.rows import TABLE_SUFFIXES, open_table

    suffix = path.suffix.lower()
    if suffix == ".json" or suffix not in TABLE_SUFFIXES or not path.is_file():
        return False  # logs and workbooks hold answers
    return set(COLUMNS) <= set(open_table(path).columns)


def _score_spots(args: argparse.Namespace) -> int:
    """Intervals against true ones, which a table or a task gives; no run folder is written."""
    from harness.analyses.spot_lines import mended_lines, spot_lines
    from harness.analyses.words import visible
    from harness.core.errors import HarnessError
    from harness.imports.spot_tables import Truth, read_spots, spot_notes, spot_table_rows, truth_of
    from harness.report.scores_json import scores_json
    from harness.score.scores import Scores

    _refuse_columns(args, "for tables of intervals, whose columns have fixed names")
    refuse_unused(
        "for tables of intervals, which are scored without a run folder",
        {"--out": args.out, "--prompts": args.prompts},
    )
    if args.events is not None:
        refuse_unused(
            "with --events, which gives the truth",
            {"--task": args.task, **given_changes(args), "--tasks": args.task_folders},
        )
    predicted = read_spots(args.predictions)
    if args.events is not None:
        truth = Truth(read_spots(args.events))
    elif args.task is not None:
        _, task, source = opened_task(args)
        truth = truth_of(task, iter(source))
    else:
        raise HarnessError(
            f"{args.predictions.name} is a table of intervals, and no true intervals were given",
            hint="give them with --events FILE, or name a spotting task, such as --task faces/me-str",
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
    from harness.run.strays import refuse_strays
    from harness.run.task_files import load_task

    if args.task is None:
        raise HarnessError(
            "--predictions needs --task",
            hint="name the task that the answers are for, such as --task table/emotion; see `harness list tasks`",
        )
    place = workspace(args)
    task = load_task(args.task, place, changes=args.changes, references=False)
    asked = asked_columns(args)
    unread = [
        one
        for one in args.changes
        if one.startswith("source.") and not one.startswith("source.labels")
    ]
    if asked.truth and unread:
        raise HarnessError(
            f"--set {unread[0]} has no effect with --truth, which takes samples and true values from the table of answers",
            hint=f"leave out --truth, so that they come from the task's source, or leave out --set {unread[0]}",
        )
    folder = args.out
    if folder is None:
        file = digest_file(args.predictions) if args.predictions.is_file() else ""
        mark = digest_json([task.name, file, asked.model_dump(), sorted(args.changes)])[:8]
        folder = RUNS / f"{task.name.replace('/', '-')}-predictions-{mark}"
    run = RunFolder(folder)
    refuse_strays(run)
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
