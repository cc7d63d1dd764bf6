"""`harness data ratings`: what each annotator of a data set said, as a table that `harness score --ratings` reads."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from harness.cli.data_pictures import refuse_file
from harness.cli.options import add_changes, add_folders, opened_task
from harness.core.text import counted

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def configure_ratings(commands: Subparsers) -> None:
    """Arguments of `harness data ratings`."""
    ratings = commands.add_parser(
        "ratings",
        help="write what each annotator of the set said to a table, one row an answer",
        description="Write a CSV table with the columns rater, item, field and value from a data set that keeps its "
        "annotators apart, such as EmoNet-Face. `harness score --ratings FILE --task TASK --model-run RUN` then says how "
        "far annotators agree with each other, and where a model stands among them.",
    )
    ratings.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    ratings.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="CSV file to write"
    )
    add_changes(ratings)
    add_folders(ratings)


def ratings(args: argparse.Namespace) -> int:
    """Write the table and print how much it holds. Raises HarnessError."""
    from harness.core.errors import HarnessError, working
    from harness.run.folder import write_atomically
    from harness.sources.rated import ratings_text

    refuse_file(args.out, ".csv", "the table is a CSV file")
    place, task, source = opened_task(args)
    with working():
        text, raters, items, rows = ratings_text(task, source, base=place.here)
    if not rows:
        raise HarnessError(
            f"{task.name}: no annotator rated a sample of it", hint="check source options"
        )
    write_atomically(args.out, text.encode("utf-8", "surrogatepass"))
    print(
        f"{args.out}: {counted(rows, 'rating')} of {counted(items, 'sample')} by {counted(raters, 'annotator')}"
    )
    print(f"use it with harness score --ratings {args.out} --task {task.name} --model-run RUN")
    return 0
