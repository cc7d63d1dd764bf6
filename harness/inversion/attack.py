"""The attack: zero-order optimisation of a face's coordinates against the scores of an endpoint.

As in the code of arXiv 2506.09777: with noise n ~ N(0, sigma^2 I) and the scores s+ and s- of the faces at c + n and
c - n,

    c <- c + gain (s+ - s-) / (2 sigma) n,        gain = 1e-5 x 37,632 pixels = .37632.

Several starts, where asked for, go so many steps each from the mean face, and the best goes on; a tie goes to the later.
One thing differs: faces are sent as an endpoint takes them, cut to 0..1 and in 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.inversion.basis import Basis, Floats, Pictures

SIGMA = 0.3
GAIN = 0.37632
"""Published learning rate times published number of pixel values."""
STEPS = 500
"""Published steps of each start."""

Ask = Callable[[Pictures, NDArray[np.intp]], Floats]
"""(pictures (n, ...), whose victim's each is (n,)) -> what the endpoint answers (n,); n queries."""


@dataclass(frozen=True, slots=True)
class AttackSettings:
    """How the attack is made."""

    queries: tuple[int, ...] = (200, 500, 1000, 2000)
    """Numbers of queries for each victim at which its face is kept, ascending."""
    sigma: float = SIGMA
    gain: float = GAIN
    restarts: int = 1
    """Starts; the published attack has 10."""
    restart_steps: int = STEPS
    """Steps of each start, where there are several."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.queries or list(self.queries) != sorted(set(self.queries)):
            raise HarnessError(
                f"numbers of queries {list(self.queries)} do not ascend",
                hint="name each once, such as 200,500,1000,2000",
            )
        if self.queries[0] < self.least:
            raise HarnessError(
                f"{self.queries[0]} queries are fewer than the {self.least:,} that the first step needs",
                hint="use more queries, or fewer --restarts",
            )
        if not (0 < self.sigma < 100 and 0 < self.gain < 1000):
            raise HarnessError(
                f"--sigma {self.sigma:g} and --gain {self.gain:g} make no attack",
                hint=f"use positive numbers; published: {SIGMA:g} and {GAIN:g}",
            )
        if self.restarts < 1 or self.restart_steps < 1 or self.seed < 0:
            raise HarnessError(
                f"{self.restarts} starts of {self.restart_steps} steps with seed {self.seed} make no attack",
                hint="use at least 1 start of 1 step, and a seed of 0 or more",
            )

    @property
    def least(self) -> int:
        """Queries before a face can be kept: those of all starts, and of the choice among them."""
        return 2 + (self.restarts * (2 * self.restart_steps + 1) if self.restarts > 1 else 0)

    def details(self) -> dict[str, Any]:
        """The settings as plain values; steps of starts only where there are several."""
        return {
            "queries": list(self.queries), "sigma": self.sigma, "gain": self.gain, "restarts": self.restarts,
            **({"restart_steps": self.restart_steps} if self.restarts > 1 else {}), "seed": self.seed,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What an attack arrived at."""

    coordinates: Floats
    """(Q, victims, K): where each victim's face was at each number of queries."""
    spent: tuple[int, ...]
    """(Q,) queries for each victim until then, counted; fewer than asked where the endpoint answers no more."""


def invert(
    basis: Basis, ask: Ask, victims: int, settings: AttackSettings, *, limit: int | None = None
) -> Trace:
    """Attack all victims in one batch. `limit`: queries for each victim after which the endpoint answers no more.

    The noise follows from the seed alone, so that two attacks against different answers draw the same.
    """
    walk = _Walk(basis, ask, victims, settings, limit)
    walk.choose_start()
    kept, spent = [], []
    for level in settings.queries:
        while walk.spent + 2 <= level and walk.may(2):
            walk.step()
        kept.append(walk.at.copy())
        spent.append(walk.spent)
    return Trace(np.stack(kept), tuple(spent))


class _Walk:
    """Where the attack of each victim stands."""

    def __init__(
        self, basis: Basis, ask: Ask, victims: int, settings: AttackSettings, limit: int | None
    ) -> None:
        self.basis, self.settings, self.limit = basis, settings, limit
        self._ask = ask
        self.at: Floats = np.zeros((victims, len(basis)), dtype=np.float32)
        self.spent = 0
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([settings.seed, 1])))
        self._who = np.arange(victims)

    def may(self, queries: int) -> bool:
        """Whether the endpoint answers so many more."""
        return self.limit is None or self.spent + queries <= self.limit

    def step(self) -> None:
        """One step of all victims: two queries each."""
        noise = self._rng.standard_normal(self.at.shape, dtype=np.float32)
        noise *= np.float32(self.settings.sigma)
        probes = self.basis.render(np.concatenate([self.at + noise, self.at - noise]))
        plus, minus = self.scores(probes, np.tile(self._who, 2)).reshape(2, -1)
        rate = np.float32(self.settings.gain / (2 * self.settings.sigma))
        self.at = self.at + rate * (plus - minus)[:, None] * noise

    def scores(self, pictures: Pictures, who: NDArray[np.intp]) -> Floats:
        """What the endpoint answers, counted."""
        self.spent += len(pictures) // len(self._who)
        found: Floats = np.asarray(self._ask(pictures, who), dtype=np.float32)
        return found

    def choose_start(self) -> None:
        """Go from the mean face several times and keep each victim's best, where several starts are asked for."""
        if self.settings.restarts == 1:
            return
        best = np.full(len(self._who), -np.inf, dtype=np.float32)
        chosen = self.at
        for _ in range(self.settings.restarts):
            if not self.may(3):
                break
            self.at = np.zeros_like(chosen)
            for _ in range(self.settings.restart_steps):
                if self.may(3):
                    self.step()
            found = self.scores(self.basis.render(self.at), self._who)
            better = found >= best
            chosen = np.where(better[:, None], self.at, chosen)
            best = np.where(better, found, best)
        self.at = chosen


def random_coordinates(victims: int, components: int, *, seed: int) -> Floats:
    """Coordinates (victims, components) of random faces, N(0, 1): a control."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 3])))
    return rng.standard_normal((victims, components), dtype=np.float32)
