"""Batches of pictures, moved and mirrored at random, with captions made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.clip_tiny.training.architecture import CROP, build_picture_processor
from harness.clip_tiny.training.captions import Caption, caption
from harness.clip_tiny.training.pictures import INNER, STORED, UNITS, Pictures
from harness.clip_tiny.training.settings import TrainingSettings
from harness.faces.units import PRESENT_FLOOR

EDGE = (STORED - CROP) // 2
"""Pixels of a stored picture that lie outside the middle on each side."""
_RUNS = ((17, 26), (31, 35), (48, 54), (60, 64))
"""Landmarks of the 68 that run from the one side of the face to the other: brows, nostrils, upper lips."""
_PAIRS: tuple[tuple[int, int], ...] = ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46))
_PAIRS += ((55, 59), (56, 58), (65, 67))


def _swapped() -> list[int]:
    """For each landmark that is a target, the place of its mirror image."""
    found = list(range(68))
    for first, last in _RUNS:
        found[first : last + 1] = range(last, first - 1, -1)
    for one, other in _PAIRS:
        found[one], found[other] = other, one
    return [number - INNER for number in found[INNER:]]


SWAPPED = _swapped()


@dataclass(slots=True)
class Batch:
    """Pictures as the model sees them, with all that is learnt of them."""

    pixels: Tensor
    """(n, 3, crop, crop) as the picture processor prepares them."""
    tokens: Any
    """Of a caption of each."""
    true: Tensor
    """(n, n): 1 where a caption is true of a picture."""
    units: Tensor
    """(n, 2 k): intensities, the left and the right of each unit."""
    points: Tensor
    """(n, 102): landmarks as shares of the part that is seen, from its centre."""


class Data:
    """Pictures and their annotations, and views of them."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        there = pictures.units.max(-1) >= PRESENT_FLOOR
        self.present: list[tuple[int, ...]] = [
            tuple(number for number, shown in zip(UNITS, row, strict=True) if shown)
            for row in there
        ]
        """For each picture the units that are annotated."""
        self.emotions = [str(truth["emotion"]) for truth in pictures.truths]
        processor = build_picture_processor()
        self._mean = torch.tensor(processor.image_mean)[:, None, None]
        self._spread = torch.tensor(processor.image_std)[:, None, None]

    def __len__(self) -> int:
        return len(self.present)

    def view(
        self, places: Sequence[int], moves: NDArray[np.int64], mirrored: NDArray[np.bool_]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels, units and landmarks of pictures (see `Batch`).

        `moves` (n, 2): pixels by which the part that is seen lies right of and below the middle. What is mirrored has
        the intensities of its two sides exchanged, and each landmark in the place of its mirror image.
        """
        pixels = np.empty((len(places), CROP, CROP, 3), np.uint8)
        for row, (place, (x, y), flip) in enumerate(zip(places, EDGE + moves, mirrored, strict=True)):  # fmt: skip
            part = self.pictures.pixels[place, y : y + CROP, x : x + CROP]
            pixels[row] = part[:, ::-1] if flip else part
        units = self.pictures.units[places].copy()
        units[mirrored] = units[mirrored][..., ::-1]
        points = (self.pictures.points[places] * STORED - EDGE - moves[:, None]) / CROP - 0.5
        turned = points[mirrored][:, SWAPPED]
        turned[..., 0] *= -1
        points[mirrored] = turned
        seen = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        return (
            (seen - self._mean) / self._spread,
            torch.from_numpy(units).flatten(1),
            torch.from_numpy(points).float().flatten(1),
        )

    def middles(self, places: Sequence[int]) -> Tensor:
        """Pixels of pictures as the model sees them when it is used."""
        still = np.zeros((len(places), 2), np.int64)
        return self.view(places, still, np.zeros(len(places), bool))[0]


class Batches:
    """Batches of one process, in an order of its own."""

    def __init__(self, data: Data, tokenizer: Any, settings: TrainingSettings, rank: int) -> None:
        self._data, self._tokenizer, self._settings = data, tokenizer, settings
        self._rng = Random(1000 * settings.seed + rank)  # noqa: S311
        self._order = np.random.default_rng([settings.seed, rank])
        self._queue: list[int] = []

    def next(self) -> Batch:
        """The next pictures; every picture once before one comes again."""
        size, shift, data = self._settings.batch, self._settings.shift, self._data
        if len(self._queue) < size:
            self._queue = self._order.permutation(len(data)).tolist()
        places, self._queue = self._queue[:size], self._queue[size:]
        moves = self._order.integers(-shift, shift + 1, size=(len(places), 2))
        mirrored = (self._order.random(len(places)) < 0.5) & self._settings.mirror
        pixels, units, points = data.view(places, moves, mirrored)
        present = [data.present[place] for place in places]
        truths, doses = data.pictures.truths, self._settings.doses
        said = [caption(self._rng, truths[p], data.present[p], doses) for p in places]
        tokens = self._tokenizer(
            [one.text for one in said], padding=True, truncation=True, return_tensors="pt"
        )
        true = positives(said, present, [data.emotions[place] for place in places])
        return Batch(pixels, tokens, true.float(), units, points)


def positives(
    captions: Sequence[Caption], present: Sequence[tuple[int, ...]], emotions: Sequence[str]
) -> Tensor:
    """(pictures, captions): what is true of what. A description is true of every face with the same units, a name of
    every face that shows the emotion."""
    rows = [
        [
            (one.names == emotions[a] if one.names else present[a] == present[b])
            for b, one in enumerate(captions)
        ]
        for a in range(len(present))
    ]
    found = torch.tensor(rows)
    found.fill_diagonal_(True)
    return found
