"""`harness score --ratings`: ratings by people, and a model among the raters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import Arguments, given_changes, workspace
from harness.cli.overwrite import add_overwrite, refuse_existing

if TYPE_CHECKING:
    from harness.raters.study import StudyResult
    from harness.raters.table import RatingTable
    from harness.raters.truth import Truths

OWN = (
    "field",
    "by",
    "against",
    "model_run",
    "model_saw",
    "epsilon",
    "html",
    "overwrite",
    "markdown",
    "seed",
)
"""Options that only ratings have."""


def add_ratings(group: Arguments) -> None:
    """The options of ratings."""
    group.add_argument(
        "--ratings", metavar="FILE", type=Path,
        help="ratings by people, as `harness rate` writes them: a table (.csv, .tsv, .jsonl, .parquet) with one row per "
        "answer and the columns rater, item, field, value, and condition where there are several; further columns "
        "describe the rater. True values: from --task by item, or from the column --truth",
    )  # fmt: skip
    group.add_argument(
        "--field", metavar="FIELD", action="append", default=[],
        help="state what a field of the ratings is, as in `harness rate`: NAME=label:A,B,C, NAME=yes-no, "
        "NAME=number:1,5. Repeatable. Default: as the task has it, otherwise inferred from its values",
    )  # fmt: skip
    group.add_argument(
        "--by", metavar="COLUMNS",
        help="columns of the raters, separated by commas, whose groups are shown",
    )  # fmt: skip
    group.add_argument(
        "--against", metavar="CONDITION",
        help="condition that is subtracted from each other one, such as V for AV minus V. Default: every pair",
    )  # fmt: skip
    group.add_argument(
        "--model-run", metavar="RUN", type=Path,
        help="scored run whose models are compared with the raters: agreement with each rater next to the raters' own, rank, "
        "and the alternative annotator test",
    )  # fmt: skip
    group.add_argument(
        "--model-saw", metavar="CONDITION",
        help="condition of the raters that the model is compared with: the one that showed them what it saw. Default: the "
        "one with the name of the model's condition, or the only one",
    )  # fmt: skip
    group.add_argument(
        "--epsilon", metavar="E", type=float,
        help="how far a model may fall short of a rater in the alternative annotator test, for being cheaper: .2 for "
        "experts, .15 for trained raters, .1 for crowd workers. Default: .1",
    )  # fmt: skip
    group.add_argument("--html", metavar="FILE", type=Path, help="also write a page")
    add_overwrite(group)
    group.add_argument("--markdown", action="store_true", help="print the results as Markdown")
    group.add_argument(
        "--seed", type=int, metavar="S", help="random seed of the intervals. Default: 0"
    )


def given(args: argparse.Namespace) -> dict[str, object]:
    """The options of ratings as they are written, with their values."""
    return {f"--{name.replace('_', '-')}": getattr(args, name) for name in OWN}


def score_ratings(args: argparse.Namespace) -> int:
    """Read, compute, print. Raises HarnessError."""
    from harness.core.errors import HarnessError, refuse_unused
    from harness.raters.model_run import model_raters
    from harness.raters.study import study_of

    if args.html is not None and args.html.suffix.lower() not in {".html", ".htm"}:
        raise HarnessError(
            f"--html {args.html} does not name a page", hint="name a file that ends in .html"
        )
    refuse_existing(args, args.html, without="without --html")
    if args.json and args.markdown:
        raise HarnessError("--json and --markdown exclude each other", hint="choose one")
    if args.model_run is None:
        refuse_unused(
            "without --model-run", {"--model-saw": args.model_saw, "--epsilon": args.epsilon}
        )
    epsilon = 0.1 if args.epsilon is None else args.epsilon
    if not 0 <= epsilon < 1:
        raise HarnessError(
            f"--epsilon {epsilon:g} is not from 0 to below 1",
            hint="use .2 for experts, .15 for trained raters, .1 for crowd workers",
        )
    table, truths, truth = _read(args)
    models = []
    if args.model_run is not None:
        models = model_raters(args.model_run, table, task=_task_name(args), saw=args.model_saw)
    by = [name.strip() for name in (args.by or "").split(",") if name.strip()]
    found = study_of(
        table, truths, truth=truth, by=by, against=args.against, models=models, epsilon=epsilon,
        seed=args.seed or 0,
    )  # fmt: skip
    _show(args, found)
    return 0


def _read(args: argparse.Namespace) -> tuple[RatingTable, Truths, str]:
    """The ratings, the truths, and where these are from."""
    from harness.core.errors import refuse_unused
    from harness.raters.table import read_ratings
    from harness.raters.truth import truths_of
    from harness.run.preview import with_labels
    from harness.run.task_files import load_task

    if args.task is None:
        refuse_unused("without --task", given_changes(args) | {"--tasks": args.task_folders})
        table = read_ratings(args.ratings, known={}, asked=args.field, truth=args.truth)
        return table, table.truths, f"column {args.truth}" if args.truth else ""
    place = workspace(args)
    task, source = with_labels(load_task(args.task, place, changes=args.changes), here=place.here)
    table = read_ratings(args.ratings, known=task.fields, asked=args.field, truth=args.truth)
    if args.truth:
        return table, table.truths, f"column {args.truth}"
    return table, truths_of(table, iter(source), task=task.name), f"task {task.name}"


def _task_name(args: argparse.Namespace) -> str | None:
    """The task as a run names it."""
    from harness.run.task_files import load_task

    return (
        None
        if args.task is None
        else load_task(args.task, workspace(args), changes=args.changes).name
    )


def _show(args: argparse.Namespace, found: StudyResult) -> None:
    """Print in the form that was asked for, and write the page."""
    import json

    from harness.core.blocks import Lines, Note
    from harness.raters.blocks import study_blocks
    from harness.raters.page import study_page
    from harness.report.writers.json import blocks_json
    from harness.report.writers.markdown import blocks_markdown
    from harness.report.writers.terminal import open_console, print_lines, print_tables
    from harness.run.folder import write_atomically

    if args.html is not None:
        write_atomically(args.html, study_page(found).encode("utf-8", "replace"))
    blocks = tuple(study_blocks(found))
    if args.json:
        told = {"schema": 1, "file": found.table.name, "blocks": blocks_json(blocks)}
        print(json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False))
        return
    if args.markdown:
        print(blocks_markdown(blocks))
        return
    console = open_console(sys.stdout)
    for block in blocks:
        if isinstance(block, Lines | Note):
            print_lines(console, [block])
        else:
            print_tables(console, [block])
    if args.html is not None:
        print(args.html)
