"""`similarity:tiny`: the built-in encoder of persons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.text import digest_file
from harness.face_tiny import NAME, weights_folder
from harness.models.transformers.libraries import import_libraries
from harness.similarity.recogniser import Pixels, Vectors, cosine_similarity

READER = 1
"""Changes whenever the same picture would reach the network otherwise."""
BATCH = 64


class TinyRecogniser:
    """The embedded network, loaded when it is first used. It was trained on drawn faces alone."""

    def __init__(self, folder: Path, *, name: str = NAME) -> None:
        self.name = name
        self._folder = folder
        self.identity = (
            f"similarity:tiny weights={digest_file(folder / 'model.safetensors')} reader={READER}"
        )
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, 128) of length 1. The shorter side is made 112 pixels, and the middle is read."""
        return self._read(pictures)[0]

    def similarity(self, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
        """Cosines."""
        return cosine_similarity(self, a, b)

    def wrinkles(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        """(n,) standing wrinkles in [0, 1] (`harness.faces.ranges.AGE_YEARS` turns them into years)."""
        return np.clip(self._read(pictures)[1].astype(np.float64), 0.0, 1.0)

    def _read(self, pictures: Sequence[Pixels]) -> tuple[Vectors, Vectors]:
        """Embeddings (n, 128) and wrinkles (n,)."""
        from harness.face_tiny.network import EMBEDDING, prepared, scaled

        torch, network = self._network()
        found = [(np.zeros((0, EMBEDDING), np.float32), np.zeros(0, np.float32))]
        with torch.inference_mode(), _one_thread(torch):
            for start in range(0, len(pictures), BATCH):
                given = prepared(pictures[start : start + BATCH])
                embeddings, ages = network(scaled(torch.from_numpy(given)))
                found.append((embeddings.numpy(), ages.numpy()))
        return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])

    def _network(self) -> tuple[Any, Any]:
        if self._loaded is None:
            torch, _ = import_libraries()
            from harness.face_tiny.network import load

            self._loaded = (torch, load(self._folder))
        return self._loaded


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """So small a network spends longer on handing work out than on the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def open_tiny(argument: str, *, name: str) -> TinyRecogniser:
    """The built-in encoder. Raises HarnessError where its weights are missing."""
    if argument:
        raise HarnessError(f"there is no {name!r}", hint=f"write {NAME}")
    folder = weights_folder()
    if not (folder / "model.safetensors").is_file():
        raise HarnessError(
            f"the weights of {NAME} are not in {folder}",
            hint="install the package again; or, in a checkout of the repository, train them: "
            f"python -m harness.face_tiny.training.train --out {folder}",
        )
    return TinyRecogniser(folder, name=NAME)
