"""The measurements of `harness bench million`: every step of a run of very many samples, each in a process of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.bench.fixture import IN_FLIGHT, Measured, Stand
from harness.bench.markdown import table
from harness.bench.measured_process import Step
from harness.bench.million_data import PICTURES, write_many
from harness.bench.server import MODEL
from harness.bench.targets import Target, machine, targets_table
from harness.run.folder import RunFolder

WHOLE = 1_000_000
"""Samples at which the targets hold."""
START = 2000
"""Samples of a first run, so that all modules are compiled."""
LEFT_OPEN = IN_FLIGHT
"""Replies and trials that are taken out of the logs before a run is resumed."""
FIRST, LAST = "first request", "last request"


@dataclass(frozen=True, slots=True)
class Size:
    """All steps over so many samples."""

    samples: int
    steps: tuple[Step, ...]
    once: bool
    """Each request was seen exactly once."""
    repeated: int
    """Requests of the resumed run beyond those that were missing."""
    disk: Mapping[str, float]
    """File of the run folder -> MB."""

    def step(self, name: str) -> Step:
        """The step of this name."""
        return next(step for step in self.steps if step.name == name)


def measure(
    stand: Stand, *, samples: int, rounds: int, say: Callable[[str], None] = lambda line: None
) -> tuple[Size, Size]:
    """A tenth of the samples, then all of them, in each round. Raises HarnessError where a command fails."""
    _ = _size(stand, min(START, samples // 10), say=lambda line: None)
    tenths, wholes = list[Size](), list[Size]()
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        tenths.append(_size(stand, samples // 10, say=say))
        wholes.append(_size(stand, samples, say=say))
    return medians(tenths), medians(wholes)


def medians(rounds: Sequence[Size]) -> Size:
    """All rounds over as many samples as one: medians of each step, and the worst of what must hold in each."""
    steps = [
        Step(same[0].name, median(one.cpu for one in same), median(one.peak for one in same))
        for same in zip(*(one.steps for one in rounds), strict=True)
    ]
    return Size(
        rounds[0].samples, tuple(steps), all(one.once for one in rounds),
        max(one.repeated for one in rounds), rounds[-1].disk,
    )  # fmt: skip


def _size(stand: Stand, samples: int, *, say: Callable[[str], None]) -> Size:
    place = stand.fresh(f"many-{samples}")
    task = write_many(place, samples)
    run = place / "run"
    asked = [
        str(task), "--prompts", str(place / "prompts"), "--model", f"openai:{MODEL}@{stand.url}",
    ]  # fmt: skip
    steps: list[Step] = []

    def done(name: str, *words: str) -> Measured:
        say(f"{samples:,} samples: {name}")
        measured = _run(stand, place, *words)
        steps.append(Step(name, measured.spent.cpu, measured.spent.peak))
        return measured

    run_it = [
        "run",
        *asked,
        "--out",
        str(run),
        "--concurrency",
        str(IN_FLIGHT),
        "--no-report",
        "--json",
    ]
    stand.reset()
    done("plan", "plan", *asked, "--out", str(run))
    say(f"{samples:,} samples: execute")
    seen = _asked(stand, place, run_it, samples, steps)
    say(f"{samples:,} samples: resume")
    repeated = _resumed(stand, place, run_it, RunFolder(run), steps)
    done("score", "score", str(run))
    done("report", "report", str(run))
    say(f"{samples:,} samples: view")
    viewed = stand.run(
        "view.log", stand.compiled([sys.executable, "-m", "harness.bench.view_worker", str(run)])
    )
    steps.append(Step("view", viewed.spent.cpu, viewed.spent.peak))
    disk = {
        path.name: path.stat().st_size / 1e6 for path in sorted(run.iterdir()) if path.is_file()
    }
    shutil.rmtree(place)
    return Size(samples, tuple(steps), seen, repeated, disk)  # fmt: skip


def _run(
    stand: Stand, place: Path, *words: str, moments: Mapping[str, Callable[[], bool]] | None = None
) -> Measured:
    command = stand.compiled([sys.executable, "-m", "harness.cli.main", *words])
    inside = ["env", "-C", str(place), *command[1:]]
    return stand.run("many.log", inside, moments=moments or {})


def _asked(stand: Stand, place: Path, command: list[str], samples: int, steps: list[Step]) -> bool:
    """Run from nothing; whether each request was seen once."""
    stand.reset()
    measured = _run(
        stand, place, *command,
        moments={
            FIRST: lambda: int(stand.seen()["requests"]) > 0,
            LAST: lambda: int(stand.seen()["requests"]) >= samples,
        },
    )  # fmt: skip
    marks = measured.spent.marks
    first, last = marks[FIRST], marks[LAST]
    steps += [
        Step("start of a run, until the first request", first.cpu, first.peak),
        Step("execute, from the first request to the last", last.cpu - first.cpu, last.peak),
        Step(
            "rest of the run: score and print", measured.spent.cpu - last.cpu, measured.spent.peak
        ),
    ]
    return int(measured.seen["requests"]) == int(measured.seen["distinct"]) == samples


def _resumed(
    stand: Stand, place: Path, command: list[str], folder: RunFolder, steps: list[Step]
) -> int:
    """Start again a run that lacks its last trials; the requests made beyond those that it lacks."""
    missing = {cut_last(path, LEFT_OPEN) for path in (folder.trials, folder.generations)}
    stand.reset()
    measured = _run(
        stand, place, *command, moments={FIRST: lambda: int(stand.seen()["requests"]) > 0}
    )
    first = measured.spent.marks[FIRST]
    steps += [
        Step("resume, until the first request", first.cpu, first.peak),
        Step("resume, all of it", measured.spent.cpu, measured.spent.peak),
    ]
    return int(measured.seen["requests"]) - max(missing)


def cut_last(log: Path, lines: int) -> int:
    """Take the last lines off a log; how many."""
    size = log.stat().st_size
    with log.open("r+b") as file:
        start = max(0, size - lines * 4096)
        file.seek(start)
        ends = [at + 1 for at, byte in enumerate(file.read()) if byte == 0x0A]
        kept = ends[:-lines]
        file.truncate(start + (kept[-1] if kept else 0))
    return min(lines, len(ends))


def targets(tenth: Size, whole: Size) -> list[Target]:
    """Each bound; none is judged where fewer than a million were measured."""
    execute = "execute, from the first request to the last"
    ratio = _multiple(tenth, whole, execute)
    growth = whole.step(execute).peak - tenth.step(execute).peak
    resume, score = whole.step("resume, until the first request").cpu, whole.step("score").cpu
    peak = max(step.peak for step in whole.steps)
    rows = [
        ("resume: CPU until the first request", "at most 20 s", f"{resume:.1f} s", resume <= 20),
        ("score: CPU", "at most 30 s", f"{score:.1f} s", score <= 30),
        ("peak memory of any step", "at most 1,000 MB", f"{peak:,.0f} MB", peak <= 1000),
        (
            f"execute: peak memory beyond that of {tenth.samples:,} samples",
            "flat (at most 50 MB)",
            f"{growth:,.0f} MB",
            growth <= 50,
        ),
        (
            f"execute: CPU a sample, multiple of that at {tenth.samples:,}",
            "at most 1.25",
            _shown(ratio),
            ratio is not None and ratio <= 1.25,
        ),
        ("each request seen exactly once", "yes", "yes" if whole.once else "no", whole.once),
        ("requests that a resumed run repeats", "0", str(whole.repeated), whole.repeated == 0),
    ]
    judged = whole.samples >= WHOLE
    return [Target(what, asked, got, held if judged else None) for what, asked, got, held in rows]


def markdown(tenth: Size, whole: Size, *, rounds: int) -> str:
    """The page: targets, then what each step took."""
    return "\n\n".join(
        [
            f"# {whole.samples:,} samples",
            f"`harness bench million --samples {whole.samples} --rounds {rounds}`: a table of so many questions about {PICTURES:,} small "
            f"pictures, {IN_FLIGHT} requests in flight, against a server that costs next to nothing; each command in "
            f"a process of its own. Seconds and MB of a step are medians of {rounds}; what must hold is that of the worst "
            f"round.\n\n{machine()}. Seconds are processor time, user and system; memory is the "
            "greatest resident memory of the process so far.",
            "## Targets",
            targets_table(targets(tenth, whole)),
            *(
                []
                if whole.samples >= WHOLE
                else [f"The targets are those of {WHOLE:,} samples; here is only what was measured."]
            ),
            f"## Steps, medians of {rounds}",
            table(
                ("step", *(f"CPU s, {size.samples:,}" for size in (tenth, whole)), "a sample, multiple",
                 *(f"peak MB, {size.samples:,}" for size in (tenth, whole))),
                list(_step_rows(tenth, whole)),
            ),
            "`view` opens the page of the run, its first and last samples, a search and the progress.",
            "## Files",
            table(
                ("file", "MB"),
                [(name, f"{size:,.1f}") for name, size in whole.disk.items() if size >= 0.05],
            ),
        ]
    ) + "\n"  # fmt: skip


def _step_rows(tenth: Size, whole: Size) -> Iterable[tuple[str, ...]]:
    for less, more in zip(tenth.steps, whole.steps, strict=True):
        yield (
            more.name, f"{less.cpu:.2f}", f"{more.cpu:.2f}", _shown(_multiple(tenth, whole, more.name)),
            f"{less.peak:,.0f}", f"{more.peak:,.0f}",
        )  # fmt: skip


def _multiple(tenth: Size, whole: Size, step: str) -> float | None:
    """CPU a sample over all samples / over a tenth; None where the tenth took less than the clock shows."""
    less, more = tenth.step(step).cpu, whole.step(step).cpu
    return (more / whole.samples) / (less / tenth.samples) if less else None


def _shown(ratio: float | None) -> str:
    return "too short to tell" if ratio is None else f"{ratio:.2f}"


def as_dict(tenth: Size, whole: Size) -> dict[str, Any]:
    """Everything measured."""
    return {"sizes": [asdict(tenth), asdict(whole)]}
