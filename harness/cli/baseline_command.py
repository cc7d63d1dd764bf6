"""`harness baseline`: train a small network on the clips of a task, fold by fold, and score it as any run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, workspace
from harness.cli.overwrite import add_overwrite, refuse_existing
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.baselines.flow_network import TrainingSettings
    from harness.core.task import Task
    from harness.metrics.spots import Spot
    from harness.run.folder import RunFolder
    from harness.run.workspace import Workspace
    from harness.score.scores import Scores
    from harness.score.table import ScoreRow

SPOTS = "spots.csv"
LEAST_VIDEOS = 10
SPOTTED = (
    "f1_spotting", "precision_spotting", "recall_spotting", "tp_spotting", "fp_spotting", "fn_spotting",
)  # fmt: skip
"""What can be said of intervals without emotions."""
MOST_ALPHA, MOST_EPOCHS = 10.0, 5_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness baseline`."""
    parser.add_argument(
        "baseline", choices=("flow",), metavar="BASELINE",
        help="flow: a network of at most 5,000 parameters on the optical flow from onset to apex (right, down, strain). "
        "Trained on the CPU, on one thread, once for each fold without the subjects of that fold",
    )  # fmt: skip
    parser.add_argument(
        "task", metavar="TASK",
        help="a task of clips with folds and one label field, such as faces/me-emotion-3 or casme2/me-emotion-3; or a "
        "spotting task, such as faces/me-str, whose intervals are found from flow without any training",
    )  # fmt: skip
    add_changes(parser)
    parser.add_argument(
        "--shuffle-flow",
        action="store_true",
        help="control: give each clip the flow of another one. The network must then be at chance",
    )
    parser.add_argument(
        "--mix", metavar="ALPHA", type=float,
        help="train on mixtures of two clips, with shares drawn from Beta(ALPHA, ALPHA), flow and labels mixed alike. "
        "Default: 0, no mixtures",
    )  # fmt: skip
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=int,
        help="passes over the training clips of each fold. Default: 120",
    )
    parser.add_argument("--seed", metavar="N", type=int, help="seed. Default: 0")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="run folder. Default: one under results/runs/"
    )
    add_overwrite(parser)
    parser.add_argument("--json", action="store_true", help="print only the scores, as JSON")
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Train, score, write the report, print."""
    from harness.analyses.words import visible
    from harness.baselines.flow_run import NAME, SHUFFLED, refuse_unfit, run_flow_baseline
    from harness.core.errors import working
    from harness.core.text import digest_json
    from harness.imports.folder import refuse_other_run
    from harness.report.page import write_report
    from harness.run.folder import RunFolder
    from harness.run.job import RUNS
    from harness.run.strays import refuse_strays
    from harness.run.task_files import load_task
    from harness.score.folder import score_run

    place = workspace(args)
    task = load_task(args.task, place, changes=args.changes)
    if task.spotting is not None:
        return _spot(args, task, place)
    refuse_unused("except for a spotting task", {"--overwrite": args.overwrite})
    settings = _settings(args)
    folder = args.out
    if folder is None:
        mark = digest_json([sorted(args.changes), settings.details(), args.shuffle_flow])[:8]
        shuffled = "-shuffled" if args.shuffle_flow else ""
        folder = RUNS / f"{task.name.replace('/', '-')}-flow{shuffled}-{mark}"
    run = RunFolder(folder)
    refuse_strays(run)
    refuse_other_run(run, task=task.name, model=SHUFFLED if args.shuffle_flow else NAME)
    refuse_unfit(task, place)
    with run.claimed():
        with working():
            found = run_flow_baseline(
                task, run, workspace=place, command=["harness", *sys.argv[1:]], settings=settings,
                shuffle=args.shuffle_flow, tell=_teller(),
            )  # fmt: skip
        scores = score_run(run)
        write_report(run)
    for note in found.notes:
        print(f"note: {visible(note)}", file=sys.stderr)
    told = (
        f"{found.folds} networks of {found.parameters:,} parameters on {found.clips:,} clips; CPU seconds: "
        f"{found.flow_seconds:.1f} for flow, {found.training_seconds:.1f} for training"
    )
    print(f"note: {told}", file=sys.stderr)
    _show(args, run, scores)
    return 0


def _spot(args: argparse.Namespace, task: Task, place: Workspace) -> int:
    """Spot intervals, write them as a table, and print how many true ones they meet; no emotion is named."""
    from harness.analyses.words import visible
    from harness.baselines.flow_spots import gather_videos, spot_video, spots_table
    from harness.core.errors import working
    from harness.imports.spot_tables import SpotTable, spot_table_rows, truth_of
    from harness.report.scores_json import scores_json
    from harness.run.folder import write_atomically
    from harness.run.job import RUNS
    from harness.score.scores import Scores
    from harness.sources import open_source

    refuse_unused(
        "for a spotting task, in which nothing is trained",
        {
            "--shuffle-flow": args.shuffle_flow, "--mix": args.mix, "--epochs": args.epochs,
            "--seed": args.seed,
        },
    )  # fmt: skip
    folder = args.out or RUNS / f"{task.name.replace('/', '-')}-flow-spots"
    path = folder / SPOTS
    refuse_existing(args, path)
    source = open_source(task.source, fields=task.fields, base=place.here)
    samples = list(source)
    tell, unseen = _teller(), 0
    spots: list[Spot] = []
    with working():
        for done, video in enumerate(gather_videos(samples), 1):
            tell(f"video {done}: {video.name}")
            one = spot_video(video)
            spots += one.spots
            unseen += one.unseen
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, spots_table(spots).encode())
    truth = truth_of(task, iter(samples))
    rows = [
        row
        for row in spot_table_rows(SpotTable(SPOTS, tuple(spots), ()), truth, task=task.name)
        if row.metric in SPOTTED
    ]
    if args.json:
        print(scores_json(path, Scores(tuple(rows), (), (), ())))
    else:
        found = {row.metric: row for row in rows}
        print(visible(_spotted(task.name, found, len(truth.videos))))
    if unseen:
        print(
            f"note: no face was found in about {unseen:,} frames; nothing is spotted there",
            file=sys.stderr,
        )
    told = f"intervals: {path}; no emotion is named, so recognition and STRS are not scored"
    print(f"note: {visible(told)}", file=sys.stderr)
    return 0


def _spotted(task: str, found: Mapping[str, ScoreRow], videos: int) -> str:
    """`faces/me-str: F1 spotting .667, precision spotting .667, ...; TP 2, FP 1, FN 1; 3 videos (strict)`."""
    from harness.analyses.words import interval, metric_name, number

    few = videos < LEAST_VIDEOS  # resampling so few gives intervals of no width
    shares = [
        f"{metric_name(name)} {number(row.value)} {'' if few else interval(row.low, row.high)}".strip()
        for name in SPOTTED[:3]
        if (row := found[name])
    ]
    counts = [
        f"{name[:2].upper()} {found[name].value or 0:.0f}" for name in SPOTTED[3:] if name in found
    ]
    told = f"{videos} videos, too few for intervals" if few else f"{videos} videos"
    return f"{task}: {', '.join(shares)}; {', '.join(counts)}; {told} (strict)"


def _settings(args: argparse.Namespace) -> TrainingSettings:
    """The settings asked for. Raises HarnessError for numbers that no training can have."""
    from harness.baselines.flow_network import TrainingSettings

    mix, seed = args.mix or 0.0, args.seed or 0
    if not 0 <= mix <= MOST_ALPHA:
        raise HarnessError(
            f"--mix {mix:g} is outside 0 to {MOST_ALPHA:g}",
            hint="0.4 mixes a little, 1 draws all shares alike often",
        )
    epochs = 120 if args.epochs is None else args.epochs
    if not 1 <= epochs <= MOST_EPOCHS:
        raise HarnessError(
            f"--epochs {epochs} is outside 1 to {MOST_EPOCHS:,}", hint="the default is 120"
        )
    if seed < 0:
        raise HarnessError(f"--seed {seed} is negative", hint="use 0 or more")
    return TrainingSettings(epochs=epochs, mix=mix, seed=seed)


def _teller() -> Callable[[str], None]:
    """Writes one line that is overwritten, where a person looks on; nothing else."""
    if not sys.stderr.isatty():
        return lambda line: None
    return lambda line: print(f"\r{line:<40}", end="", file=sys.stderr, flush=True)


def _show(args: argparse.Namespace, run: RunFolder, scores: Scores) -> None:
    from harness.report.notices import run_notices
    from harness.report.scores_json import scores_json
    from harness.report.terminal import print_scores
    from harness.run.scoring import scored_manifest

    manifest = scored_manifest(run)
    if args.json:
        print(scores_json(run.path, scores, notices=[said for said, _ in run_notices(manifest)]))
        return
    print_scores(scores, manifest, file=sys.stdout)
    print(f"\nrun folder: {run.path}")
    print(f"report:     {run.report}")
