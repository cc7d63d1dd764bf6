"""`harness bench`: measure the client's own cost on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness bench`."""
    from harness.cli.numbers import positive

    parser.add_argument(
        "what", choices=["client", "sweep"],
        help="client: send requests to a local test server; sweep: many prompts of each picture in place, with sharing and "
        "without",
    )  # fmt: skip
    parser.add_argument(
        "--requests",
        metavar="N",
        type=positive,
        help="client: number of requests per run. Default: 2000",
    )
    parser.add_argument(
        "--rounds", metavar="N", type=positive, default=5,
        help="number of runs per client, or rounds of a sweep; medians are shown. Default: 5",
    )  # fmt: skip
    parser.add_argument(
        "--large", metavar="N", type=positive,
        help="client: also send N requests once, to measure memory in a long run (50000 needs 750 MB of disk)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", metavar="DIR", type=Path,
        help="client: folder with one virtual environment per tool to compare with: DIR/inspect-ai, DIR/lmms-eval",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="also write the results to FILE, as Markdown"
    )


def execute(args: argparse.Namespace) -> int:
    """Measure and print; 1 where a target is missed."""
    import json

    page, found, held = (_sweep if args.what == "sweep" else _client)(args)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(page, encoding="utf-8")
    print(json.dumps(found, indent=1) if args.json else page)
    return 0 if held else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _sweep(args: argparse.Namespace) -> tuple[str, dict[str, Any], bool]:
    """The page, everything as JSON, and whether all targets are held."""
    from harness.bench.prompt_sweep import as_json, markdown, measure, targets
    from harness.core.errors import refuse_unused

    refuse_unused(
        "with bench sweep",
        {"--requests": args.requests, "--large": args.large, "--peers": args.peers},
    )
    found = measure(rounds=args.rounds, say=_say)
    held = all(held for *_, held in targets(found))
    return markdown(found, rounds=args.rounds), as_json(found), held


def _client(args: argparse.Namespace) -> tuple[str, dict[str, Any], bool]:
    """The page, everything as JSON, and whether all targets are held."""
    from harness.bench.client import as_json, measure, targets
    from harness.bench.fixture import open_stand
    from harness.bench.page import markdown

    with open_stand() as stand:
        findings = measure(
            stand,
            requests=args.requests or 2000,
            rounds=args.rounds,
            large=args.large or 0,
            peers=args.peers,
            say=_say,
        )
    held = all(held for *_, held in targets(findings))
    return markdown(findings), as_json(findings), held
