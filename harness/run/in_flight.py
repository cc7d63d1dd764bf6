"""How many trials are in flight, and about how many samples, so that a server's cache of encoded pictures holds them."""

from __future__ import annotations

import asyncio
from collections import Counter


class InFlight:
    """Lets trials begin that come sample after sample."""

    def __init__(self, window: int, *, pictures: int | None = None) -> None:
        """At most `window` trials, and of at most so many samples (None: no limit), are in flight."""
        self._window = asyncio.Semaphore(window)
        self._pictures = None if pictures is None else asyncio.Semaphore(pictures)
        self._trials: Counter[str] = Counter()
        """Of each sample, where these are limited."""

    async def enter(self, sample: str) -> None:
        """Wait until a trial of a sample may begin. Called for one trial after the other."""
        if self._pictures is not None:
            if not self._trials[sample]:
                await self._pictures.acquire()
            self._trials[sample] += 1
        await self._window.acquire()

    def leave(self, sample: str) -> None:
        """A trial of it has ended."""
        self._window.release()
        if self._pictures is not None:
            self._trials[sample] -= 1
            if not self._trials[sample]:
                del self._trials[sample]
                self._pictures.release()


def pictures_that_fit(cache: str, tokens: int) -> int | None:
    """How many samples of so many picture tokens a cache holds, whose size in tokens a model tells on its card; None
    where it tells none, or the samples have no pictures."""
    return max(1, int(cache) // tokens) if cache.isdecimal() and tokens else None
