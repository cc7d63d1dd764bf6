"""Hand requests to a model that computes in batches, so that what shares a batch follows from the plan alone.

The trials of a run are cut into blocks (`harness.run.blocks`). Of a block, the first requests of all its trials are
one wave, the second requests of those that go on are the next, and so on. A wave is handed over once every trial of
the block has come so far, never sooner; so neither the time that a reply takes nor the number of blocks in flight
changes what is in it. A request that was answered before (by an earlier start, or in another folder) keeps its
place, and so does one that is not wanted for another reason; its batch is computed again only where it also holds
one that is wanted.

A request that several trials make belongs to the first block that makes it. Blocks close their waves in the order of
the plan, so that this, too, is the same each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Batching
from harness.core.request import Request
from harness.run.digests import Digests
from harness.run.journal import short_key


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

    def __init__(self, waves: Waves, count: int, on_end: Callable[[], None]) -> None:
        self._waves, self._on_end = waves, on_end
        self.seats = tuple(Seat(self, number) for number in range(count))
        self._alive = set(self.seats)
        self._asked: dict[int, dict[int, _Place]] = {}
        """Step -> seat -> its request, of waves that are not closed."""
        self.closed = 0
        """How many waves were handed over."""

    @property
    def ended(self) -> bool:
        return not self._alive and not self._asked

    @property
    def complete(self) -> bool:
        """Whether everything of the next wave is there."""
        return self.closed in self._asked and all(s.step > self.closed for s in self._alive)

    def arrive(self, seat: Seat, number: int, place: _Place) -> None:
        self._asked.setdefault(seat.step, {})[number] = place
        seat.step += 1
        self._waves.advance()

    def leave(self, seat: Seat) -> None:
        self._alive.discard(seat)
        self._waves.advance()
        if not self._alive:
            self._on_end()

    def close_wave(self) -> list[_Place]:
        """The next wave in the order of the plan."""
        asked = self._asked.pop(self.closed)
        self.closed += 1
        return [asked[number] for number in sorted(asked)]


class Waves:
    """The waves of a run, handed over in the order of the plan."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._open: list[Block] = []
        self._claimed = Digests(0)
        """Keys of requests that belong to a wave."""

    def begin(self, count: int, on_end: Callable[[], None]) -> Block:
        """The next block, of so many trials; `on_end` is called when the last of them has left."""
        block = Block(self, count, on_end)
        self._open.append(block)
        return block

    def advance(self) -> None:
        """Hand over what is complete."""
        moved = True
        while moved:
            moved = False
            for at, block in enumerate(self._open):
                earlier = self._open[:at]
                while block.complete and all(e.ended or e.closed > block.closed for e in earlier):
                    self._hand_over(block.close_wave())
                    moved = True
        self._open = [block for block in self._open if not block.ended]

    def _hand_over(self, places: list[_Place]) -> None:
        parts: dict[int, _Part] = {}
        for place in places:
            request, reply = place.request, place.reply
            part = parts.setdefault(id(place.model), _Part(place.model))
            if self._claimed.put(short_key(request.key), b""):
                part.requests[request.key] = request
            if reply is None:
                continue
            if request.key in part.requests:
                part.replies[request.key] = reply
            else:  # the wave that it belongs to has failed to answer it
                self._send(_Part(place.model, {request.key: request}, {request.key: reply}))
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
