"""A network of a few thousand parameters on onset-to-apex flow, trained for each fold.

In the spirit of STSTNet (Liong, Gan, See, Khor and Huang, FG 2019): two shallow convolutions on flow and strain. The
architecture and its training are our own, no weights or code are theirs. One thread, seeded: the same data give the same
numbers on the same machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, missing_extra

Floats = NDArray[np.float32]

MOST_PARAMETERS = 5_000
FIRST, SECOND, POOLED = 8, 14, 4
"""Filters of the two convolutions, and the side of the grid before the last layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How the network is trained; fixed beforehand, so that no fold's test subject chooses anything."""

    epochs: int = 120
    batch: int = 32
    rate: float = 0.004
    """Peak learning rate of AdamW, falling to 0 along a cosine."""
    decay: float = 0.01
    dropout: float = 0.3
    mirror: bool = True
    """Half of the clips of each batch are mirrored: the flow to the right changes its sign."""
    shift: int = 2
    """Greatest shift of the grid in cells, drawn for each batch."""
    mix: float = 0.0
    """Alpha of mixup (Beta(alpha, alpha)); 0 mixes nothing. Inputs and labels are mixed alike."""
    seed: int = 0

    def details(self) -> dict[str, str]:
        """The settings as a run records them."""
        return {name: str(getattr(self, name)) for name in self.__slots__}


def parameters(classes: int) -> int:
    """Trainable parameters of the network for so many classes."""
    return (
        (3 * 25 + 1) * FIRST + (FIRST * 9 + 1) * SECOND + (SECOND * POOLED * POOLED + 1) * classes
    )


def train_and_answer(
    planes: Floats,
    shares: Floats,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    settings: TrainingSettings,
) -> Floats:
    """(len(test), K) probabilities of a network that was trained on the clips `train` alone.

    `planes` (n, 3, S, S), `shares` (n, K) the true distribution over the K classes, one-hot for plain labels. Inputs are
    scaled by the training clips; classes are weighted against their frequency among them. Raises HarnessError where the
    network would have more than MOST_PARAMETERS parameters.
    """
    classes = shares.shape[1]
    if parameters(classes) > MOST_PARAMETERS:
        raise HarnessError(
            f"{classes} classes need {parameters(classes):,} parameters, more than the {MOST_PARAMETERS:,} that a small "
            "network may have",
            hint="use a task with fewer labels",
        )
    with _one_thread(settings.seed) as torch:
        scale = planes[train].std(axis=(0, 2, 3), keepdims=True) + 1e-6
        inputs = torch.from_numpy(np.ascontiguousarray(planes / scale))
        truth = torch.from_numpy(np.ascontiguousarray(shares))
        network = _network(torch, classes, settings.dropout)
        _train(torch, network, inputs[train], truth[train], settings)
        network.eval()
        with torch.no_grad():
            answers = torch.softmax(network(inputs[test]), dim=1)
        return np.asarray(answers.numpy(), dtype=np.float32)


@contextmanager
def _one_thread(seed: int) -> Iterator[Any]:
    """torch on one thread, deterministic and seeded; as it was before afterwards."""
    try:
        import torch
    except ImportError:
        raise missing_extra("torch", "local") from None
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield torch
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


def _network(torch: Any, classes: int, dropout: float) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, FIRST, 5, padding=2),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(FIRST, SECOND, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(POOLED),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(SECOND * POOLED * POOLED, classes),
    )


def _train(torch: Any, network: Any, inputs: Any, truth: Any, settings: TrainingSettings) -> None:
    draws = np.random.default_rng(settings.seed)
    frequency = truth.sum(dim=0)
    weights = torch.where(frequency > 0, frequency.sum() / frequency.clamp(min=1e-6), 0.0)
    weights = weights / weights[frequency > 0].mean()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.rate, weight_decay=settings.decay
    )
    steps = settings.epochs * -(-len(inputs) // settings.batch)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    network.train()
    for _ in range(settings.epochs):
        order = draws.permutation(len(inputs))
        for start in range(0, len(order), settings.batch):
            places = order[start : start + settings.batch]
            seen, wanted = _varied(torch, inputs[places], truth[places], settings, draws)
            logs = torch.log_softmax(network(seen), dim=1)
            loss = -(wanted * weights * logs).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            falling.step()


def _varied(
    torch: Any, seen: Any, wanted: Any, settings: TrainingSettings, draws: np.random.Generator
) -> tuple[Any, Any]:
    """A batch shifted, in part mirrored, and mixed where that is asked for."""
    if settings.shift:
        by = draws.integers(-settings.shift, settings.shift + 1, 2)
        seen = torch.roll(seen, (int(by[0]), int(by[1])), (2, 3))
    if settings.mirror:
        turned = torch.from_numpy(draws.random(len(seen)) < 0.5)
        flipped = seen.flip(3) * torch.tensor([-1.0, 1.0, 1.0])[None, :, None, None]
        seen = torch.where(turned[:, None, None, None], flipped, seen)
    if settings.mix > 0:
        other = draws.permutation(len(seen))
        own = torch.from_numpy(draws.beta(settings.mix, settings.mix, len(seen)).astype(np.float32))
        seen = own[:, None, None, None] * seen + (1 - own)[:, None, None, None] * seen[other]
        wanted = own[:, None] * wanted + (1 - own)[:, None] * wanted[other]
    return seen, wanted


def one_hot(labels: Sequence[str], classes: Sequence[str]) -> Floats:
    """(n, K) with 1 at each label's class."""
    found = np.zeros((len(labels), len(classes)), dtype=np.float32)
    found[np.arange(len(labels)), [classes.index(label) for label in labels]] = 1.0
    return found
