"""`similarity:dlib`: dlib's network of 2017, faces found and aligned by the harness's own detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image

from harness.core.errors import HarnessError, MediaError
from harness.detector import DETECTOR, FaceDetector
from harness.detector.embedding import EMBEDDER, FaceEmbedder, weights_file
from harness.similarity.recogniser import Pixels, Vectors, cosine_similarity, of_length_one


class DlibRecogniser:
    """Embeddings of the largest face of each picture, scaled to length 1.

    dlib compares by distance and does not scale, so its own threshold of .6 does not apply to these cosines.
    """

    identity = f"{EMBEDDER}; {DETECTOR}; scaled to length 1"

    def __init__(self, *, name: str) -> None:
        self.name = name
        self._detector, self._embedder = FaceDetector(), FaceEmbedder()

    def embed(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, 128). Raises MediaError where no face is found in a picture."""
        return of_length_one(np.array([self._one(one, at) for at, one in enumerate(pictures)]).reshape(-1, 128))  # fmt: skip

    def similarity(self, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
        """Cosines."""
        return cosine_similarity(self, a, b)

    def _one(self, pixels: Pixels, at: int) -> Vectors:
        picture = PIL.Image.fromarray(pixels)
        found = self._detector.find(picture)
        if not found or not found[0].points:
            raise MediaError(
                f"no face with landmarks is found in picture {at + 1}",
                kind="unsupported",
                hint="leave the pair out, or use a recogniser that looks for no face",
            )
        return self._embedder.embed(picture, found[0].marks).astype(np.float32)


def open_dlib(argument: str, *, name: str) -> DlibRecogniser:
    """The recogniser. Raises HarnessError where the extra `dlib` is not installed."""
    if argument:
        raise HarnessError(f"there is no {name!r}", hint="write similarity:dlib")
    weights_file()
    return DlibRecogniser(name=name)
