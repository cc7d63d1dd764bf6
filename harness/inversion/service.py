"""The endpoint as an attacker meets it: pictures go in, an answer about an enrolled person comes out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, MediaError
from harness.inversion.attack import Ask
from harness.inversion.basis import Floats, Pictures
from harness.inversion.defences import Defence
from harness.similarity import Recogniser
from harness.stats.product import product

NO_FACE = -1.0
"""Similarity where a recogniser finds no face in a picture: the least there is."""


def embedded(recogniser: Recogniser, pictures: Pictures) -> Floats | None:
    """(n, d) embeddings, nan where no face is found; None where the recogniser gives scores alone."""
    try:
        return recogniser.embed(list(pictures))
    except MediaError:
        rows = [_one(recogniser, picture) for picture in pictures]
        width = next((len(row) for row in rows if row is not None), 1)
        nothing = np.full(width, np.nan, dtype=np.float32)
        return np.stack([nothing if row is None else row for row in rows])


def _one(recogniser: Recogniser, picture: NDArray[np.uint8]) -> Floats | None:
    try:
        found = recogniser.embed([picture])
    except MediaError:
        return None
    return None if found is None else found[0]


def cosine_table(a: Floats, b: Floats) -> Floats:
    """(n, m) cosines of embeddings (n, d) and (m, d); NO_FACE where one of the two has no face."""
    cosines = np.clip(product(a, b.T), -1, 1)
    found: Floats = np.nan_to_num(cosines, nan=NO_FACE).astype(np.float32)
    return found


class Service:
    """A recogniser with enrolled people, the victims first, one picture each."""

    def __init__(self, recogniser: Recogniser, enrolled: Pictures) -> None:
        """Raises HarnessError where the recogniser finds no face in an enrolled picture."""
        self._recogniser = recogniser
        self._enrolled = enrolled
        self._vectors = embedded(recogniser, enrolled)
        if self._vectors is not None and np.isnan(self._vectors).any():
            place = int(np.isnan(self._vectors).any(axis=1).argmax())
            raise HarnessError(
                f"{recogniser.name} finds no face in the enrolled picture of person {place + 1}",
                hint="use another recogniser, or pictures in which it finds a face",
            )

    def scores(self, pictures: Pictures, who: NDArray[np.intp]) -> Floats:
        """Similarity (n,) of each picture to the enrolled picture of the person `who` (n,)."""
        if self._vectors is None:
            return self._recogniser.similarity(list(pictures), list(self._enrolled[who]))
        found = (self._embedded(pictures) * self._vectors[who]).sum(axis=1)
        alike: Floats = np.nan_to_num(np.clip(found, -1, 1), nan=NO_FACE).astype(np.float32)
        return alike

    def table(self, pictures: Pictures) -> Floats:
        """Similarity (n, people) of each picture to everybody."""
        people = len(self._enrolled)
        if self._vectors is None:
            everyone = np.tile(np.arange(people), len(pictures))
            return self.scores(np.repeat(pictures, people, axis=0), everyone).reshape(-1, people)
        return cosine_table(self._embedded(pictures), self._vectors)

    def defended(self, defence: Defence, *, seed: int) -> Ask:
        """What the attacker is told under a defence.

        Where only the K most similar people are named, in order, the attacker takes a place for a score: 1 for the first,
        1/K for the last, 0 for a victim who is not named.
        """
        if defence.places is not None:
            return self._by_place(min(defence.places, len(self._enrolled)))
        told = defence.answers(seed=seed)
        return lambda pictures, who: told(self.scores(pictures, who))

    def _by_place(self, named: int) -> Ask:
        def ask(pictures: Pictures, who: NDArray[np.intp]) -> Floats:
            table = self.table(pictures)
            own = table[np.arange(len(pictures)), who]
            place = (table > own[:, None]).sum(axis=1)
            found: Floats = np.clip(1 - place / named, 0, 1).astype(np.float32)
            return found

        return ask

    def _embedded(self, pictures: Pictures) -> Floats:
        found = embedded(self._recogniser, pictures)
        assert found is not None  # it embedded the enrolled pictures
        return found
