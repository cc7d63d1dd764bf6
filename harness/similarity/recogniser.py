"""What every recogniser does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), RGB."""
Vectors: TypeAlias = NDArray[np.float32]


@runtime_checkable
class Recogniser(Protocol):
    """Says how alike the faces of two pictures are. Not for several threads at once."""

    @property
    def name(self) -> str:
        """As the user wrote it: `similarity:tiny`."""

    @property
    def identity(self) -> str:
        """All that determines its scores besides the pictures: weights' hash, versions, or the address of a service."""

    def embed(self, pictures: Sequence[Pixels]) -> Vectors | None:
        """(n, d) float32 of length 1 each; None where it gives scores and no embeddings.

        Raises MediaError where no face is found in a picture and the recogniser needs one.
        """

    def similarity(self, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
        """(n,) float32 in [-1, 1], greater where the faces of `a[i]` and `b[i]` are more alike.

        Raises MediaError as `embed` does, HarnessError where a service does not answer.
        """


def cosines(a: Vectors, b: Vectors) -> Vectors:
    """(n,) cosines of the rows of two arrays (n, d) of length 1, within [-1, 1]."""
    found: Vectors = np.clip(np.einsum("ij,ij->i", a, b), -1.0, 1.0).astype(np.float32)
    return found


def cosine_similarity(recogniser: Recogniser, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
    """The similarity of a recogniser with embeddings. Raises ValueError for unlike numbers of pictures."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} pictures cannot be compared with {len(b)}, one by one")
    if not a:
        return np.zeros(0, np.float32)
    found = recogniser.embed([*a, *b])
    if found is None:
        raise ValueError(f"{recogniser.name} gives no embeddings")
    return cosines(found[: len(a)], found[len(a) :])


def of_length_one(vectors: NDArray[np.floating]) -> Vectors:
    """(n, d) float32, each row divided by its length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1.0, lengths)).astype(np.float32)
