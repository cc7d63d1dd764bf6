"""A model in several processes: requests go to a replica that is free, and to another one where a replica is lost.

Nothing here knows how a replica is started or reached (`harness.models.replica_process`, `harness.models.ray_replicas`).
Replies come back to the one process that writes the journal.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from hashlib import sha256

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Text
from harness.core.model import (
    Batching,
    CacheCounts,
    Card,
    CountsCaches,
    Detailed,
    KeepsApart,
    Measured,
    Measuring,
    Model,
    Probing,
)
from harness.core.request import Request
from harness.models.replica import Replica, ReplicaLost, Starts, count_servers
from harness.models.wire import Order, Told, pack_asked, unpack_generation

TRIES = 3
"""Replicas that may be lost over one request before it counts as failed."""
STARTS = 3
"""Starts of one replica in a row that may fail before the run goes on without it."""
PLACED = 50.0
"""Seconds within which a replica must have been placed; Ray's own start and loading its weights are not counted."""
READY = 3600.0
"""Longest time in seconds until its model is open."""
RESUME = "run the same command again to continue; only missing requests are sent"


@dataclass(slots=True)
class Worker:
    """How one replica stands."""

    number: int
    state: str = "waiting"
    """`waiting`, `starting`, `loading`, `ready`, `lost`, `given up` or `ended`."""
    place: str = ""
    replies: int = 0
    flying: int = 0
    """Calls in flight."""
    replica: Replica | None = None
    fault: HarnessError | None = None
    seen: float = 0.0
    """When it last gave a sign of life: its model was open, or a reply came."""
    counted: CacheCounts | None = None
    """What the caches of its server had done before its first request of the run."""

    @property
    def ready(self) -> bool:
        return self.replica is not None and self.state == "ready"


Noting = Callable[[Worker], None]


class Replicated:
    """A Model over several replicas. They are started by `load`, or by the first request."""

    def __init__(
        self,
        inner: Model,
        order: Order,
        starts: Callable[[], Starts],
        count: int,
        *,
        note: Noting = lambda worker: None,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
        placed: float = PLACED,
    ) -> None:
        """`inner` is the model as it is opened here, for its card and for measuring; it is never asked. `starts` is
        called when replicas are needed. `note` is told of each change, `say` of what a person must know."""
        self._inner, self._order, self._starts, self._count = inner, order, starts, count
        self._note, self._say, self._placed = note, say, placed
        self._card = replace(inner.card, window=inner.card.window * count)
        self._starter: Starts | None = None
        self._changed = asyncio.Condition()
        self._keeping: list[asyncio.Task[None]] = []
        self._detail = ""
        self._any_lost = False
        self._without: list[str] = []
        """Sentences on replicas that were given up, until another one is there to go on with."""
        self.workers = tuple(Worker(number) for number in range(count))

    @property
    def card(self) -> Card:
        """That of the model, with the window of all replicas; what they found is on it once they are open."""
        return self._card

    @property
    def replicas(self) -> int:
        """How many there are to be."""
        return self._count

    @property
    def standing(self) -> str:
        """How the replicas stand, with the replies of each: `replicas 2 of 2 (64, 60)`."""
        ready = sum(worker.ready for worker in self.workers)
        each = ", ".join(f"{worker.replies:,}" for worker in self.workers)
        return f"replicas {ready} of {self._count} ({each})"

    async def load(self) -> None:
        """Start the replicas, and wait for the first. Raises HarnessError where none can be started."""
        await self._begin()
        await self._free(None)

    async def measure(self, request: Request) -> Measured | None:
        """As the model here measures it."""
        return await self._inner.measure(request) if isinstance(self._inner, Measuring) else None

    async def reply(self, request: Request) -> Generation:
        """Ask a replica. Raises HarnessError where none is left."""
        async with aclosing(self._ask([request], [request.key])) as given:
            async for generation in given:
                return generation
        return Generation.failed(request.key, "server", "the replica gave no reply")

    async def close(self) -> None:
        """End all replicas, so that the next model has their GPUs."""
        keeping, self._keeping = self._keeping, []
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        starter, self._starter = self._starter, None
        if starter is not None:
            await starter.close()
        await self._inner.close()
        self._changed = asyncio.Condition()  # the old one belongs to its loop

    async def _begin(self) -> None:
        if self._starter is None:
            starter = self._starter = self._starts()
            details = dict(self._card.details) | dict(starter.details)
            self._card = replace(self._card, details=details)
            for worker in self.workers:
                worker.state, worker.fault = "waiting", None
            self._keeping = [
                asyncio.create_task(self._keep(worker, starter)) for worker in self.workers
            ]

    async def _ask(
        self, requests: Sequence[Request], wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """The replies of one replica, and of others where it is lost. The last try is made for each request alone, so
        that one which ends its replica fails by itself. A replica that gave no sign of life since the one before was lost
        may have ended with that one, as all do on a machine that ends, and is no try."""
        await self._begin()
        left = list(dict.fromkeys(wanted))
        lost, since = 0, -math.inf
        while lost < TRIES:
            alone = lost == TRIES - 1 and len(left) > 1
            parts = [[r] for r in requests if r.key in left] if alone else [list(requests)]
            signs: list[float] = []
            for part in parts:
                keys = [key for key in left if any(key == r.key for r in part)]
                try:
                    async with aclosing(self._once(part, keys)) as given:
                        async for generation in given:
                            left.remove(generation.key)
                            yield generation
                except ReplicaLost as error:
                    signs.append(error.seen)
            if not signs:
                break
            lost += max(signs) > since
            since = time.monotonic()
        for key in left:
            yield Generation.failed(
                key, "server", f"{TRIES} replicas were lost, one after the other, while they had this request"
            )  # fmt: skip

    async def _once(
        self, requests: Sequence[Request], wanted: Sequence[str]
    ) -> AsyncGenerator[Generation, None]:
        """The replies of one replica. Raises ReplicaLost."""
        try:
            asked = pack_asked(requests, wanted)
        except ValueError as error:
            for key in wanted:
                yield Generation.failed(key, "unsupported", f"it cannot be sent: {error}"[:500])
            return
        worker = await self._free(_picture(requests[0]) if len(requests) == 1 else None)
        used = worker.replica
        assert used is not None
        worker.flying += 1
        try:
            async with aclosing(used.ask(asked)) as given:
                async for data in given:
                    worker.replies += 1
                    worker.seen = time.monotonic()
                    self._note(worker)
                    yield unpack_generation(data)
        except ReplicaLost as error:
            error.seen = worker.seen
            await self._lose(worker, used, str(error))
            raise
        finally:
            worker.flying -= 1

    async def _free(self, picture: str | None) -> Worker:
        """The least busy replica. Requests about one picture go to the same one as long as that is not far busier than
        another. Raises HarnessError where none is left."""
        async with self._changed:
            while not (ready := [worker for worker in self.workers if worker.ready]):
                if all(worker.state == "given up" for worker in self.workers):
                    raise self._none_left()
                await self._changed.wait()
        least = min(ready, key=lambda worker: (worker.flying, worker.number))
        if picture is None:
            return least
        own = max(ready, key=lambda one: sha256(f"{picture} {one.number}".encode()).digest())
        room = self._inner.card.window
        return own if own.flying < room or least.flying >= room else least

    def _none_left(self) -> HarnessError:
        for worker in self.workers:
            if worker.fault is not None:
                return worker.fault
        return HarnessError(f"no replica of {self._card.name} is left", hint=RESUME)

    async def _lose(self, worker: Worker, used: Replica, why: str) -> None:
        """Take a replica out, once; another is started in its place."""
        if worker.replica is used:
            worker.replica, self._any_lost = None, True
            self._say(f"replica {worker.number + 1} ({worker.place}) was lost: {why}")
            await self._set(worker, "lost")

    async def _set(self, worker: Worker, state: str) -> None:
        worker.state = state
        self._note(worker)
        if any(one.state in {"loading", "ready"} for one in self.workers):
            for line in self._without:
                self._say(line)
            self._without.clear()
        async with self._changed:
            self._changed.notify_all()

    async def _keep(self, worker: Worker, starter: Starts) -> None:
        """Start a replica, and another one where it is lost, until it is cancelled or cannot be started."""
        failed = 0
        replica: Replica | None = None
        try:
            while failed < STARTS:
                before = worker.replies
                fault: HarnessError | None = None
                replica = None
                try:
                    await self._set(worker, "starting")
                    await starter.begin()
                    async with asyncio.timeout(self._placed):
                        replica = await starter.start(worker.number)
                    worker.place = str(replica.place)
                    await self._set(worker, "loading")
                    async with asyncio.timeout(READY):
                        await self._open(worker, replica)
                except TimeoutError:
                    fault = self._late(worker, placed=replica is not None)
                    failed = STARTS
                except ReplicaLost as error:
                    fault = _fault(worker, f"could not be started: {error}")
                except HarnessError as error:
                    fault, failed = error, STARTS
                else:
                    worker.replica, worker.seen = replica, time.monotonic()
                    await self._set(worker, "ready")
                    async with self._changed:
                        await self._changed.wait_for(lambda: worker.replica is None)
                if replica is not None:
                    await replica.end()
                failed = 0 if fault is None and worker.replies > before else failed + 1
                worker.fault = fault
            said = worker.fault or _fault(worker, f"was lost {STARTS} times without a reply")
            worker.fault = said
            self._without.append(
                f"the run goes on without replica {worker.number + 1}: {said.message}"
            )
            await self._set(worker, "given up")
        finally:
            worker.replica = None
            if worker.state != "given up":
                worker.state = "ended"
                self._note(worker)
            if replica is not None:
                with suppress(ReplicaLost):
                    await asyncio.shield(replica.end())

    async def _open(self, worker: Worker, replica: Replica) -> None:
        """Open the model there as it is ordered, and again where the order has changed meanwhile."""
        order: Order | None = None
        while order is not self._order:
            order = self._order
            self._learn(await replica.open(order))
            if isinstance(self._inner, CountsCaches):
                worker.counted = await replica.cache_counts()

    def _learn(self, told: Told) -> None:
        """Take what a replica says of its model. Raises HarnessError where it is another model."""
        if told.card.identity != self._inner.card.identity:
            raise HarnessError(
                f"the replica on {told.place.host} has another {self._card.name} than this machine",
                hint="use the same checkpoint, versions and hardware settings on all machines",
            )
        self._detail = told.note
        details = dict(told.card.details) | dict(self._starter.details if self._starter else {})
        self._card = replace(told.card, window=self._card.window, details=details)

    def _late(self, worker: Worker, *, placed: bool) -> HarnessError:
        if placed:
            return _fault(worker, f"had no model after {READY:.0f} s")
        return HarnessError(
            f"replica {worker.number + 1} was not placed within {self._placed:.0f} s",
            hint="ask for fewer --replicas or a smaller --gpus-per-replica, or see what else uses the machines",
        )


class ReplicatedBatches(Replicated):
    """Replicas of a model that computes in batches: what belongs together goes to one of them."""

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """As `harness.core.model.Batching` says."""
        async with aclosing(self._ask(requests, wanted)) as given:
            async for generation in given:
                yield generation


class ReplicatedServers(Replicated):
    """Replicas of a model that must be tried first: each of them is."""

    async def probe(self, needs: frozenset[Need]) -> None:
        """Have each replica find out which of these hold; those that are open are opened again."""
        await self._reopen(replace(self._order, needs=self._order.needs | needs))

    async def prove_detail(self, wanted: Sequence[str]) -> str:
        """Have each replica try these words; what the last of them found."""
        await self._reopen(replace(self._order, details=tuple(wanted)))
        return self._detail

    async def prove_apart(self) -> None:
        """Have each replica find out whether it keeps pictures apart. Raises HarnessError where one mixes them up."""
        if isinstance(self._inner, KeepsApart):
            await self._reopen(replace(self._order, apart=True))

    async def cache_counts(self) -> CacheCounts | None:
        """Summed over the servers of all replicas that are open, each since it was. None where one does not tell, and where
        a replica was lost: its counts are gone with it."""
        open_now = [(one.replica, one.counted) for one in self.workers if one.ready and one.replica]
        if not open_now or self._any_lost or not isinstance(self._inner, CountsCaches):
            return None
        return await count_servers(open_now)

    async def _reopen(self, order: Order) -> None:
        self._order = order
        await self._begin()
        await self._free(None)
        opened = [one.replica for one in self.workers if one.replica is not None and one.ready]
        told = await asyncio.gather(
            *(replica.open(order) for replica in opened), return_exceptions=True
        )
        # Servers start side by side; what one of them lacks is said once all have answered.
        for one in told:
            if isinstance(one, BaseException):
                raise one
            self._learn(one)


class ReplicatedHearing(ReplicatedServers, ReplicatedBatches):
    """Replicas of a model that computes in batches and must be tried first."""


def replicated(
    inner: Model, order: Order, starts: Callable[[], Starts], count: int, *, note: Noting
) -> Replicated:
    """A model over replicas that can do what the model can."""
    tried, kind = isinstance(inner, Probing | Detailed), Replicated
    if isinstance(inner, Batching):
        kind = ReplicatedHearing if tried else ReplicatedBatches
    elif tried:
        kind = ReplicatedServers
    return kind(inner, order, starts, count, note=note)


def _picture(request: Request) -> str | None:
    """The digest of its first picture."""
    parts = (part for message in request.messages for part in message.parts)
    return next((part.digest for part in parts if not isinstance(part, Text)), None)


def _fault(worker: Worker, what: str) -> HarnessError:
    return HarnessError(f"replica {worker.number + 1} {what}", hint=RESUME)
