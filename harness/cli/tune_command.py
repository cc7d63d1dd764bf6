"""`harness tune clip`: learn prompts for a dual encoder from labelled samples."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.numbers import natural, positive
from harness.cli.options import add_changes, add_folders, tasks, workspace
from harness.cli.overwrite import add_overwrite, refuse_existing

if TYPE_CHECKING:
    from harness.core.task import Task
    from harness.run.workspace import Workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness tune`."""
    parser.add_argument("kind", metavar="clip", choices=("clip",), help="the kind of model: clip")
    parser.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    parser.add_argument(
        "--model", metavar="clip:BASE", default="clip:tiny",
        help="the encoder, which stays as it is: clip:PATH_OR_ID or clip:tiny. Default: clip:tiny",
    )  # fmt: skip
    parser.add_argument(
        "--split", metavar="NAME",
        help="learn from this split of the task's source, such as train; no subject of it may be one that the task scores",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="file to write, *.safetensors")  # fmt: skip
    add_overwrite(parser)
    parser.add_argument(
        "--prompt", metavar="PROMPT", default="",
        help="prompt whose texts get the vectors. Default: the task's first of the family dual",
    )  # fmt: skip
    parser.add_argument("--shots", metavar="K", type=positive, help="samples of each label to learn from. Default: all")  # fmt: skip
    parser.add_argument(
        "--validation", metavar="K", type=positive,
        help="samples of each label, of other subjects, that decide when to stop. Default: half of --shots, or a fifth of "
        "the subjects",
    )  # fmt: skip
    parser.add_argument(
        "--classes", metavar="A,B", default="", help="labels to learn; the others are not seen in training. Default: all"
    )  # fmt: skip
    parser.add_argument("--seed", metavar="S", type=natural, default=0, help="random seed: samples and first vectors. Default: 0")  # fmt: skip
    group = parser.add_argument_group("what is learnt")
    group.add_argument("--contexts", metavar="N", type=natural, default=8, help="number of vectors before every text. Default: 8")  # fmt: skip
    group.add_argument("--visual", metavar="N", type=natural, default=0, help="number of vectors after the patches in each layer. Default: 0")  # fmt: skip
    group.add_argument("--steps", metavar="N", type=positive, default=120, help="maximum number of steps. Default: 120")  # fmt: skip
    group.add_argument("--rate", metavar="R", type=_rate, default=5e-3, help="learning rate of Adam. Default: 0.005")  # fmt: skip
    losses = parser.add_argument_group(
        "weights of losses that are added to the cross-entropy; 0 leaves one out"
    )
    for flag, usual, said in (
        ("--align-prompt", None, "keep learnt texts near the same texts without vectors"),
        (
            "--align-token",
            0.0,
            "keep their words, position by position, near their own and apart from those of other labels",
        ),
        ("--prototype", 0.0, "keep pictures near the mean of their label (needs --visual)"),
        ("--patches", 0.0, "cross-entropy of the patches nearest to the texts"),
    ):
        shown = "1, or 0 without contexts" if usual is None else f"{usual:g}"
        losses.add_argument(
            flag, metavar="W", type=_weight, default=usual, help=f"{said}. Default: {shown}"
        )
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Learn, write the file and say how to run it."""
    from harness.core.errors import HarnessError
    from harness.prompting.library import Library
    from harness.run.task_files import load_task
    from harness.tune import Asked, Learning, Weights, tune

    place = workspace(args)
    (scored,) = tasks(args, [args.task], place)
    task = scored
    if args.split:
        task = load_task(args.task, place, changes=[*args.changes, f"source.split={args.split}"])
        _refuse_no_split(task, args.split, place)
        if task.source == scored.source:
            raise HarnessError(
                f"{args.task} is scored on the split {args.split} itself",
                hint="learn from another split",
            )
    refuse_existing(args, args.out)
    if not args.out.parent.is_dir():
        raise HarnessError(f"the folder {args.out.parent} does not exist", hint="create it")
    asked = Asked(
        args.model, task, args.out, scored if args.split else None, prompt=args.prompt, shots=args.shots,
        validation=args.validation, classes=tuple(filter(None, args.classes.split(","))),
        learning=Learning(
            contexts=args.contexts, visual=args.visual, steps=args.steps, rate=args.rate, seed=args.seed,
            weights=Weights(
                token=args.align_token,
                prompt=float(args.contexts > 0) if args.align_prompt is None else args.align_prompt,
                prototype=args.prototype,
                patches=args.patches,
            ),
        ),
    )  # fmt: skip
    made = tune(asked, Library(place.prompts), here=place.here, say=print)
    if not args.split:
        print("no --split: nothing was compared with the subjects that you will score")
    print(f"learnt at step {made.learned.step}; written to {made.file}")
    again = ["--model", made.model, "--prompt", str(made.record["prompt"])]
    print(f"run it: {shlex.join(['harness', 'run', args.task, *again, *_same_place(args)])}")
    return 0


def _refuse_no_split(task: Task, split: str, place: Workspace) -> None:
    """Raise HarnessError where the source of the task has no splits."""
    from harness.core.errors import HarnessError
    from harness.sources import open_source

    try:
        open_source(task.source, fields=task.fields, base=place.here)
    except HarnessError as error:
        if not error.message.startswith("source.split:"):
            raise
        raise HarnessError(
            f"--split {split} does not suit {task.name}: {error.message}",
            hint="leave out --split to learn from the samples of the task itself, or keep those to learn from in a "
            "task file of their own",
        ) from None


def _same_place(args: argparse.Namespace) -> Iterator[str]:
    """The options that say which task was meant: its changes and its folders."""
    for change in args.changes:
        yield from ("--set", change)
    for folder in args.prompts:
        yield from ("--prompts", str(folder))
    for folder in args.task_folders:
        yield from ("--tasks", str(folder))


def _weight(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number
