"""`harness bench`: what the client itself costs on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness bench`."""
    from harness.cli.options import positive

    parser.add_argument("what", choices=["client"], help="client: requests to a server of its own")
    parser.add_argument(
        "--requests", metavar="N", type=positive, default=2000, help="requests of each run (2000)"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=positive, default=5,
        help="runs of each client, taking turns; medians are shown (5)",
    )  # fmt: skip
    parser.add_argument(
        "--large", metavar="N", type=positive,
        help="also N requests once, for the memory of a long run (50000 takes 750 MB of disk)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", metavar="DIR", type=Path,
        help="folder with one virtual environment for each other tool to measure beside (DIR/inspect-ai, "
        "DIR/lmms-eval)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="also write the page as Markdown to FILE"
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
