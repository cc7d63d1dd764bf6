"""Eigenfaces: the space of faces in which an attack moves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.product import product

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
"""(n, height, width, 3) RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A mean face and K eigenfaces, each as long as one standard deviation along it."""

    mean: Floats
    """(height * width * 3,) in 0..1."""
    faces: Floats
    """(K, height * width * 3): eigenvectors times singular values over the root of n - 1."""
    shape: tuple[int, int, int]
    subjects: frozenset[str]
    """Whose pictures it was made of."""

    def __len__(self) -> int:
        return len(self.faces)

    def render(self, coordinates: Floats) -> Pictures:
        """Pictures (n, height, width, 3) at coordinates (n, K), cut to 0..1 and rounded to 8 bits."""
        values = np.clip(self.mean + product(coordinates, self.faces), 0.0, 1.0)
        pixels: Pictures = np.rint(values * 255).astype(np.uint8)
        return pixels.reshape(-1, *self.shape)

    def coordinates(self, pictures: Pictures) -> Floats:
        """Coordinates (n, K) of the nearest point of the basis to each picture."""
        flat = pictures.reshape(len(pictures), -1).astype(np.float32) / 255 - self.mean
        found: Floats = flat @ self.faces.T / (self.faces**2).sum(axis=1)
        return found


def fit_basis(pictures: Pictures, components: int, *, subjects: Collection[str]) -> Basis:
    """The first `components` eigenfaces of n pictures of one size.

    Eigenface m is V_m S_m / sqrt(n - 1), with S and V of the singular value decomposition of the centred pictures (as in
    the code of arXiv 2506.09777), so that a face of the set has coordinates of standard deviation 1. The sign is such that
    the largest pixel is positive. Raises HarnessError for more components than the pictures give.
    """
    count = len(pictures)
    if not 1 <= components < count:
        raise too_many_components(components, count)
    flat = pictures.reshape(count, -1).astype(np.float32) / 255
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    flat -= mean
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    kept = np.argsort(values)[::-1][:components]
    if values[kept[-1]] <= values[kept[0]] * 1e-9:
        raise HarnessError(
            f"the pictures of the basis differ in fewer than {components} ways",
            hint="use fewer --components, or pictures that are not copies of each other",
        )
    faces = (vectors[:, kept].T.astype(np.float32) @ flat / np.sqrt(count - 1)).astype(np.float32)
    largest = faces[np.arange(components), np.abs(faces).argmax(axis=1)]
    faces *= np.where(largest < 0, -1.0, 1.0).astype(np.float32)[:, None]
    height, width, channels = pictures.shape[1:]
    return Basis(mean, faces, (height, width, channels), frozenset(subjects))


def too_many_components(components: int, pictures: int) -> HarnessError:
    """The error where so many eigenfaces are asked of so few pictures, or none."""
    return HarnessError(
        f"{components} eigenfaces cannot be made of {pictures} pictures",
        hint=f"use --components of 1 to {max(pictures - 1, 0)}, or more pictures",
    )
