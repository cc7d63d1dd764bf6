"""Does tuning on a set balanced by skin tone and age narrow a planted gap of affect-tiny? Writes `balance.md` beside this file.

    export OMP_NUM_THREADS=1
    python -m results.benchmarks.balance WORK [--steps N] [--people N] [--tested N] [--seeds 1,2]

tunes the shipped weights on an unbalanced and a balanced set of the same size, asks them and the shipped weights about
fresh test people with `harness run`, and compares. Every part goes on where it stopped. About twenty minutes of one
processor.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.affect_tiny import weights_folder
from harness.affect_tiny.training.export import save_checkpoint
from harness.affect_tiny.training.shortcut import Tuner, Tuning
from harness.affect_tiny.training.unequal import (
    Arm,
    drawn_set,
    faces_of,
    is_dark,
    people_of,
    photographed,
)
from harness.core.text import digest_file
from harness.faces import BASIC_7, BASIC_8, identity_at
from harness.run.columns import read_table
from harness.stats.bootstraps import bootstrap_many

OUT = Path(__file__).with_suffix(".md")
ARMS: tuple[Arm, ...] = ("unbalanced", "balanced")
SHIPPED = "shipped"
TRAINING_SEED, TEST_SEED = 6100, 41
"""Of the people who are learned from, and of those who are asked about; no person is in both."""
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of the experiment."""

    steps: int = 240
    people: int = 120
    """In each training set; each shows eight emotions."""
    tested: int = 200
    """Test people, half of them of dark tones; each shows seven emotions."""
    seeds: tuple[int, ...] = (1, 2)
    """Of the order of faces and wordings; each seed also has training people of its own."""

    @property
    def names(self) -> tuple[str, ...]:
        """The checkpoints, the shipped one first."""
        return (SHIPPED, *(f"{arm}-{seed}" for seed in self.seeds for arm in ARMS))


def tuned(arm: Arm, seed: int, plan: Plan, work: Path) -> Path:
    """The folder of the weights tuned on one set."""
    out = work / f"{arm}-{seed}"
    if (out / "model.safetensors").is_file():
        return out
    people = people_of(arm, plan.people, seed=TRAINING_SEED + seed)
    tuning = Tuning(steps=plan.steps, reports=0.0)
    tuner = Tuner(tuning, seed=seed, liar=False)
    chosen, pixels = drawn_set(people, seed=TRAINING_SEED + seed, side=tuner.sizes.picture)
    model = tuner.tune(chosen, pixels, name=f"{arm}-{seed}", work=work)
    made = work / f".{arm}-{seed}"
    save_checkpoint(model, tuner.tokenizer, tuner.sizes, made)
    for file in weights_folder().iterdir():
        if not (made / file.name).exists():
            shutil.copyfile(file, made / file.name)
    made.rename(out)
    return out


def test_table(plan: Plan, folder: Path) -> None:
    """Pictures of the test people as the camera takes them, and `labels.csv`."""
    if (folder / "labels.csv").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {True: plan.tested // 2, False: plan.tested - plan.tested // 2}
    rows = []
    for number in count():
        person = identity_at(number, seed=TEST_SEED, split="test")
        dark = is_dark(person)
        if not any(wanted.values()):
            break
        if not wanted[dark]:
            continue
        wanted[dark] -= 1
        for place, face in enumerate(
            faces_of([number], seed=TEST_SEED, split="test", labels=BASIC_7)
        ):
            name = f"{number}-{place}.png"
            Image.fromarray(photographed(face)).save(folder / name)
            rows.append((name, face.emotion, f"person-{number}", "dark" if dark else "other"))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "emotion", "subject", "group"), *rows])


def ask(models: Sequence[str], table: Path, out: Path) -> None:
    """A run of the harness."""
    named = [word for model in models for word in ("--model", model)]
    words = (
        "run", "table/emotion", *named, "--prompt", "emotion/plain", "--out", str(out), "--no-report",
        "--set", f"source.file={table / 'labels.csv'}", "--set", "source.image=image",
        "--set", "source.label=emotion", "--set", "source.subject=subject", "--set", "slices=[group]",
    )  # fmt: skip
    command = [sys.executable, "-m", "harness.cli.main", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def hits(run: Path, model: str) -> dict[str, bool]:
    """Sample -> whether a model answered it rightly; a refusal is a miss."""
    return {
        str(row["sample"]): row["value"] is not None and row["value"] == row["target"]
        for row in read_table(run / "records.parquet")
        if row["model"] == model
    }


@dataclass(frozen=True, slots=True)
class Estimated:
    """A number with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} [{_short(self.low)}, {_short(self.high)}]"


@dataclass(frozen=True, slots=True)
class Figures:
    """Recall by group, gaps, and the change of the gap."""

    recalls: Mapping[str, tuple[Estimated, Estimated]]
    """Checkpoint or arm -> recall of the others, and of dark tones."""
    gaps: Mapping[str, Estimated]
    """Checkpoint or arm -> recall of the others less that of dark tones."""
    changes: Mapping[str, Estimated]
    """`all`, or a seed -> gap after the unbalanced set less gap after the balanced one."""
    people: int
    samples: int


def figures(found: Mapping[str, Mapping[str, bool]], table: Path, plan: Plan) -> Figures:
    """Intervals resample test people, all checkpoints together.

    Every person shows every emotion once, so that the share of right answers is the UAR.
    """
    with (table / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    dark = np.array([row["group"] == "dark" for row in rows])
    clusters = [row["subject"] for row in rows]
    columns = {
        name: np.array([_hit(of, row["image"]) for row in rows]) for name, of in found.items()
    }
    for arm in ARMS:
        columns[arm] = np.mean([columns[f"{arm}-{seed}"] for seed in plan.seeds], axis=0)
    names = list(columns)
    stacked = np.stack([columns[name] for name in names], axis=1)
    sums = np.concatenate(
        [~dark[:, None], dark[:, None], stacked * ~dark[:, None], stacked * dark[:, None]], axis=1
    ).astype(np.float64)
    width = len(names)

    def recall(name: str, *, of_dark: bool) -> Any:
        at = 2 + names.index(name) + (width if of_dark else 0)
        return lambda totals: totals[..., at] / totals[..., int(of_dark)]

    def gap(name: str) -> Any:
        light, low = recall(name, of_dark=False), recall(name, of_dark=True)
        return lambda totals: light(totals) - low(totals)

    def change(before: str, after: str) -> Any:
        wide, narrow = gap(before), gap(after)
        return lambda totals: wide(totals) - narrow(totals)

    values = {
        **{("light", n): recall(n, of_dark=False) for n in names},
        **{("low", n): recall(n, of_dark=True) for n in names},
        **{("gap", n): gap(n) for n in names},
        ("change", "all"): change(*ARMS),
        **{("change", str(s)): change(*(f"{arm}-{s}" for arm in ARMS)) for s in plan.seeds},
    }
    keyed = {" ".join(key): value for key, value in values.items()}
    drawn = bootstrap_many(sums, clusters, keyed, draws=DRAWS, seed=0, method="auto")
    whole = sums.sum(axis=0)
    made = {
        key: Estimated(float(value(whole)), drawn[key].low, drawn[key].high)
        for key, value in keyed.items()
    }
    return Figures(
        {n: (made[f"light {n}"], made[f"low {n}"]) for n in names},
        {n: made[f"gap {n}"] for n in names},
        {key: made[f"change {key}"] for key in ("all", *map(str, plan.seeds))},
        len(set(clusters)), len(rows),
    )  # fmt: skip


def _hit(found: Mapping[str, bool], image: str) -> float:
    return float(next(hit for sample, hit in found.items() if sample.endswith(image)))


def page(found: Figures, plan: Plan, weights: str) -> str:
    """The whole file."""
    lines = [
        "# Does a balanced set narrow a planted gap?",
        "",
        "Written by `results/benchmarks/balance.py`. The planted gap: pictures of people of Monk's tones 8 to 10 are taken with "
        "four stops less light, for training and for the test, as by a camera that meters for light skin. The weights of "
        f"affect-tiny ({weights}) are tuned for {plan.steps} steps of 20 faces on two sets of {plan.people} people and "
        f"{plan.people * len(BASIC_8)} faces each:",
        "",
        "- unbalanced: one person in 40 has a dark tone;",
        "- balanced: `--balance skin_tone,age_group`, so three in ten have one.",
        "",
        "Wordings, seeds and number of steps are the same, the vision tower is frozen, and no test person is in a set. "
        f"Asked: {found.samples} faces of {found.people} test people, half of them of dark tones, prompt `emotion/plain`. "
        "Each person shows each of seven emotions once, so the numbers are UARs; a refusal is a miss. 95% intervals resample "
        "people, all weights together; they do not cover the choice of training sets, of which there are "
        f"{len(plan.seeds)} a kind.",
        "",
        "| weights | UAR, other tones | UAR, dark tones | gap |",
        "|---|---|---|---|",
    ]
    for name in (*plan.names, *ARMS):
        light, low = found.recalls[name]
        shown = f"{name}, mean of seeds" if name in ARMS else name
        lines.append(f"| {shown} | {light} | {low} | {found.gaps[name]} |")
    lines += [
        "",
        "| gap after the unbalanced set less gap after the balanced one | paired difference |",
        "|---|---|",
        *(
            f"| {'mean of seeds' if key == 'all' else f'seed {key}'} | {one} |"
            for key, one in found.changes.items()
        ),
        "",
        verdict(found),
    ]
    return "\n".join(lines) + "\n"


def verdict(found: Figures) -> str:
    """What the interval of the mean change says."""
    one = found.changes["all"]
    if one.low > 0:
        return f"The balanced set narrows the gap, by {one}."
    if one.high < 0:
        return f"The balanced set widens the gap, by {one}."
    return "Whether the balanced set narrows the gap is not shown: the interval holds 0."


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def measured(plan: Plan, work: Path) -> Figures:
    """Tunes and asks whatever is missing in a work folder."""
    import torch

    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    table = work / "test"
    test_table(plan, table)
    models = {SHIPPED: "affect-tiny"}
    for seed in plan.seeds:
        models |= {f"{arm}-{seed}": f"transformers:{tuned(arm, seed, plan, work)}" for arm in ARMS}
    ask(tuple(models.values()), table, work / "run")
    return figures({name: hits(work / "run", model) for name, model in models.items()}, table, plan)


def main(argv: Sequence[str] | None = None) -> None:
    """Measures and writes the page."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m results.benchmarks.balance")
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--tested", type=int, default=usual.tested)
    parser.add_argument(
        "--seeds", type=lambda text: tuple(map(int, text.split(","))), default=usual.seeds
    )
    given = vars(parser.parse_args(argv))
    work = given.pop("work")
    plan = Plan(**given)
    found = measured(plan, work)
    weights = digest_file(weights_folder() / "model.safetensors")[:12]
    OUT.write_text(page(found, plan, weights), encoding="utf-8")


if __name__ == "__main__":
    main()
