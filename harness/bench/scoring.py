"""The measurements of `harness bench scoring`: a run of many samples scored, beside the least that a scorer does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from harness.bench.markdown import table
from harness.bench.measured_process import Spent, Step, spend
from harness.bench.scoring_worker import CLUSTERS, DRAWS, RESAMPLED
from harness.bench.targets import Target, machine, targets_table
from harness.core.errors import HarnessError

WHOLE = 1_000_000
"""Samples at which the target of scoring holds."""


@dataclass(frozen=True, slots=True)
class Scored:
    """All that was measured."""

    samples: int
    rounds: int
    bring: Step
    """Once."""
    score: Step
    bare: Step
    resample: Step

    @property
    def ratio(self) -> float:
        """CPU of scoring over that of the bare reader."""
        return self.score.cpu / self.bare.cpu


def measure(*, samples: int, rounds: int, say: Callable[[str], None] = lambda line: None) -> Scored:
    """Bring answers in once, then score, read barely and resample in turn. Raises HarnessError where a step fails."""
    with TemporaryDirectory(prefix="harness-bench-") as place:
        folder = Path(place)
        say(f"{samples:,} samples: bring in")
        brought = _step(folder, "bring", samples)
        spent: dict[str, list[Spent]] = {"score": [], "bare": [], "resample": []}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for name, done in spent.items():
                done.append(_step(folder, name, samples))
    steps = {
        name: Step(name, median(one.cpu for one in done), median(one.peak for one in done))
        for name, done in spent.items()
    }
    return Scored(samples, rounds, Step("bring", brought.cpu, brought.peak), **steps)


def _step(folder: Path, name: str, samples: int) -> Spent:
    command = [
        sys.executable,
        "-m",
        "harness.bench.scoring_worker",
        name,
        str(folder),
        str(samples),
    ]
    if name == "score":
        command = [sys.executable, "-m", "harness.cli.main", "score", str(folder / "run")]
    log = folder / "steps.log"
    kept = f"PYTHONPYCACHEPREFIX={folder / 'compiled'}"  # so that no step but the first of its kind compiles
    spent = spend(["env", "-u", "PYTHONDONTWRITEBYTECODE", kept, *command], folder=folder, log=log)
    if spent.status:
        said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise HarnessError(f"the step {name} ended with status {spent.status}: {said}")
    return spent


def targets(found: Scored) -> list[Target]:
    """Each bound; those of a million samples are judged there alone."""
    judged = found.samples >= WHOLE
    score = f"{found.score.cpu:.1f} s"
    peak = max(found.score.peak, found.bring.peak)
    return [
        Target(f"scoring {found.samples:,} samples: CPU", f"under 30 s at {WHOLE:,}", score, found.score.cpu < 30 if judged else None),
        Target("peak memory of any step", f"at most 1,000 MB at {WHOLE:,}", f"{peak:,.0f} MB", peak <= 1000 if judged else None),
        Target(
            f"{DRAWS:,} resamples of {RESAMPLED:,} samples in {CLUSTERS:,} clusters: CPU", "within 5 s",
            f"{found.resample.cpu:.1f} s", found.resample.cpu <= 5,
        ),
    ]  # fmt: skip


def markdown(found: Scored) -> str:
    """The page."""
    return "\n\n".join(
        [
            "# Cost of scoring many samples",
            f"`harness bench scoring --samples {found.samples} --rounds {found.rounds}`: {found.samples:,} made-up answers "
            "(seven classes, two slices, ten samples a subject) are brought in and scored. The bare reader parses both logs "
            "with orjson, finds each reply by its key and counts the right ones: no intervals, baselines, slices or records.\n\n"
            f"{machine()}. Seconds are processor time, user and system, start included; "
            f"medians of {found.rounds}, bringing in once. Each step has a process of its own.",
            targets_table(targets(found)),
            table(("step", "CPU s", "µs a sample", "x bare", "peak MB"), list(_rows(found))),
        ]
    ) + "\n"  # fmt: skip


def _rows(found: Scored) -> Iterator[tuple[str, ...]]:
    for step in (found.bring, found.score, found.bare, found.resample):
        own = step.name != "resample"
        each = f"{step.cpu / found.samples * 1e6:.1f}" if own else "-"
        ratio = f"{step.cpu / found.bare.cpu:.1f}" if own else "-"
        yield step.name, f"{step.cpu:.2f}", each, ratio, f"{step.peak:,.0f}"


def as_dict(found: Scored) -> dict[str, Any]:
    """Everything measured."""
    return {**asdict(found), "x_bare": found.ratio}
