"""`harness bench`: measure what a run costs on this machine besides the model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.bench.targets import Target

ROUNDS = 5
REQUESTS = 2000
SCORED = 100_000
"""Samples of `bench scoring`."""
LEAST = 1000
"""Fewest samples of `bench million`."""
Found = tuple[str, dict[str, Any], "list[Target]"]
"""The page, all that was measured, and the targets."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness bench`."""
    from harness.cli.numbers import positive

    parser.add_argument(
        "what", choices=["client", "sweep", "scoring", "million"],
        help="client: send requests to a local test server; sweep: many prompts of each picture, in place with sharing and "
        "without, and on servers in two orders; scoring: a run of many samples scored; million: every step of a run of very "
        "many samples. Each shows ratios and peak memory, as medians of its rounds",
    )  # fmt: skip
    parser.add_argument(
        "--requests",
        metavar="N",
        type=positive,
        help=f"client: number of requests per run. Default: {REQUESTS}",
    )
    parser.add_argument(
        "--samples", metavar="N", type=positive,
        help="scoring, million: number of samples; million measures a tenth of them first. Default: 100000, 1000000 (half an "
        "hour for each round)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", metavar="N", type=positive,
        help=f"number of rounds, whose medians are shown. Default: {ROUNDS}",
    )  # fmt: skip
    parser.add_argument(
        "--large", metavar="N", type=positive,
        help="client: also send N requests once, to measure memory in a long run (50000 needs 750 MB of disk)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", metavar="DIR", type=Path,
        help="client: folder with one virtual environment per tool to compare with: DIR/inspect-ai, DIR/lmms-eval",
    )  # fmt: skip
    parser.add_argument(
        "--vllm-python", metavar="PYTHON",
        help="sweep: also start vLLM twice, with small caches and with ample ones, by the Python interpreter of its "
        "environment",
    )  # fmt: skip
    parser.add_argument(
        "--server", metavar="MODEL", action="append", default=[],
        help="sweep: also ask a running server, such as openai:NAME@http://127.0.0.1:8000. Repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--allow-remote", metavar="HOST", action="append", default=[],
        help="sweep: allow drawn pictures to be sent to this host. Repeatable. Default: only this machine",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--out", metavar="PATH", type=Path,
        help="also write the results as Markdown, to this file, or into this folder as client.md, sweep.md, scoring.md or "
        "million.md; an earlier page is replaced",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Measure and print; 1 where a target is missed."""
    import json

    from harness.bench.targets import as_json, none_missed
    from harness.core.errors import refuse_unused
    from harness.run.folder import write_atomically

    measure = {"client": _client, "sweep": _sweep, "scoring": _scoring, "million": _million}[
        args.what
    ]
    refuse_unused(f"with bench {args.what}", _of_others(args))
    rounds = args.rounds or ROUNDS
    out = _page(args.out, args.what)
    page, found, targets = measure(args, rounds)
    if out is not None:
        write_atomically(out, page.encode("utf-8"))
    told = as_json(args.what, rounds=rounds, targets=targets, found=found)
    print(json.dumps(told, indent=1) if args.json else page)
    return 0 if none_missed(targets) else 1


def _of_others(args: argparse.Namespace) -> dict[str, Any]:
    """The options that only other benchmarks have."""
    owners = {
        "--requests": ("client",), "--large": ("client",), "--peers": ("client",), "--samples": ("scoring", "million"),
        "--vllm-python": ("sweep",), "--server": ("sweep",), "--allow-remote": ("sweep",),
    }  # fmt: skip
    return {
        option: getattr(args, option[2:].replace("-", "_"))
        for option, benchmarks in owners.items()
        if args.what not in benchmarks
    }


def _page(out: Path | None, what: str) -> Path | None:
    """The file to write. Raises HarnessError, before anything is measured, where it is neither a page nor a folder."""
    from harness.core.errors import HarnessError
    from harness.run.folder import write_error

    if out is None:
        return None
    path = out if out.suffix else out / f"{what}.md"
    if path.suffix != ".md":
        raise HarnessError(
            f"--out {out} is not a Markdown file", hint="name a .md file, or a folder"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from None
    return path


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _sweep(args: argparse.Namespace, rounds: int) -> Found:
    from harness.bench import prompt_sweep, server_sweep
    from harness.bench.sweep_page import markdown
    from harness.core.errors import HarnessError, refuse_unused

    if not args.server:
        refuse_unused("without --server", {"--allow-remote": args.allow_remote})
    if args.vllm_python is not None and not Path(args.vllm_python).is_file():
        raise HarnessError(
            f"--vllm-python {args.vllm_python} is not there",
            hint="name the Python interpreter of the environment that has vLLM",
        )
    servers = []
    for spec in args.server:
        servers.append(
            server_sweep.measure_running(
                spec, allow_remote=args.allow_remote, rounds=rounds, say=_say
            )
        )
    if args.vllm_python is not None:
        servers += server_sweep.measure_started(args.vllm_python, rounds=rounds)
    cases = prompt_sweep.measure(rounds=rounds, say=_say)
    found = {**prompt_sweep.as_dict(cases), **server_sweep.as_dict(servers)}
    targets = [*prompt_sweep.targets(cases), *server_sweep.targets(servers)]
    page = markdown(cases, servers, rounds=rounds, own=args.server, started=bool(args.vllm_python))
    return page, found, targets


def _scoring(args: argparse.Namespace, rounds: int) -> Found:
    from harness.bench.scoring import as_dict, markdown, measure, targets

    found = measure(samples=args.samples or SCORED, rounds=rounds, say=_say)
    return markdown(found), as_dict(found), targets(found)


def _million(args: argparse.Namespace, rounds: int) -> Found:
    from harness.bench.fixture import open_stand
    from harness.bench.million import WHOLE, as_dict, markdown, measure, targets
    from harness.core.errors import HarnessError

    samples = args.samples or WHOLE
    if samples < LEAST:
        raise HarnessError(
            f"--samples {samples}: too few", hint=f"measure at least {LEAST:,}, and a tenth of them"
        )
    with open_stand() as stand:
        sizes = measure(stand, samples=samples, rounds=rounds, say=_say)
    return markdown(*sizes, rounds=rounds), as_dict(*sizes), targets(*sizes)


def _client(args: argparse.Namespace, rounds: int) -> Found:
    from dataclasses import asdict

    from harness.bench.client import measure, targets
    from harness.bench.fixture import open_stand
    from harness.bench.page import markdown
    from harness.bench.peers import PEERS, installed
    from harness.core.errors import HarnessError

    if args.peers is not None and not installed(args.peers):
        raise HarnessError(
            f"--peers {args.peers} holds no environment of another tool",
            hint=f"make one there with the tool in it: {' or '.join(str(args.peers / name) for name in PEERS)}",
        )
    with open_stand() as stand:
        findings = measure(
            stand,
            requests=args.requests or REQUESTS,
            rounds=rounds,
            large=args.large or 0,
            peers=args.peers,
            say=_say,
        )
    return markdown(findings), asdict(findings), targets(findings)
