"""The measurements as Markdown, for a file or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.bench.client import ClientMeasurements, Cost, Faulted, targets
from harness.bench.fixture import IN_FLIGHT
from harness.bench.markdown import table
from harness.bench.targets import machine, targets_table


def markdown(findings: ClientMeasurements) -> str:
    """The page: targets, costs, the kill, the faults."""
    parts = [
        "# Cost of the client",
        _how(findings),
        "## Targets",
        targets_table(targets(findings)),
        f"## Cost, medians of {findings.rounds}",
        table(
            ("client", "latency ms", "requests", "CPU s per 1,000", "x bare", "requests/s", "peak MB", "each once"),
            [_cost_row(cost, findings.costs) for cost in _all(findings)],
        ),
        "CPU is that of the whole process, start included. Requests/s are measured from the first request to "
        "the last reply at the server.",
        "## Killed during a run and started again",
        _resumed(findings),
        "## Faults",
        table(
            ("each fault meets", "pictures", "server replied with", "outcomes of the trials", "replies kept"),
            [_fault_row(faulted) for faulted in findings.faulted],
        ),
        "A lasting fault fails its trial (`failed`: no reply is kept or scored), except an empty reply, which "
        "counts as a reply (`empty`). The time limit for a hanging server is 3 s.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _how(findings: ClientMeasurements) -> str:
    requests = findings.costs[0].requests
    return (
        f"`harness bench client --requests {requests} --rounds {findings.rounds}`: {requests:,} requests with one 224 x 224 JPEG of about 15 kB "
        f"each, {IN_FLIGHT} in flight, {findings.rounds} rounds in which the clients take turns, against a server "
        f"that costs next to nothing. Ours does all that a run does (plan, render, hash, journal, parse, score) but "
        f"the page; the bare client reads the file, posts it with aiohttp and counts the hits.\n\n"
        f"{machine('aiohttp')}. Ratios transfer to other machines; seconds do not."
    )


def _all(findings: ClientMeasurements) -> Iterable[Cost]:
    return (*findings.costs, *findings.peers, *((findings.large,) if findings.large else ()))


def _cost_row(cost: Cost, costs: Sequence[Cost]) -> tuple[str, ...]:
    bare = next(c for c in costs if c.client == "bare aiohttp" and c.latency == cost.latency)
    return (
        cost.client,
        f"{cost.latency * 1000:g}",
        f"{cost.requests:,}",
        f"{cost.cpu_per_1000:.2f}",
        f"{cost.cpu_per_1000 / bare.cpu_per_1000:.2f}",
        f"{cost.rate:,.0f}",
        f"{cost.peak:.0f}",
        "yes" if cost.once else "no",
    )


def _resumed(findings: ClientMeasurements) -> str:
    done = findings.resumed
    return (
        f"SIGKILL at request {done.requests // 2:,} of {done.requests:,}: {done.kept:,} replies were on disk. The same "
        f"command then repeated {done.repeated_finished} of these, and {done.repeated} requests that had been in flight."
    )


def _fault_row(faulted: Faulted) -> tuple[str, ...]:
    return (
        "every attempt" if faulted.lasting else "the first attempt",
        str(faulted.pictures),
        _counts(faulted.met),
        _counts(faulted.outcomes),
        str(faulted.kept),
    )


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
