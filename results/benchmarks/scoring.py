"""Processor time and memory of scoring many samples: `python results/benchmarks/scoring.py [--samples N]`.

A table of N made-up answers (seven classes, three in four right, two slices, ten samples a subject) is brought in
and scored, each in a process of its own, so that the peak of one is not that of the other. Processor time, not
time by the clock: it says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
TASK = """\
source: {family: table}
prompts: [emotion/plain]
fields: {emotion: {kind: label, labels: basic-7}}
slices: [gender]
"""


def write(folder: Path, samples: int) -> None:
    """The table and its task."""
    (folder / "task.yaml").write_text(TASK)
    draw = random.Random(0)  # noqa: S311
    with (folder / "answers.csv").open("w") as file:
        file.write("id,gt,said,gender,person\n")
        for i in range(samples):
            truth = draw.choice(NAMES)
            said = truth if draw.random() < 0.75 else draw.choice(NAMES)
            file.write(f"s{i:07},{truth},{said},{('female', 'male')[i % 2]},p{i // 10}\n")


def bring(folder: Path) -> None:
    """The table as a run folder."""
    from harness.imports.columns import PredictionMap
    from harness.imports.predictions import import_predictions
    from harness.run.folder import RunFolder
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace

    place = open_workspace(folder)
    import_predictions(
        folder / "answers.csv",
        load_task(str(folder / "task.yaml"), place, references=False),
        PredictionMap(id="id", truth="gt", answer="said", cluster="person"),
        RunFolder(folder / "run"),
        workspace=place,
        command=["benchmark"],
    )


def score(folder: Path) -> None:
    """Records and scores of that folder."""
    from harness.run.folder import RunFolder
    from harness.score import score_run

    score_run(RunFolder(folder / "run"))


STEPS: dict[str, Callable[[Path], None]] = {"bring": bring, "score": score}


def main() -> None:
    """Both steps for one number of samples, a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        STEPS[asked.step](asked.folder)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = used.ru_utime + used.ru_stime
        print(
            f"| {asked.step} | {asked.samples:,} | {seconds:.0f} s | {used.ru_maxrss / 2**20:.2f} GiB |"
        )
        return
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch), asked.samples)
        print("| step | samples | processor time | peak memory |\n|---|---|---|---|", flush=True)
        for step in STEPS:
            command = [sys.executable, __file__, "--samples", str(asked.samples)]
            subprocess.run([*command, "--step", step, "--folder", scratch], check=True)


if __name__ == "__main__":
    main()
