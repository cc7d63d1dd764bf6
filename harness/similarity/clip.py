"""`similarity:clip:PATH`: the picture features of a dual encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image

from harness.models.dual.encoder import DualEncoder
from harness.models.dual.model import DualCheckpoint, find_dual
from harness.models.transformers.libraries import import_libraries
from harness.similarity.recogniser import Pixels, Vectors, cosine_similarity

BATCH = 32


class ClipRecogniser:
    """Features of whole pictures, loaded when they are first used. CLIP was not trained to tell persons apart."""

    def __init__(self, found: DualCheckpoint, *, name: str) -> None:
        self.name, self.identity = name, f"similarity of {found.identity}"
        self._found = found
        self._encoder: DualEncoder | None = None

    def embed(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, d) of length 1, in the space of texts."""
        torch, _ = import_libraries()
        if self._encoder is None:
            self._encoder = self._found.load()
        parts: list[Vectors] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                given = [PIL.Image.fromarray(one) for one in pictures[start : start + BATCH]]
                found = self._encoder.of_pictures(self._encoder.pixels(given))
                parts.append(found.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def similarity(self, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
        """Cosines."""
        return cosine_similarity(self, a, b)


def open_clip(argument: str, *, name: str) -> ClipRecogniser:
    """The encoder in a folder or on the hub; `tiny` is clip:tiny. Raises HarnessError as `clip:` models do."""
    return ClipRecogniser(find_dual(argument), name=name)
