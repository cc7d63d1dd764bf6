"""`harness survive`: does a risk that was read off a face go with survival?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.cli.overwrite import add_overwrite, refuse_existing


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness survive`."""
    parser.add_argument(
        "predictions", type=Path, metavar="PREDICTIONS",
        help="table with one row a person (.csv, .tsv, .jsonl, .parquet)",
    )  # fmt: skip
    parser.add_argument("--time", metavar="COLUMN", required=True,
                        help="time to the event, or to when the person was last seen; any unit")  # fmt: skip
    parser.add_argument("--event", metavar="COLUMN", required=True,
                        help="whether the event happened: 1 or 0, yes or no, dead or alive")  # fmt: skip
    parser.add_argument(
        "--risk", metavar="COLUMN", required=True,
        help="risk, higher for those who are expected to have the event earlier; a column, or a difference of two such as "
        "predicted_age-age",
    )  # fmt: skip
    parser.add_argument(
        "--adjust", metavar="COLUMNS", default="",
        help="covariates of a second Cox model, separated by commas: columns or differences",
    )  # fmt: skip
    parser.add_argument(
        "--strata", metavar="COLUMNS", default="",
        help="strata of the log-rank test and of the Cox models, separated by commas",
    )  # fmt: skip
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="also write a page with the curves"
    )
    add_overwrite(parser)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def execute(args: argparse.Namespace) -> int:
    """Analyse and print."""
    import json

    from harness.core.blocks import Lines, Note
    from harness.core.errors import HarnessError
    from harness.report.survival_page import survival_page
    from harness.report.survival_tables import survival_blocks, survival_json
    from harness.report.writers.terminal import open_console, print_lines, print_tables
    from harness.run.folder import write_atomically
    from harness.survival.analysis import analyse
    from harness.survival.cohort import read_cohort

    if args.html is not None and args.html.suffix.lower() not in {".html", ".htm"}:
        raise HarnessError(
            f"--html {args.html} does not name a page", hint="name a file that ends in .html"
        )
    refuse_existing(args, args.html, without="without --html")
    cohort = read_cohort(
        args.predictions, time=args.time, event=args.event, risk=args.risk,
        adjust=_names(args.adjust), strata=_names(args.strata),
    )  # fmt: skip
    found = analyse(cohort)
    if args.html is not None:
        write_atomically(args.html, survival_page(found).encode("utf-8", "replace"))
    if args.json:
        print(json.dumps(survival_json(found), ensure_ascii=False, indent=1, allow_nan=False))
        return 0
    console = open_console(sys.stdout)
    for block in survival_blocks(found):
        if isinstance(block, Lines | Note):
            print_lines(console, [block])
        else:
            print_tables(console, [block])
    if args.html is not None:
        print(args.html)
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
