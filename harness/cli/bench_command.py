"""`harness bench`: measure the client's own cost on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROUNDS = 5
SCORED = 100_000
"""Samples of `bench scoring`."""
LEAST = 1000
"""Fewest samples of `bench million`."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness bench`."""
    from harness.cli.numbers import positive

    parser.add_argument(
        "what", choices=["client", "sweep", "scoring", "million"],
        help="client: send requests to a local test server; sweep: many prompts of each picture in place, with sharing and "
        "without; scoring: a run of many samples scored; million: every step of a run of very many samples",
    )  # fmt: skip
    parser.add_argument(
        "--requests",
        metavar="N",
        type=positive,
        help="client: number of requests per run. Default: 2000",
    )
    parser.add_argument(
        "--samples", metavar="N", type=positive,
        help="scoring, million: number of samples; million measures a tenth of them first. Default: 100000, 1000000 (half an "
        "hour)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", metavar="N", type=positive,
        help="number of runs per client, or rounds of a sweep or of scoring; medians are shown. Default: 5",
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

    measure = {"client": _client, "sweep": _sweep, "scoring": _scoring, "million": _million}[
        args.what
    ]
    page, found, held = measure(args)
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

    refuse_unused("with bench sweep", {**_of_client(args), "--samples": args.samples})
    rounds = args.rounds or ROUNDS
    found = measure(rounds=rounds, say=_say)
    held = all(held for *_, held in targets(found))
    return markdown(found, rounds=rounds), as_json(found), held


def _scoring(args: argparse.Namespace) -> tuple[str, dict[str, Any], bool]:
    """The page, everything as JSON, and whether no target is missed."""
    from harness.bench.scoring import as_json, markdown, measure, targets
    from harness.core.errors import refuse_unused

    refuse_unused("with bench scoring", _of_client(args))
    samples, rounds = args.samples or SCORED, args.rounds or ROUNDS
    found = measure(samples=samples, rounds=rounds, say=_say)
    held = not any(held is False for *_, held in targets(found))
    return markdown(found), as_json(found), held


def _million(args: argparse.Namespace) -> tuple[str, dict[str, Any], bool]:
    """The page, everything as JSON, and whether no target is missed."""
    from harness.bench.fixture import open_stand
    from harness.bench.million import WHOLE, as_json, markdown, measure, targets
    from harness.core.errors import HarnessError, refuse_unused

    refuse_unused("with bench million", {**_of_client(args), "--rounds": args.rounds})
    samples = args.samples or WHOLE
    if samples < LEAST:
        raise HarnessError(
            f"--samples {samples}: too few", hint=f"measure at least {LEAST:,}, and a tenth of them"
        )
    with open_stand() as stand:
        sizes = measure(stand, samples=samples, say=_say)
    return markdown(*sizes), as_json(*sizes), not any(held is False for *_, held in targets(*sizes))


def _of_client(args: argparse.Namespace) -> dict[str, Any]:
    """The options that only `bench client` has."""
    return {"--requests": args.requests, "--large": args.large, "--peers": args.peers}


def _client(args: argparse.Namespace) -> tuple[str, dict[str, Any], bool]:
    """The page, everything as JSON, and whether all targets are held."""
    from harness.bench.client import as_json, measure, targets
    from harness.bench.fixture import open_stand
    from harness.bench.page import markdown
    from harness.core.errors import refuse_unused

    refuse_unused("with bench client", {"--samples": args.samples})
    with open_stand() as stand:
        findings = measure(
            stand,
            requests=args.requests or 2000,
            rounds=args.rounds or ROUNDS,
            large=args.large or 0,
            peers=args.peers,
            say=_say,
        )
    held = all(held for *_, held in targets(findings))
    return markdown(findings), as_json(findings), held
