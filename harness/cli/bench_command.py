"""`harness bench`: measure the client's own cost on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness bench`."""
    from harness.cli.numbers import positive

    parser.add_argument(
        "what", choices=["client"], help="client: send requests to a local test server"
    )
    parser.add_argument(
        "--requests",
        metavar="N",
        type=positive,
        default=2000,
        help="number of requests per run. Default: 2000",
    )
    parser.add_argument(
        "--rounds", metavar="N", type=positive, default=5,
        help="number of runs per client, in turns; medians are shown. Default: 5",
    )  # fmt: skip
    parser.add_argument(
        "--large", metavar="N", type=positive,
        help="also send N requests once, to measure memory in a long run (50000 needs 750 MB of disk)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", metavar="DIR", type=Path,
        help="folder with one virtual environment per tool to compare with: DIR/inspect-ai, DIR/lmms-eval",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="also write the results to FILE, as Markdown"
    )


def execute(args: argparse.Namespace) -> int:
    """Measure and print; 1 where a target is missed."""
    import json

    from harness.bench.client import as_json, measure, targets
    from harness.bench.fixture import open_stand
    from harness.bench.page import markdown

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with open_stand() as stand:
        findings = measure(
            stand,
            requests=args.requests,
            rounds=args.rounds,
            large=args.large or 0,
            peers=args.peers,
            say=say,
        )
    page = markdown(findings)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(page, encoding="utf-8")
    print(json.dumps(as_json(findings), indent=1) if args.json else page)
    return 0 if all(held for *_, held in targets(findings)) else 1
