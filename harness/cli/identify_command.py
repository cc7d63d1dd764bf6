"""`harness identify`: does a recogniser find one person among many, and no one who is not there?"""

from __future__ import annotations

import argparse
import sys
from itertools import islice

from harness.cli.numbers import natural, positive, share
from harness.cli.options import add_changes, add_folders, opened_task


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness identify`."""
    parser.add_argument("task", metavar="TASK", help="name of a task whose source knows subjects, or its YAML file")  # fmt: skip
    parser.add_argument("--model", required=True, metavar="MODEL", help="recogniser: similarity:dlib, similarity:tiny ...")  # fmt: skip
    parser.add_argument("--gallery", type=positive, default=1, metavar="N", help="pictures of each enrolled person. Default: 1")  # fmt: skip
    parser.add_argument("--unknown", type=share, default=0.3, metavar="SHARE", help="share of the persons who are not enrolled and should not be found. Default: 0.3")  # fmt: skip
    parser.add_argument("--limit", type=positive, metavar="N", help="use the first N pictures")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="random seed: which persons and pictures are enrolled. Default: 0")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Search and print."""
    import json
    from dataclasses import asdict

    from harness.core.errors import HarnessError, working
    from harness.report.identification_tables import identification_blocks
    from harness.report.writers.terminal import open_console, print_lines, print_tables
    from harness.similarity import open_recogniser
    from harness.similarity.identification import identify, photos_of, search

    if not args.model.startswith("similarity:"):
        raise HarnessError(
            f"--model {args.model} is no recogniser",
            hint="write similarity:tiny, similarity:dlib, similarity:clip:PATH or similarity:http://127.0.0.1:PORT/PATH",
        )
    recogniser = open_recogniser(args.model)
    _, task, source = opened_task(args)
    with working():
        photos = photos_of(islice(source, args.limit))
        found = identify(
            search(photos, recogniser, gallery=args.gallery, unknown=args.unknown, seed=args.seed),
            seed=args.seed,
        )
    if args.json:
        told = {"task": task.name, "model": recogniser.name, "identity": recogniser.identity, "seed": args.seed}  # fmt: skip
        print(json.dumps({**told, **_finite(asdict(found))}, indent=1, allow_nan=False))
        return 0
    console = open_console(sys.stdout)
    blocks = list(identification_blocks(found, task=task.name, model=recogniser.name))
    print_tables(console, [block for block in blocks if block.room != "little"])
    print_lines(console, [block for block in blocks if block.room == "little"])
    return 0


def _finite(found: dict[str, object]) -> dict[str, object]:
    """A threshold that accepts everything as null."""
    import math

    rows = found["open_set"]
    assert isinstance(rows, tuple | list)
    kept = [
        {**row, "threshold": row["threshold"] if math.isfinite(row["threshold"]) else None}
        for row in rows
    ]
    return {**found, "open_set": kept}
