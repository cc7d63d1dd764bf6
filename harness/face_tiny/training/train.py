"""Train similarity:tiny: `python -m harness.face_tiny.training.train --out harness/face_tiny/weights`.

Pictures are drawn first (about 5 CPU-minutes for 10,000) and kept in `--pictures`; training itself takes `--seconds` of
processor time on one thread. Pictures of one person are drawn together and those of others apart (supervised
contrast, Khosla et al. 2020, the form with the sum outside the logarithm). Part of the pictures show the inner face
alone, so that hair and clothes do not decide. A head that is thrown away afterwards learns the shape of the face.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.affect_tiny.training.export import replace_folder
from harness.clip_tiny.training.architecture import begin_vision
from harness.clip_tiny.training.pictures import SEED, draw_all, face_of, read_all
from harness.clip_tiny.training.rates import muon_and_adam, set_rates
from harness.face_tiny.network import SIDE, WIDTH, FaceNetwork, save, scaled
from harness.face_tiny.training.inner import Part, masked
from harness.faces import ranges
from harness.faces.points import marks_of
from harness.faces.sampling import identity_at

Say = Callable[[str], None]
EACH = 5
"""Pictures of a person: more persons teach more than more pictures of each."""
LARGEST = 3_000_000
"""Bytes that the weights may take."""
SHAPE = tuple(name for name in ranges.IDENTITY if name != "expressivity")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How one network is trained."""

    seconds: float = 434.0
    """Processor time."""
    seed: int = 0
    persons: int = 32
    """Persons in a batch."""
    pictures: int = 4
    """Of each."""
    temperature: float = 0.1
    inner: float = 0.25
    """Share of pictures that show the inner face alone."""
    features: float = 0.15
    """Share of pictures that show only what lies around brows, eyes, nose and mouth."""
    flat: float = 0.4
    floor: float = 0.02
    matrix_rate: float = 0.025
    rate: float = 1e-3
    age: float = 20.0
    """Weight of the squared error of the wrinkles."""
    shape: float = 1.0
    """Weight of the squared error of the shape, in standard deviations."""


@dataclass(slots=True)
class Data:
    """Pictures, landmarks and targets, person by person."""

    pixels: NDArray[np.uint8]
    """(persons, each, side, side, 3)"""
    points: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]
    """68 landmarks of each picture in pixels."""
    ages: Tensor = field(init=False)
    """(persons,): wrinkles."""
    shapes: Tensor = field(init=False)
    """(persons, k): length and width of every part, in standard deviations."""

    def __post_init__(self) -> None:
        people = [identity_at(n, seed=SEED, split="train") for n in range(len(self.pixels))]
        self.ages = torch.tensor([one.age for one in people])
        raw = torch.tensor([[getattr(one, name) for name in SHAPE] for one in people])
        self.shapes = (raw - raw.mean(0)) / raw.std(0)


def read_data(folder: Path, persons: int) -> Data:
    """The pictures that were drawn, with their landmarks."""
    pixels = read_all(folder, persons, each=EACH).pixels.reshape(persons, EACH, SIDE, SIDE, 3)
    points = tuple(
        tuple(
            marks_of(face_of(person, place, seed=SEED, split="train"), size=SIDE).points
            for place in range(EACH)
        )
        for person in range(persons)
    )
    return Data(pixels, points)


def supervised_contrast(embeddings: Tensor, persons: Tensor, temperature: float) -> Tensor:
    """The mean over pictures of the mean negative log-share of the other pictures of the same person.

    `embeddings` (n, d) of length 1; `persons` (n,).
    """
    logits = embeddings @ embeddings.T / temperature
    logits = logits - torch.eye(len(logits)) * 1e9
    same = persons[:, None] == persons[None, :]
    same.fill_diagonal_(False)
    shares = logits.log_softmax(1)
    return -(shares.where(same, torch.zeros(())).sum(1) / same.sum(1)).mean()


def batch_of(
    data: Data, settings: TrainingSettings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """(n, 3, side, side) and the person of each."""
    persons = rng.choice(len(data.pixels), settings.persons, replace=False)
    shown, who = [], []
    for person in persons.tolist():
        for place in rng.choice(EACH, settings.pictures, replace=False).tolist():
            pixels, drawn = data.pixels[person, place], float(rng.random())
            part: Part | None = (
                "face" if drawn < settings.inner
                else "features" if drawn < settings.inner + settings.features
                else None
            )  # fmt: skip
            shown.append(masked(pixels, data.points[person][place], part) if part else pixels)
            who.append(person)
    return scaled(torch.from_numpy(np.stack(shown))), torch.tensor(who)


def train(data: Data, settings: TrainingSettings, *, say: Say = print) -> FaceNetwork:
    """A trained network."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng([settings.seed, 1])
    network, head = FaceNetwork(), nn.Linear(2 * WIDTH, len(SHAPE))
    every = data.pixels[:: max(1, len(data.pixels) // 500), 0]
    begin_vision(network.vision.embeddings, scaled(torch.from_numpy(every)))
    named = list(network.named_parameters())
    matrices = [w for name, w in named if ".layers." in name and w.ndim == 2]
    rest = [w for name, w in named if not (".layers." in name and w.ndim == 2)]
    optimizers = muon_and_adam(
        matrices,
        [{"params": [*rest, *head.parameters()], "lr": settings.rate}],
        matrix_rate=settings.matrix_rate,
    )
    weights = [*network.parameters(), *head.parameters()]
    began, step, running = time.process_time(), 0, math.nan
    while (share := (time.process_time() - began) / settings.seconds) < 1:
        set_rates(optimizers, share, step=step, flat=settings.flat, floor=settings.floor)
        pixels, persons = batch_of(data, settings, rng)
        found = network.features(pixels)
        embeddings = nn.functional.normalize(network.identity(found), dim=-1)
        main = supervised_contrast(embeddings, persons, settings.temperature)
        age = nn.functional.mse_loss(network.age(found)[:, 0], data.ages[persons])
        shape = nn.functional.mse_loss(head(found), data.shapes[persons])
        (main + settings.age * age + settings.shape * shape).backward()
        nn.utils.clip_grad_norm_(weights, 2.0)
        for one in optimizers:
            one.step()
            one.zero_grad(set_to_none=True)
        value = float(main.detach())
        running = value if math.isnan(running) else 0.95 * running + 0.05 * value
        step += 1
        if step % 25 == 0:
            used = time.process_time() - began
            say(f"step {step}, {used:.0f} s, loss {running:.3f}, age {float(age):.4f}, shape {float(shape):.3f}")  # fmt: skip
    network.eval()
    return network


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m harness.face_tiny.training.train")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--pictures", type=Path, default=Path("results/runs/face-tiny-pictures"))
    parser.add_argument("--persons", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=TrainingSettings().seconds)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    settings = TrainingSettings(seconds=args.seconds, seed=args.seed)
    draw_all(args.pictures, args.persons, each=EACH, workers=args.workers)
    data = read_data(args.pictures, args.persons)
    print(f"{data.pixels.shape[0] * EACH} pictures; {json.dumps(asdict(settings))}", flush=True)
    network = train(data, settings, say=lambda line: print(line, flush=True))
    part = args.out.with_name(args.out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    save(network, part)
    size = sum(file.stat().st_size for file in part.iterdir())
    if size > LARGEST:
        raise ValueError(f"the weights take {size} bytes, more than {LARGEST}")
    replace_folder(part, args.out)
    print(f"{size} bytes in {args.out}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
