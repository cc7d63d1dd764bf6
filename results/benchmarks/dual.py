"""What a tiny CLIP reads from texts, and what learned prompts add: the figures of dual.md.

    python results/benchmarks/dual.py --work DIR --model A=FOLDER --model B=FOLDER --parts zero-shot,learned,new,more
    python results/benchmarks/dual.py --work DIR --model N=FOLDER --doses N=.005,.02,.5 --parts zero-shot

The second model is one that was taught names (`python -m harness.clip_tiny.training.names`).
Pictures are drawn once into DIR. Scored: the pictures of `faces/emotion` (40 subjects) and those of 100 other subjects of
the split validation. Learned from: subjects of the split train that no model was trained on. One thread; intervals are
95 % over subjects (1,000 draws), paired where a difference is given.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.task import Task
from harness.faces import BASIC_7, draw, face_at
from harness.models.dual.encoder import NONE, DualEncoder, LearnedPrompts
from harness.models.dual.model import find_dual
from harness.prompting.library import Library
from harness.tune import Learning, Weights, learn
from harness.tune.tune import label_texts

Texts = tuple[tuple[str, ...], ...]
SETS = {"test": ("test", 7, 40), "val": ("validation", 5002, 100), "train": ("train", 7, 72)}
"""Name -> split, seed, subjects; each shows the seven emotions once."""
SHOTS, HELD = 16, 8
"""Subjects of a set of shots, and of its validation fold."""
DRAWS = 1000
CE, PROMPT = Weights(prompt=0.0), Weights(prompt=8.0)


@dataclass(frozen=True)
class Faces:
    """Pictures with labels and subjects."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]


def faces(name: str, work: Path) -> Faces:
    """The pictures of a set, drawn unless they are there."""
    split, seed, subjects = SETS[name]
    path = work / f"{name}.npz"
    if not path.exists():
        drawn = [face_at(n, seed=seed, split=split) for n in range(7 * subjects)]  # type: ignore[arg-type]
        np.savez(
            path, pixels=np.stack([draw(face, size=224).pixels for face in drawn]),
            labels=np.asarray([BASIC_7.index(face.emotion) for face in drawn]),
            subjects=np.repeat(np.arange(subjects), 7),
        )  # fmt: skip
    with np.load(path) as file:
        return Faces(file["pixels"], file["labels"], file["subjects"])


@dataclass
class Scored:
    """A model with the features of all sets."""

    encoder: DualEncoder
    features: dict[str, Any]
    pixels: dict[str, Any]
    faces: dict[str, Faces]

    def nearest(self, name: str, texts: Texts, learned: LearnedPrompts = NONE, *, places: Sequence[int] = range(7)) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
        """Of each picture of a set whose label is in `places`: the label whose texts are nearest, and its own."""
        import torch

        held = self.faces[name]
        mask = np.isin(held.labels, list(places))
        with torch.no_grad():
            seen = self.features[name]
            if learned.visual is not None:
                seen = torch.cat([self.encoder.of_pictures(p, learned) for p in self.pixels[name].split(70)])  # fmt: skip
            found = self.encoder.logits(seen[mask], self.encoder.ensemble(texts, learned)).argmax(1).numpy()  # fmt: skip
        return np.asarray(list(places))[found], held.labels[mask]

    def right(self, name: str, texts: Texts, learned: LearnedPrompts = NONE, *, places: Sequence[int] = range(7)) -> NDArray[np.float64]:  # fmt: skip
        """For each picture of a set whose label is in `places`, 1 where the text of its label is the nearest."""
        found, own = self.nearest(name, texts, learned, places=places)
        return (found == own).astype(float)

    def both(self, texts: Texts, learned: LearnedPrompts = NONE, *, places: Sequence[int] = range(7)) -> NDArray[np.float64]:  # fmt: skip
        """The same on the two scored sets, one after the other."""
        return np.concatenate([self.right(name, texts, learned, places=places) for name in ("test", "val")])  # fmt: skip


def read(folder: str, sets: dict[str, Faces]) -> Scored:
    """A model, and what it sees of every set."""
    import torch
    from PIL import Image

    encoder = find_dual(folder).load()
    pixels, features = {}, {}
    for name, held in sets.items():
        parts = [encoder.pixels([Image.fromarray(one) for one in held.pixels[n : n + 70]]) for n in range(0, len(held.labels), 70)]  # fmt: skip
        pixels[name] = torch.cat(parts)
        with torch.no_grad():
            features[name] = torch.cat([encoder.of_pictures(part) for part in parts])
    return Scored(encoder, features, pixels, sets)


def subjects_of(sets: dict[str, Faces], names: Sequence[str], places: Sequence[int] = range(7)) -> NDArray[np.int64]:  # fmt: skip
    """The subject of each scored picture, numbered through."""
    found = []
    for n, name in enumerate(names):
        held = sets[name]
        found.append(held.subjects[np.isin(held.labels, list(places))] + 1000 * n)
    return np.concatenate(found)


def interval(
    values: NDArray[np.float64], subjects: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Mean and 95 % bounds over subjects. Each subject shows each label once, so that the mean is the UAR."""
    names, place = np.unique(subjects, return_inverse=True)
    sums = np.bincount(place, values) / np.bincount(place)
    rng = np.random.default_rng(0)
    means = sums[rng.integers(len(names), size=(DRAWS, len(names)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def shown(found: tuple[float, float, float], *, signed: bool = False) -> str:
    value, low, high = found
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]" if signed else f"{value:.3f} [{low:.3f}, {high:.3f}]"  # fmt: skip


def prompts() -> dict[str, Texts]:
    """The texts of the shipped prompts for the seven emotions."""
    library = Library([shipped_folder()])
    spec = FieldSpec(kind="label", labels=BASIC_7)
    task = Task(name="x", source={"family": "faces"}, fields={"emotion": spec}, prompts=("dual/name",))  # fmt: skip
    names = [name for name in library.names() if name.startswith("dual/")]
    return {name: label_texts(library, name, task, "emotion", BASIC_7) for name in names}


def zero_shot(model: Scored, texts: dict[str, Texts], doses: Sequence[float]) -> list[str]:
    """Prompts, shuffled descriptions, and names by how often captions held them."""
    lines = []
    sets = ("test", "val")
    groups = {name: subjects_of(model.faces, (name,)) for name in sets}
    right = {(p, s): model.right(s, own) for p, own in texts.items() for s in sets}
    for p in texts:
        lines.append(f"| {p} | " + " | ".join(shown(interval(right[p, s], groups[s])) for s in sets) + " |")  # fmt: skip
    for p in ("dual/name", "dual/template"):
        told = [shown(interval(right["dual/described", s] - right[p, s], groups[s]), signed=True) for s in sets]  # fmt: skip
        lines.append(f"| dual/described - {p} | " + " | ".join(told) + " |")
    told = [_shuffled(model, s, texts["dual/described"]) for s in sets]
    lines.append("| described, shuffled: mean (largest) of all 1,854 derangements; share above chance | " + " | ".join(told) + " |")  # fmt: skip
    for n, share in enumerate(doses):
        names = tuple((name + "abcdefgh"[n],) for name in BASIC_7)
        own = {s: model.right(s, names) for s in sets}
        told = [f"{own[s].mean():.3f}; described - name {shown(interval(right['dual/described', s] - own[s], groups[s]), signed=True)}" for s in sets]  # fmt: skip
        lines.append(f"| names in {share:.1%} of the captions | " + " | ".join(told) + " |")
    return lines


def _shuffled(model: Scored, name: str, texts: Texts) -> str:
    """UAR when each label gets the description of another, in all ways in which none keeps its own."""
    found, own = model.nearest(name, texts)
    orders = np.asarray([order for order in permutations(range(7)) if all(n != at for n, at in enumerate(order))])  # fmt: skip
    hits = (orders[:, own] == found).mean(1)
    return f"{hits.mean():.3f} ({hits.max():.3f}); {(hits > 1 / 7).mean():.1%}"


def tuned(model: Scored, texts: Texts, shots: int, learning: Learning, places: Sequence[int] = range(7)) -> LearnedPrompts:  # fmt: skip
    """Prompts learned from set number `shots` of the training subjects, on the labels `places`."""
    held = model.faces["train"]
    first = shots * (SHOTS + HELD)
    folds = []
    for low, high in ((first, first + SHOTS), (first + SHOTS, first + SHOTS + HELD)):
        mask = (held.subjects >= low) & (held.subjects < high) & np.isin(held.labels, list(places))
        labels = [list(places).index(int(n)) for n in held.labels[mask]]
        folds.append((model.pixels["train"][mask], labels))
    return learn(model.encoder, texts, folds[0], folds[1], learning).prompts


def plans() -> list[tuple[str, str, Learning]]:
    """(prompt, what is added, how) of everything that is learned."""
    return [
        ("dual/defined", "cross-entropy", Learning(weights=CE)),
        ("dual/defined", "+ prompt", Learning(weights=PROMPT)),
        ("dual/described", "cross-entropy", Learning(weights=CE)),
        ("dual/described", "+ prompt", Learning(weights=PROMPT)),
    ]


def more_plans() -> list[tuple[str, str, Learning]]:
    """The same of what no claim is made for."""
    token, both = Weights(token=1.0, prompt=0.0), Weights(token=1.0, prompt=8.0)
    seen, near = Weights(prompt=8.0, prototype=1.0), Weights(prompt=0.0, patches=0.5)
    return [
        ("dual/defined", "+ token", Learning(weights=token)),
        ("dual/defined", "+ token + prompt", Learning(weights=both)),
        ("dual/defined", "+ visual", Learning(visual=4, steps=45, weights=CE)),
        ("dual/defined", "+ visual + prompt + prototype", Learning(visual=4, steps=45, weights=seen)),
        ("dual/defined", "+ patches", Learning(steps=45, weights=near)),
    ]  # fmt: skip


def learned_row(model: Scored, texts: dict[str, Texts], plan: tuple[str, str, Learning]) -> list[str]:  # fmt: skip
    """Prompts learned at 16 shots against the same texts as they are, on three sets of shots."""
    prompt, said, learning = plan
    groups = subjects_of(model.faces, ("test", "val"))
    before = model.both(texts[prompt])
    sets = [
        model.both(texts[prompt], tuned(model, texts[prompt], shots, _seeded(learning, shots)))
        for shots in range(3)
    ]
    each = "; ".join(shown(interval(one - before, groups), signed=True) for one in sets)
    mean = np.mean(sets, axis=0)
    gain = shown(interval(mean - before, groups), signed=True)
    return [f"| {prompt} | {said} | {before.mean():.3f} | {mean.mean():.3f} | {gain} | {each} |"]


def _seeded(learning: Learning, seed: int) -> Learning:
    return Learning(learning.contexts, learning.visual, learning.weights, learning.steps, learning.rate, learning.batch, seed)  # fmt: skip


Split = tuple[str, tuple[int, ...]]
"""A prompt, and the labels that are learned."""
WAYS = ("untuned", "ce", "prompt")


def splits_of(count: int) -> list[Split]:
    """Random halves of the labels, four to learn and three that stay new, for two prompts."""
    rng = Random(3)  # noqa: S311
    chosen = rng.sample(list(combinations(range(7), 4)), count)
    return [(prompt, base) for prompt in ("dual/described", "dual/defined") for base in chosen]


def base_to_new(model: Scored, texts: dict[str, Texts], split: Split) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    """`new ce` and so on -> (subjects): the share right of each subject, mean over three sets of shots. Learned on four
    labels; read on these, and on the three others."""
    prompt, base = split
    own, new = texts[prompt], tuple(n for n in range(7) if n not in base)
    four = tuple(own[n] for n in base)
    found: dict[str, list[NDArray[np.float64]]] = {}
    for shots in range(3):
        made = {
            "untuned": NONE,
            "ce": tuned(model, four, shots, _seeded(Learning(weights=CE), shots), base),
            "prompt": tuned(model, four, shots, _seeded(Learning(weights=PROMPT), shots), base),
        }
        for kind, places in (("base", base), ("new", new)):
            groups = subjects_of(model.faces, ("test", "val"), places)
            for how, learned in made.items():
                right = model.both(tuple(own[n] for n in places), learned, places=places)
                found.setdefault(f"{kind} {how}", []).append(_by_subject(right, groups))
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


def told_new(made: Sequence[tuple[Split, dict[str, NDArray[np.float64]]]]) -> list[str]:
    """The rows of all splits together."""
    lines = []
    for prompt in dict.fromkeys(split[0] for split, _ in made):
        own = [rows for split, rows in made if split[0] == prompt]
        for kind in ("new", "base"):
            mean = {how: np.mean([rows[f"{kind} {how}"] for rows in own], axis=0) for how in WAYS}
            gain = interval(mean["prompt"] - mean["ce"], np.arange(len(mean["ce"])))
            values = " | ".join(f"{mean[how].mean():.3f}" for how in WAYS)
            lines.append(f"| {prompt} | {kind} ({len(own)} splits) | {values} | {shown(gain, signed=True)} |")  # fmt: skip
    return lines


def _by_subject(right: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    _, place = np.unique(groups, return_inverse=True)
    found: NDArray[np.float64] = np.bincount(place, right) / np.bincount(place)
    return found


HERE: dict[str, Any] = {}
"""What the processes of one model share: they are forked when it is there."""


def work(job: tuple[str, Any]) -> tuple[tuple[str, Any], Any]:
    """One part of the tables."""
    step, asked = job
    model, texts = HERE["model"], HERE["texts"]
    if step == "zero-shot":
        return job, zero_shot(model, texts, asked)
    return job, (base_to_new if step == "new" else learned_row)(model, texts, asked)


def main() -> int:
    """Print the tables as Markdown."""
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[], help="NAME=FOLDER")
    parser.add_argument("--doses", action="append", default=[], help="NAME=SHARE,SHARE as trained")
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("--parts", default="zero-shot,learned,new", help="tables; `more`: what no claim is made for")  # fmt: skip
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    sets = {name: faces(name, args.work) for name in SETS}
    doses = dict(one.split("=", 1) for one in args.doses)
    HERE["texts"] = prompts()
    for name, folder in (one.split("=", 1) for one in args.model):
        HERE["model"] = read(folder, sets)
        every: list[tuple[str, Any]] = [
            ("zero-shot", [float(s) for s in doses.get(name, "").split(",") if s]),
            *(("learned", plan) for plan in plans()),
            *(("more", plan) for plan in more_plans()),
            *(("new", split) for split in splits_of(args.splits)),
        ]
        jobs = [job for job in every if job[0] in args.parts.split(",")]
        new = []
        with get_context("fork").Pool(args.processes) as pool:
            for (step, asked), found in pool.imap_unordered(work, jobs):
                if step == "new":
                    new.append((asked, found))
                else:
                    print(f"\n{name}, {step}", *found, sep="\n", flush=True)
        if new:
            print(f"\n{name}, base to new", *told_new(new), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
