"""A replica of a model: what is asked of one, wherever it runs, and what the servers of several did together."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from harness.core.errors import HarnessError
from harness.core.model import CacheCounts
from harness.core.text import counted
from harness.models.wire import Order, Place, Told

COUNTED = 10.0
"""Seconds within which all replicas must have said what the caches of their servers did."""


class ReplicaLost(Exception):
    """A replica ended, or cannot be reached."""

    seen: float = math.inf
    """When it last gave a sign of life, on the clock of `time.monotonic`."""


class Replica(Protocol):
    """A process that was started, with or without a model."""

    @property
    def place(self) -> Place: ...

    async def open(self, order: Order) -> Told: ...

    def ask(self, asked: bytes) -> AsyncGenerator[bytes, None]: ...

    async def cache_counts(self) -> CacheCounts | None: ...

    async def end(self) -> None: ...


class Starts(Protocol):
    """Starts replicas of one kind."""

    @property
    def details(self) -> Mapping[str, str]: ...

    async def begin(self) -> None:
        """Make ready what replicas are placed on, once however often it is called."""
        ...

    async def start(self, number: int) -> Replica: ...

    async def close(self) -> None: ...


async def count_servers(
    replicas: Sequence[tuple[Replica, CacheCounts | None]],
) -> CacheCounts | None:
    """What the caches of the servers of replicas did since they had done what is given with each, summed; None where one
    is lost or does not tell."""
    try:
        async with asyncio.timeout(COUNTED):
            each = await asyncio.gather(*(replica.cache_counts() for replica, _ in replicas))
    except (TimeoutError, ReplicaLost, HarnessError):
        return None
    return summed_counts(
        # All that a server counted where it did not run before.
        [
            now if now is None or then is None else now.since(then)
            for now, (_, then) in zip(each, replicas, strict=True)
        ]
    )


def summed_counts(each: Sequence[CacheCounts | None]) -> CacheCounts | None:
    """The counts of several servers as those of one; None where one does not tell, or counts in another way."""
    known = [one for one in each if one is not None]
    if not known or len(known) < len(each) or len({(one.server, one.block) for one in known}) > 1:
        return None
    return CacheCounts(
        known[0].server,
        sum(one.prompt_tokens for one in known),
        sum(one.cached_tokens for one in known),
        sum(one.pictures for one in known),
        sum(one.pictures_cached for one in known),
        known[0].block,
    )


def too_few_gpus(replicas: int, *, each: int, there: int, place: str) -> HarnessError:
    """The error for replicas that want more GPUs than a place has."""
    wanted = f"{counted(replicas, 'replica')} with {counted(each, 'GPU')} each"
    return HarnessError(
        f"{wanted}: {place} has {there} of the {counted(replicas * each, 'GPU')} needed",
        hint="ask for fewer --replicas, or for a smaller --gpus-per-replica (0: on the CPU)",
    )
