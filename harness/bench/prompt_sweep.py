"""The measurements of `harness bench sweep`: 16 prompts of each picture, with sharing and without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from harness.bench.markdown import table
from harness.bench.sweep_cases import CASES, Case
from harness.bench.targets import Target
from harness.core.errors import HarnessError

WAYS = ("unshared", "shared")


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a sweep."""

    cpu: float
    """Seconds of the process in a round, the median; pictures are decoded and processed in it, the model is loaded
    before."""
    encoded: int
    """Pictures that went through the vision model, in a round."""
    prompt_tokens: int
    shared_tokens: int
    peak: float
    """Greatest resident memory of the process, MB (10^6 bytes)."""


@dataclass(frozen=True, slots=True)
class Swept:
    """One case, both ways."""

    name: str
    picture_tokens: int
    requests: int
    unshared: Way
    shared: Way
    equal: int
    """Replies of the last round with the same text."""
    state: str
    """What was shared, in words."""

    @property
    def case(self) -> Case:
        return CASES[self.name]

    @property
    def ratio(self) -> float:
        """CPU without sharing over CPU with it."""
        return self.unshared.cpu / self.shared.cpu


def measure(*, rounds: int, say: Callable[[str], None] = lambda line: None) -> tuple[Swept, ...]:
    """Measure all cases. Raises HarnessError where a process fails."""
    found = []
    for name in CASES:
        say(CASES[name].title)
        told = {way: _told(name, way, rounds) for way in WAYS}
        plain, shared = told["unshared"], told["shared"]
        found.append(
            Swept(
                name, shared["picture_tokens"], len(shared["texts"]), _way(plain), _way(shared),
                sum(a == b for a, b in zip(plain["texts"], shared["texts"], strict=True)),
                shared["state"],
            )
        )  # fmt: skip
    return tuple(found)


def _told(name: str, way: str, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "harness.bench.sweep_worker", name, way, str(rounds)]
    done = subprocess.run(  # noqa: S603 (our own)
        ["env", "OMP_NUM_THREADS=1", *command],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    if told is None or told["failed"]:
        raise HarnessError(
            f"{' '.join(command[1:])} failed: {done.stderr[-2000:] if told is None else told['failed']}",
            hint="run it by hand",
        )
    return dict(told)


def _way(told: dict[str, Any]) -> Way:
    return Way(
        median(told["times"]), told["encoded"], told["prompt_tokens"], told["shared_tokens"], told["peak"]
    )  # fmt: skip


def targets(found: Iterable[Swept]) -> list[Target]:
    """The bounds of each ratio that is asked for, and equal replies."""
    rows = []
    for one in found:
        if one.case.asked is not None:
            rows.append(
                Target(
                    f"CPU without sharing over CPU with it: {one.case.title}",
                    f"at least {one.case.asked:g}", f"{one.ratio:.2f}", one.ratio >= one.case.asked,
                )
            )  # fmt: skip
        rows.append(
            Target(
                f"replies with the same text: {one.case.title}",
                f"{one.requests}", f"{one.equal}", one.equal == one.requests,
            )
        )  # fmt: skip
    return rows


def as_dict(found: Iterable[Swept]) -> dict[str, Any]:
    """Everything measured."""
    return {"cases": [{**asdict(one), "ratio": one.ratio} for one in found]}


def sections(found: Iterable[Swept], *, rounds: int) -> list[str]:
    """The parts of the page that concern a model in this process."""
    cases = tuple(found)
    rows = [
        (
            one.case.title, str(one.picture_tokens), str(one.case.reply), f"{way.cpu:.2f}",
            f"{one.ratio:.2f}" if way is one.shared else "1", f"{way.encoded:,}",
            f"{way.prompt_tokens - way.shared_tokens:,}", f"{way.shared_tokens:,}", f"{way.peak:.0f}",
            "shared" if way is one.shared else "unshared",
        )
        for one in cases
        for way in (one.unshared, one.shared)
    ]  # fmt: skip
    return [
        "## In place",
        "affect-tiny (in float32, by transformers), 16 prompts of each picture, blocks "
        "of 64 requests and batches of at most 16, as a run makes them. Each way has a process of its own, one thread of torch, "
        "and new pictures in each round. CPU is that of the process (user and system), not time on the clock, since other work "
        "may be done on the machine meanwhile; decoding and processing of pictures are part of it, loading of the model is not. "
        "Ratios depend on the share of decoding, which is not shared: long replies make them smaller.",
        f"Medians of {rounds}:",
        table(
            ("sweep", "tokens of a picture", "most reply tokens", "CPU s a round", "ratio", "pictures encoded",
             "prompt tokens read", "prompt tokens shared", "peak MB", "way"),
            rows,
        ),
        "Peak memory is that of the whole process, the model and torch included.",
    ]  # fmt: skip
