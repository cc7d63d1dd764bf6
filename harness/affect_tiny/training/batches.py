"""Batches of pictures with their truths: randomly mirrored, some of them blank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from harness.affect_tiny.training.dataset_cache import CachedDataset
from harness.affect_tiny.training.landmarks import mirror_points
from harness.affect_tiny.training.targets import Targets, clip_targets, face_targets, mirror_classes
from harness.faces import MICRO_7


@dataclass(frozen=True, slots=True)
class FaceBatch:
    """Pictures of faces."""

    index: NDArray[np.int64]
    """Places in the pool."""
    pixels: Tensor
    """uint8 (n, side, side, 3)."""
    units: Tensor
    affect: Tensor
    points: Tensor
    """(n, points, 2), each coordinate with mean 0 and deviation 1 over the pool."""
    classes: dict[str, Tensor]
    mirrored: bool


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Frame triplets."""

    index: NDArray[np.int64]
    pixels: Tensor
    """uint8 (n * 3, side, side, 3)."""
    units: Tensor
    """(n, units, 2) at the apex."""
    fine: Tensor
    """(n,) the class; (n, classes) shares of clips that were mixed."""
    mirrored: bool
    partners: NDArray[np.int64]
    """(n,) place in the batch of the clip that is mixed in."""
    share: float = 1.0
    """Of the clip itself; the rest is its partner's."""


@dataclass(frozen=True, slots=True)
class ToldBatch:
    """Pictures that are talked about and teach the heads nothing."""

    index: NDArray[np.int64]
    pixels: Tensor
    """uint8 (n * pictures, height, width, 3)."""
    mirrored: bool


class FaceFeed:
    """Random batches of a pool of faces."""

    def __init__(self, pool: CachedDataset) -> None:
        self.pool = pool
        self.targets: Targets = face_targets(pool.truths)
        self.centre = self.targets.points.mean(0)
        self.spread = self.targets.points.std(0) + 1e-3

    def draw(self, rng: np.random.Generator, size: int) -> FaceBatch:
        """`size` faces; the whole batch is mirrored or not."""
        index = rng.integers(0, len(self.pool), size)
        flip = bool(rng.random() < 0.5)
        return self.take(index, mirrored=flip)

    def take(self, index: NDArray[np.int64], *, mirrored: bool = False) -> FaceBatch:
        """The faces at these places."""
        pixels = torch.from_numpy(self.pool.pixels[index, 0])
        units = torch.from_numpy(self.targets.units[index])
        points = self.targets.points[index]
        classes = {name: values[index] for name, values in self.targets.classes.items()}
        if mirrored:
            pixels, units, points = pixels.flip(2), units.flip(2), mirror_points(points)
            classes = {name: mirror_classes(name, values) for name, values in classes.items()}
        return FaceBatch(
            index=index,
            pixels=pixels,
            units=units,
            affect=torch.from_numpy(self.targets.affect[index]),
            points=torch.from_numpy((points - self.centre) / self.spread),
            classes={name: torch.from_numpy(values) for name, values in classes.items()},
            mirrored=mirrored,
        )


class ClipFeed:
    """Random batches of a pool of clips."""

    def __init__(self, pool: CachedDataset, *, mix: float = 0.0) -> None:
        """`mix`: alpha of Beta(alpha, alpha), from which the share of a clip in its mixture is drawn; 0: none is mixed."""
        self.pool = pool
        self.mix = mix
        self.units, self.fine = clip_targets(pool.truths)

    def draw(self, rng: np.random.Generator, size: int) -> ClipBatch:
        """`size` clips; the whole batch is mirrored or not, and mixed in equal shares."""
        index = rng.integers(0, len(self.pool), size)
        flip = bool(rng.random() < 0.5)
        batch = self.take(index, mirrored=flip)
        if not self.mix or size < 2:
            return batch
        partners = (np.arange(size) + rng.integers(1, size)) % size
        return mixed(batch, partners, float(rng.beta(self.mix, self.mix)))

    def take(self, index: NDArray[np.int64], *, mirrored: bool = False) -> ClipBatch:
        """The clips at these places."""
        pixels = torch.from_numpy(self.pool.pixels[index]).flatten(0, 1)
        units = torch.from_numpy(self.units[index])
        if mirrored:
            pixels, units = pixels.flip(2), units.flip(2)
        fine = torch.from_numpy(self.fine[index])
        return ClipBatch(index, pixels, units, fine, mirrored, np.arange(len(index)))


def mixed(batch: ClipBatch, partners: NDArray[np.int64], share: float) -> ClipBatch:
    """The clips with `1 - share` of their partners in all frames and in all that is true of them, as MIDAS
    (arXiv 2506.20867) mixes clips in training."""

    def blend(values: Tensor) -> Tensor:
        own = values.float()
        return share * own + (1 - share) * own[torch.from_numpy(partners)]

    frames = blend(batch.pixels.unflatten(0, (len(partners), -1))).round().to(torch.uint8)
    return replace(
        batch,
        pixels=frames.flatten(0, 1),
        units=blend(batch.units),
        fine=blend(one_hot(batch.fine, len(MICRO_7))),
        partners=partners,
        share=share,
    )


class ToldFeed:
    """Random batches of a pool of windows or of contact sheets."""

    def __init__(self, pool: CachedDataset, *, mirrors: bool) -> None:
        """`mirrors`: whether a mirrored picture is one that could be; a sheet's numbers forbid it."""
        self.pool = pool
        self.mirrors = mirrors

    def draw(self, rng: np.random.Generator, size: int) -> ToldBatch:
        """`size` of them; the whole batch is mirrored or not."""
        index = rng.integers(0, len(self.pool), size)
        pixels = torch.from_numpy(self.pool.pixels[index]).flatten(0, 1)
        flip = self.mirrors and bool(rng.random() < 0.5)
        return ToldBatch(index, pixels.flip(2) if flip else pixels, flip)


class Feeds(NamedTuple):
    """Pictures for every stage."""

    faces: FaceFeed
    clips: ClipFeed
    held_faces: FaceFeed
    """Validation pictures, as `held_clips`."""
    held_clips: ClipFeed
    windows: ToldFeed
    sheets: ToldFeed
