"""What a recogniser makes of rebuilt faces: whether it takes them for the victim, and where it ranks the victim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.inversion.basis import Floats, Pictures
from harness.inversion.people import People
from harness.inversion.service import cosine_table, embedded
from harness.similarity import Recogniser

FAR = 0.01
LEAST_IMPOSTORS = 100
"""Pairs of different people below which no threshold lets 1% of them through."""
MOST_IMPOSTORS = 20_000
"""Pairs of different people that are compared; of more, so many are drawn."""
_CHUNK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """How well a recogniser tells the scored people apart on their true pictures."""

    threshold: float
    """Scores from here on are accepted."""
    far: float
    """Share of pairs of different people that it accepts: at most FAR."""
    tar: float
    """Share of pairs of one person that it accepts."""
    auroc: float
    genuine: int
    impostors: int


class Judge:
    """A recogniser, the scored people, and its threshold at a false accept rate of 1%.

    The first picture of each person is the one that may have been attacked; only the others are compared with.
    """

    def __init__(self, recogniser: Recogniser, people: People, *, seed: int) -> None:
        self.name, self.identity = recogniser.name, recogniser.identity
        self._recogniser, self._people = recogniser, people
        self._pictures, self._owners = people.every(), people.owners()
        self._vectors = embedded(recogniser, self._pictures)
        first = np.searchsorted(self._owners, np.arange(len(people)))
        self._others = np.setdiff1d(np.arange(len(self._owners)), first)
        self._genuine, self._impostor = self._pair_scores(seed)
        self.verification = verify(self._genuine, self._impostor)

    def told(self, answers: Callable[[Floats], Floats]) -> Verification:
        """The same of what an endpoint tells in place of its scores."""
        return verify(answers(self._genuine), answers(self._impostor))

    def table(self, pictures: Pictures) -> Floats:
        """Scores (n, others) of pictures against each person's other pictures."""
        if self._vectors is not None:
            vectors = embedded(self._recogniser, pictures)
            assert vectors is not None
            return cosine_table(vectors, self._vectors[self._others])
        count = len(self._others)
        a = np.repeat(np.arange(len(pictures)), count)
        b = np.tile(self._others, len(pictures))
        return self._compared(pictures, a, b).reshape(len(pictures), count)

    def accepted(self, table: Floats) -> NDArray[np.float64]:
        """Share (n, people) of each person's other pictures against which each row of a `table` is accepted."""
        over = (table >= self.verification.threshold).astype(np.float64)
        found: NDArray[np.float64] = over @ self._members()
        return found

    def rank(self, table: Floats, persons: NDArray[np.intp]) -> NDArray[np.float64]:
        """Place (n,) of the person (n,) among all by the mean score against their other pictures; 1 is best.

        Equal means share their places.
        """
        means = table.astype(np.float64) @ self._members()
        own = means[np.arange(len(table)), persons][:, None]
        found: NDArray[np.float64] = (
            1.0 + (means > own).sum(axis=1) + ((means == own).sum(axis=1) - 1) / 2
        )
        return found

    def _members(self) -> NDArray[np.float64]:
        """(others, people): one over the number of a person's other pictures where it is theirs, so that products are means."""
        owners = self._owners[self._others]
        member = (owners[:, None] == np.arange(len(self._people))).astype(np.float64)
        found: NDArray[np.float64] = member / member.sum(axis=0)
        return found

    def _pair_scores(self, seed: int) -> tuple[Floats, Floats]:
        """Scores of all pairs of one person, and of (at most MOST_IMPOSTORS) pairs of two."""
        a, b = np.triu_indices(len(self._owners), 1)
        same = self._owners[a] == self._owners[b]
        apart = np.flatnonzero(~same)
        if apart.size > MOST_IMPOSTORS:
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 4])))
            apart = np.sort(rng.choice(apart, MOST_IMPOSTORS, replace=False))
        if apart.size < LEAST_IMPOSTORS:
            raise HarnessError(
                f"{apart.size} pairs of different people give no threshold at a false accept rate of {FAR:.0%}",
                hint="use more people or more pictures",
            )
        return (
            self._compared(self._pictures, a[same], b[same]),
            self._compared(self._pictures, a[apart], b[apart]),
        )

    def _compared(self, pictures: Pictures, a: NDArray[np.intp], b: NDArray[np.intp]) -> Floats:
        """Scores of `pictures[a]` against the scored pictures `b`."""
        if self._vectors is not None:
            return cosine_table(self._vectors, self._vectors)[a, b]
        parts = [
            self._recogniser.similarity(
                list(pictures[a[at : at + _CHUNK]]), list(self._pictures[b[at : at + _CHUNK]])
            )
            for at in range(0, len(a), _CHUNK)
        ]
        return np.concatenate(parts)


def verify(genuine: Floats, impostor: Floats) -> Verification:
    """The lowest threshold that accepts at most FAR of the pairs of different people, and what it accepts.

    Where scores are coarse the share accepted may be far below FAR; it is told.
    """
    levels = np.unique(np.concatenate([genuine, impostor]))
    ordered = np.sort(impostor)
    shares = 1 - np.searchsorted(ordered, levels, side="left") / len(ordered)
    allowed = levels[shares <= FAR]
    threshold = float(allowed[0]) if allowed.size else float(np.nextafter(levels[-1], np.float32(np.inf)))  # fmt: skip
    below = np.searchsorted(ordered, genuine, side="left")
    upto = np.searchsorted(ordered, genuine, side="right")
    return Verification(
        threshold, float((impostor >= threshold).mean()), float((genuine >= threshold).mean()),
        float((below + upto).mean() / (2 * len(ordered))), len(genuine), len(impostor),
    )  # fmt: skip
