"""Fisherfaces: a small recogniser that is learned from a few hundred pictures in a second.

Principal components, then the directions in which people differ most against the spread of their own pictures (Belhumeur,
Hespanha and Kriegman 1997, IEEE TPAMI 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.text import digest_bytes
from harness.inversion.basis import Floats
from harness.inversion.people import People
from harness.similarity import cosines
from harness.similarity.recogniser import of_length_one
from harness.stats.product import product

Look = Literal["grey", "gradients"]
SIDE = 32
COMPONENTS = 200
RIDGE = 0.05
"""Share of the mean spread within people that is added to each direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Fisherfaces:
    """Learned; pictures may be of any size."""

    name: str
    identity: str
    look: Look
    mean: Floats
    directions: Floats
    """(features, d)."""

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> Floats:
        """(n, d) of unit length."""
        return of_length_one(product(_features(pictures, self.look) - self.mean, self.directions))

    def similarity(self, a: Sequence[NDArray[np.uint8]], b: Sequence[NDArray[np.uint8]]) -> Floats:
        """(n,) cosines."""
        return cosines(self.embed(a), self.embed(b))


def learn_fisherfaces(people: People, look: Look) -> Fisherfaces:
    """From at least two people with at least two pictures each. `look`: grey levels, or their gradients by direction."""
    owners = people.owners()
    if len(people) < 2 or min(len(held) for held in people.pictures) < 2:
        raise HarnessError(
            "Fisherfaces need two people with two pictures each", hint="use more pictures"
        )
    features = _features(list(people.every()), look)
    mean = features.mean(axis=0)
    centred = (features - mean).astype(np.float64)
    count = min(COMPONENTS, len(features) - len(people), features.shape[1])
    values, vectors = np.linalg.eigh(centred @ centred.T)
    kept = np.argsort(values)[::-1][:count]
    components = centred.T @ vectors[:, kept] / np.sqrt(values[kept])
    points = centred @ components
    middles = np.stack([points[owners == p].mean(axis=0) for p in range(len(people))])
    inner = points - middles[owners]
    within = inner.T @ inner / len(points)
    within += np.eye(count) * RIDGE * np.trace(within) / count
    spread, axes = np.linalg.eigh(within)
    white = axes / np.sqrt(spread)
    between = (middles[owners] @ white).T @ (middles[owners] @ white)
    _, best = np.linalg.eigh(between)
    directions = components @ white @ best[:, ::-1][:, : min(len(people) - 1, count)]
    directions *= np.where(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])] < 0, -1, 1)  # fmt: skip
    final = directions.astype(np.float32)
    return Fisherfaces(
        f"fisherfaces on {look}", digest_bytes(mean.tobytes(), final.tobytes()), look, mean, final
    )


def _features(pictures: Sequence[NDArray[np.uint8]], look: Look) -> Floats:
    """(n, features): standardised grey levels of SIDE x SIDE areas, or the strength of their gradients in 4 directions."""
    grey = np.stack([_small(picture) for picture in pictures])
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    grey /= grey.std(axis=(1, 2), keepdims=True) + np.float32(1)
    if look == "grey":
        return grey.reshape(len(grey), -1)
    down, right = np.gradient(grey, axis=(1, 2))
    parts = np.stack([np.maximum(part, 0) for part in (down, -down, right, -right)], axis=1)
    pooled = parts.reshape(len(grey), 4, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(3, 5))
    found: Floats = pooled.reshape(len(grey), -1).astype(np.float32)
    return found


def _small(picture: NDArray[np.uint8]) -> Floats:
    """Grey levels averaged over SIDE x SIDE areas."""
    grey = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    found = _areas(grey.shape[0]) @ grey @ _areas(grey.shape[1]).T
    return found.astype(np.float32)


def _areas(length: int) -> Floats:
    """(SIDE, length): the share of each pixel in each area."""
    edges = np.arange(SIDE + 1) * length / SIDE
    pixel = np.arange(length)
    share = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    found: Floats = (np.maximum(share, 0) * SIDE / length).astype(np.float32)
    return found
