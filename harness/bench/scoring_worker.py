"""One step of `harness bench scoring`, in a process of its own: `python -m harness.bench.scoring_worker STEP FOLDER SAMPLES`."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

from harness.bench.server import WORDS

TASK = """\
source: {family: table}
prompts: [emotion/plain]
fields: {emotion: {kind: label, labels: basic-7}}
slices: [gender]
"""
DRAWS, RESAMPLED, CLUSTERS = 10_000, 100_000, 10_000
"""Resamples, samples and clusters of the step `resample`."""


def bring(folder: Path, samples: int) -> None:
    """A table of made-up answers (seven classes, three in four right, two slices, ten samples a subject) as a run folder."""
    from harness.imports.columns import PredictionMap
    from harness.imports.predictions import import_predictions
    from harness.run.folder import RunFolder
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace

    (folder / "task.yaml").write_text(TASK, encoding="utf-8")
    draw = random.Random(0)  # noqa: S311
    with (folder / "answers.csv").open("w", encoding="utf-8") as file:
        file.write("id,gt,said,gender,person\n")
        for i in range(samples):
            truth = draw.choice(WORDS)
            said = truth if draw.random() < 0.75 else draw.choice(WORDS)
            file.write(f"s{i:07},{truth},{said},{('female', 'male')[i % 2]},p{i // 10}\n")
    place = open_workspace(folder)
    import_predictions(
        folder / "answers.csv",
        load_task(str(folder / "task.yaml"), place, references=False),
        PredictionMap(id="id", truth="gt", answer="said", cluster="person"),
        RunFolder(folder / "run"), workspace=place, command=["benchmark"],
    )  # fmt: skip


def bare(folder: Path, samples: int) -> None:
    """The least that a scorer does: each line of both logs parsed, replies found by their keys, right ones counted."""
    import csv

    import orjson

    run = folder / "run"
    with (run / "generations.jsonl").open("rb") as file:
        replies = {line["key"]: line["text"] for line in map(orjson.loads, file)}
    with (run / "trials.jsonl").open("rb") as file:
        said = {t["trial"]: replies[t["keys"][-1]] for t in map(orjson.loads, file)}
    cell = next(iter(said)).rpartition("/")[0]
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as table:
        right = sum(
            said[f"{cell}/{row['id']}"].lower() == row["gt"] for row in csv.DictReader(table)
        )
    print(right / samples)


def resample(folder: Path, samples: int) -> None:
    """Intervals of five metrics of seven classes from many resamples of clusters of ten."""
    import numpy as np

    from harness.core.field import FieldSpec
    from harness.run.dictionary_encoding import Coded
    from harness.score.repeats import averaged
    from harness.stats.bootstraps import bootstrap_many

    draw = np.random.default_rng(0)
    truth = draw.integers(0, len(WORDS), RESAMPLED)
    said = np.where(draw.random(RESAMPLED) < 0.75, truth, draw.integers(0, len(WORDS), RESAMPLED))
    spec = FieldSpec(kind="label", labels=WORDS)
    columns = [Coded(codes.astype(np.int32), list(WORDS)) for codes in (truth, said)]
    found = averaged(spec, columns[0], columns[1:])
    clusters = np.arange(RESAMPLED) * CLUSTERS // RESAMPLED
    values = {
        name: (lambda totals, name=name: found.family.value(name, totals))
        for name in spec.shown_metrics
    }
    intervals = bootstrap_many(found.rows, clusters, values, draws=DRAWS, seed=0, method="auto")
    print({name: (one.low, one.high) for name, one in intervals.items()})


STEPS: dict[str, Callable[[Path, int], None]] = {
    "bring": bring,
    "bare": bare,
    "resample": resample,
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
