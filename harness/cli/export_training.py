"""`harness export TASK --training FORM`: write prompts, pictures and true answers for training, in folds by subject."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.numbers import natural, positive
from harness.cli.options import add_changes, add_folders, given_changes, tasks, workspace

if TYPE_CHECKING:
    from harness.exports.training_set import Written

FORMS = ("messages", "sharegpt")
SUBJECT = "subject"


def add_training(parser: argparse.ArgumentParser) -> None:
    """The options of `--training`."""
    group = parser.add_argument_group(
        "training data of a task",
        "with --training, the argument is a TASK, whose prompts, pictures and true answers are written",
    )
    group.add_argument(
        "--training", choices=FORMS,
        help="write training data of TASK. messages: JSON lines with messages and images, as TRL and chat templates read "
        "them. sharegpt: with conversations, images and dataset_info.json, as LLaMA-Factory reads them",
    )  # fmt: skip
    group.add_argument(
        "--folds", metavar="subject|N", type=_folds,
        help="subject: leave one subject out in each fold. N: N groups of subjects, alike in size. Default: subject",
    )  # fmt: skip
    group.add_argument(
        "--validation", metavar="K", type=natural,
        help="subjects of each fold that are kept from training, to decide when to stop. Default: a tenth of those trained "
        "on, at least 1",
    )  # fmt: skip
    group.add_argument(
        "--prompt", metavar="PROMPT", action="append", default=[],
        help="name of a prompt, a pattern such as 'mine/*', or `all`. Repeatable. Default: the task's first prompt",
    )  # fmt: skip
    group.add_argument(
        "--condition", metavar="CONDITION", action="append", default=[],
        help="how samples are shown; see `harness list conditions`. Repeatable. Default: none (as they are)",
    )  # fmt: skip
    group.add_argument(
        "--limit", metavar="N", type=positive, help="a seeded random choice of N samples. Default: all"
    )  # fmt: skip
    group.add_argument("--seed", metavar="S", type=natural, help="random seed: choice of samples and subjects. Default: 0")  # fmt: skip
    add_changes(group)
    add_folders(parser)


def given(args: argparse.Namespace) -> dict[str, Any]:
    """Option -> its value, of the options that only training data has."""
    return {
        "--folds": args.folds, "--validation": args.validation, "--prompt": args.prompt, "--condition": args.condition,
        "--limit": args.limit, "--seed": args.seed, **given_changes(args), "--prompts": args.prompts,
        "--tasks": args.task_folders,
    }  # fmt: skip


def _folds(text: str) -> str:
    if text == SUBJECT or (text.isascii() and text.isdigit() and int(text) >= 2):
        return text if text == SUBJECT else str(int(text))
    raise argparse.ArgumentTypeError(f"{text!r} is neither `subject` nor a number of 2 or more")


def export_training(args: argparse.Namespace) -> int:
    """Write the training data and say what it holds."""
    from harness.core.errors import HarnessError
    from harness.exports.training_set import TrainingAsked
    from harness.exports.training_set import export_training as write
    from harness.prompting.library import Library

    if args.run.is_dir() and (args.run / "manifest.json").is_file():
        raise HarnessError(
            f"{args.run} is a run folder; --training writes data of a task",
            hint="name the task (harness list tasks), or leave out --training",
        )
    place = workspace(args)
    (task,) = tasks(args, [str(args.run)], place)
    asked = TrainingAsked(
        form=args.training, by=args.folds or SUBJECT, validation=args.validation, prompts=tuple(args.prompt),
        conditions=tuple(args.condition) or ("none",), limit=args.limit, seed=args.seed or 0,
    )  # fmt: skip
    out = args.out or Path(f"{task.name.replace('/', '-')}-{args.training}")
    found = write(task, asked, Library(place.prompts), here=place.here, out=out)
    _say(found, out)
    return 0


def _say(found: Written, out: Path) -> None:
    from harness.analyses.words import visible
    from harness.core.text import counted

    folds, facts = found.folds, found.facts
    subjects = counted(len(folds.fold_of), "subject")
    print(f"training data: {out}")
    print(
        f"holds:  {counted(facts.rows, 'answer')} to {counted(facts.samples, 'sample')} of {subjects}, "
        f"{counted(len(folds.folds), 'fold')} (folds/NAME/train.jsonl)"
    )
    print(f"digest: {folds.digest}")
    for line in facts.warnings:
        print(f"note:   {visible(line)}")
    print(
        "note:   pictures and labels remain under the terms of the data set; do not pass them on unless these allow it"
    )
