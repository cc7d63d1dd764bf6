"""The measurements of `harness bench client`, in one run on one machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness.bench.fixture import IN_FLIGHT, Measured, Stand
from harness.bench.peers import installed, run_peer
from harness.bench.server import FAULTS
from harness.bench.targets import Target
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.run.log import read_log

LATENCIES = (0.0, 0.05)
"""Seconds before the server replies."""
FAULT_SHARE = 0.05
FAULTED = 400
"""Most pictures of the runs with faults."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A client over the same pictures, several times: medians."""

    client: str
    latency: float
    requests: int
    cpu_per_1000: float
    """Seconds, start and end of the process included."""
    rate: float
    """Requests a second between the first and the last reply."""
    peak: float
    """MB."""
    once: bool
    """In every round each picture was asked about exactly once."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run killed (SIGKILL) half-way and started again."""

    requests: int
    kept: int
    """Replies on disk after the kill."""
    repeated_finished: int
    """Requests made again although their reply was on disk."""
    repeated: int
    """Requests that the server saw twice: they were in flight."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A run in which a share of the pictures met each fault."""

    lasting: bool
    pictures: int
    met: Mapping[str, int]
    """Fault -> replies that were one."""
    outcomes: Mapping[str, int]
    """Outcome -> trials."""
    kept: int
    """Replies on disk."""
    valued: int
    """Trials without an answer that carry a value all the same: scored, though they must not be."""


@dataclass(frozen=True, slots=True)
class ClientMeasurements:
    """All that was measured."""

    costs: tuple[Cost, ...]
    rounds: int
    resumed: Resumed
    faulted: tuple[Faulted, ...]
    large: Cost | None
    """Ours over many more pictures, once."""
    peers: tuple[Cost, ...] = ()
    """Other tools, once each."""


def measure(
    stand: Stand,
    *,
    requests: int,
    rounds: int,
    large: int,
    peers: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> ClientMeasurements:
    """Measure everything; `large` pictures for the memory of a long run, 0 for none; `peers` holds environments.

    Raises HarnessError where a client fails that should not.
    """
    table = stand.pictures(requests)
    stand.reset()
    stand.ours(table, stand.fresh("run"), "--limit", "5")  # so that all modules are compiled
    costs = _costs(stand, requests, rounds, say)
    say("killed half-way")
    resumed = _resumed(stand, requests)
    faulted = []
    for lasting in (False, True):
        say(f"faults, {'lasting' if lasting else 'passing'}")
        faulted.append(_faulted(stand, min(requests, FAULTED), lasting=lasting))
    longest = None
    if large:
        say(f"{large:,} requests")
        stand.reset()
        done = stand.ours(stand.pictures(large), stand.fresh("run"))
        longest = _cost("ours", 0.0, large, [done])
    others = [] if peers is None else _others(stand, peers, requests, say)
    return ClientMeasurements(tuple(costs), rounds, resumed, tuple(faulted), longest, tuple(others))


def _others(stand: Stand, peers: Path, requests: int, say: Callable[[str], None]) -> Iterator[Cost]:
    for name in installed(peers):
        for latency in LATENCIES:
            say(f"{name}, {latency * 1000:g} ms")
            stand.reset(latency=latency)
            done = run_peer(name, peers, stand, stand.pictures(requests))
            yield _cost(name, latency, requests, [done])


def _costs(stand: Stand, requests: int, rounds: int, say: Callable[[str], None]) -> list[Cost]:
    """Both clients in turn, so that whatever else the machine does meets both."""
    table = stand.pictures(requests)
    runs: dict[tuple[str, float], list[Measured]] = {}
    for number in range(rounds):
        for latency in LATENCIES:
            say(f"round {number + 1} of {rounds}, {latency * 1000:g} ms")
            stand.reset(latency=latency)
            runs.setdefault(("bare aiohttp", latency), []).append(stand.bare(table))
            stand.reset(latency=latency)
            ours = stand.ours(table, stand.fresh("run"))
            runs.setdefault(("ours", latency), []).append(ours)
    return [_cost(client, latency, requests, done) for (client, latency), done in runs.items()]


def _cost(client: str, latency: float, requests: int, runs: list[Measured]) -> Cost:
    return Cost(
        client,
        latency,
        requests,
        cpu_per_1000=median(run.spent.cpu for run in runs) * 1000 / requests,
        rate=median(run.rate for run in runs),
        peak=median(run.spent.peak for run in runs),
        once=all(
            (run.seen["requests"], run.seen["distinct"]) == (requests, requests) for run in runs
        ),
    )


def _resumed(stand: Stand, requests: int) -> Resumed:
    table, out = stand.pictures(requests), stand.fresh("run")
    stand.reset(latency=0.02)
    stand.ours(table, out, kill_when=lambda: int(stand.seen()["requests"]) >= requests // 2)
    before = int(stand.seen()["requests"])
    kept = sum(1 for _ in read_log(RunFolder(out).generations))
    after = stand.ours(table, out).seen
    again = int(after["requests"]) - before
    return Resumed(requests, kept, again - (requests - kept), int(after["repeated"]))


def _faulted(stand: Stand, pictures: int, *, lasting: bool) -> Faulted:
    out = stand.fresh("run")
    stand.reset(faults=dict.fromkeys(FAULTS, FAULT_SHARE), lasting=lasting, retry_after=0.2)
    giving_up = ("--timeout", "3", "--give-up-after", "5", "--max-error-rate", "1")
    done = stand.ours(stand.pictures(pictures), out, *giving_up)
    rows = [
        row for row in read_table(RunFolder(out).records) if str(row["model"]).startswith("openai:")
    ]
    return Faulted(
        lasting,
        pictures,
        met=dict(done.seen["faulted"]),
        outcomes=dict(Counter(str(row["outcome"]) for row in rows)),
        kept=sum(1 for _ in read_log(RunFolder(out).generations)),
        valued=sum(row["outcome"] != "answered" and row["value"] is not None for row in rows),
    )


def targets(findings: ClientMeasurements) -> list[Target]:
    """Each bound that the client is held to."""
    by = {(cost.client, cost.latency): cost for cost in findings.costs}
    bare, ours = by["bare aiohttp", 0.0], by["ours", 0.0]
    ratio = ours.cpu_per_1000 / bare.cpu_per_1000
    share = by["ours", LATENCIES[1]].rate / by["bare aiohttp", LATENCIES[1]].rate
    lasting = findings.faulted[-1]
    unkept = lasting.pictures - lasting.kept
    failed = lasting.outcomes.get("failed", 0)
    rows = [
        Target("CPU, multiple of the bare client's", "at most 1.8", f"{ratio:.2f}", ratio <= 1.8),
        Target("requests/s at 50 ms, share of the bare client's", "at least 0.95", f"{share:.2f}", share >= 0.95),
        Target("each request seen exactly once", "yes", _word(ours.once), ours.once),
        Target("peak memory", "at most 150 MB", f"{ours.peak:.0f} MB", ours.peak <= 150),
        Target("finished requests repeated after a kill", "0", str(findings.resumed.repeated_finished),
               findings.resumed.repeated_finished == 0),
        Target("requests repeated after a kill (in flight)", f"at most {IN_FLIGHT}",
               str(findings.resumed.repeated), findings.resumed.repeated <= IN_FLIGHT),
        Target("lasting faults: failed trials, and how many were kept as replies", "all, 0",
               f"{failed}, {failed - unkept}", failed == unkept > 0),
        Target("trials without an answer that carry a value", "0",
               str(sum(f.valued for f in findings.faulted)), not any(f.valued for f in findings.faulted)),
    ]  # fmt: skip
    if findings.large is not None:
        at, more = f"{findings.large.requests:,} requests", findings.large.peak - ours.peak
        grown = findings.large.cpu_per_1000 / bare.cpu_per_1000
        rows += [
            Target(f"CPU a request at {at}, multiple of the bare client's at {bare.requests:,}", "at most 1.15",
                   f"{grown:.2f}", grown <= 1.15),
            Target(f"extra peak memory at {at}", "at most 20 MB", f"{more:.0f} MB", more <= 20),
        ]  # fmt: skip
    return rows


def _word(held: bool) -> str:
    return "yes" if held else "no"
