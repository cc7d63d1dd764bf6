"""Hand requests to a model that computes in batches, so that what shares a batch follows from the plan alone.

The trials of a run are cut into blocks (`harness.run.blocks`). Of a block, the first requests of all its trials are
one wave, the second requests of those that go on are the next, and so on. A wave is handed over once every trial of
the block has come so far, never sooner; so neither the time that a reply takes nor the number of blocks in flight
changes what is in it. A request that was answered before (by an earlier start, in another folder, in another block)
keeps its place; its batch is computed again only where it also holds one that is not answered.

A request that several trials of a wave make (about a blank picture, or about equal samples) is computed alone: it may
come in other blocks too, and must give the same there. Of two equal pictures in neighbouring blocks it is the first
that is computed, but for protocols of several steps: there it may be either.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Batching
from harness.core.request import Request


@dataclass(frozen=True, slots=True)
class _Place:
    """A request in its wave."""

    request: Request
    model: Batching
    reply: asyncio.Future[Generation] | None
    """Where the reply is awaited; None where there is one already."""


class Seat:
    """A trial in its block. Each of its requests is either noted or asked, in their order; at last it leaves."""

    __slots__ = ("_block", "_number", "step")

    def __init__(self, block: Block, number: int) -> None:
        self._block, self._number = block, number
        self.step = 0
        """How many requests it has made."""

    def note(self, request: Request, model: Batching) -> None:
        """A request that is answered otherwise."""
        self._block.arrive(self, self._number, _Place(request, model, None))

    async def ask(self, request: Request, model: Batching) -> Generation:
        """The reply to a request, asked with its wave."""
        reply: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        self._block.arrive(self, self._number, _Place(request, model, reply))
        return await reply

    def leave(self) -> None:
        """The trial has ended."""
        self._block.leave(self)


class Block:
    """Trials whose requests go in waves."""

    def __init__(
        self, group: asyncio.TaskGroup, count: int, on_end: Callable[[], None] = lambda: None
    ) -> None:
        """`count` trials; requests are sent by tasks of `group`. `on_end` is called when the last trial has left."""
        self._group, self._on_end = group, on_end
        self.seats = tuple(Seat(self, number) for number in range(count))
        self._alive = set(self.seats)
        self._asked: dict[int, dict[int, _Place]] = {}
        """Step -> seat -> its request, of waves that are not closed."""
        self._closed = 0
        """How many waves were handed over."""

    def arrive(self, seat: Seat, number: int, place: _Place) -> None:
        """A trial has come to its next request."""
        self._asked.setdefault(seat.step, {})[number] = place
        seat.step += 1
        self._advance()

    def leave(self, seat: Seat) -> None:
        """A trial has ended."""
        self._alive.discard(seat)
        self._advance()
        if not self._alive:
            self._on_end()

    def _advance(self) -> None:
        """Hand over the waves that are complete."""
        while self._closed in self._asked and all(s.step > self._closed for s in self._alive):
            asked = self._asked.pop(self._closed)
            self._closed += 1
            self._hand_over([asked[number] for number in sorted(asked)])

    def _hand_over(self, places: list[_Place]) -> None:
        times = Counter(place.request.key for place in places)
        parts: dict[int, _Part] = {}
        for place in places:
            request, reply = place.request, place.reply
            alone = times[request.key] > 1
            part = _Part(place.model)
            if not alone:
                part = parts.setdefault(id(place.model), part)
                part.requests[request.key] = request
            if reply is not None:
                part.replies[request.key] = reply
                if alone:
                    part.requests[request.key] = request
                    self._send(part)
        for part in parts.values():
            if part.replies:
                self._send(part)

    def _send(self, part: _Part) -> None:
        self._group.create_task(part.settle())


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a wave goes to one model: its requests by their keys, and where replies are awaited."""

    model: Batching
    requests: dict[str, Request] = field(default_factory=dict)
    replies: dict[str, asyncio.Future[Generation]] = field(default_factory=dict)

    async def settle(self) -> None:
        """Ask the model, and hand its replies to those who wait; what it raises, they raise."""
        requests, wanted = list(self.requests.values()), frozenset(self.replies)
        try:
            async with aclosing(self.model.replies(requests, wanted=wanted)) as given:
                async for generation in given:
                    if not self.replies[generation.key].done():
                        self.replies[generation.key].set_result(generation)
            for key, reply in self.replies.items():
                if not reply.done():
                    failed = Generation.failed(key, "server", "the model gave no reply")
                    reply.set_result(failed)
        except (HarnessError, OSError) as error:
            for reply in self.replies.values():
                if not reply.done():
                    reply.set_exception(error)
                    reply.exception()  # nobody may be left to ask
