"""Find the number of concurrent requests that a server handles, while it works.

Additive increase, multiplicative decrease (Chiu and Jain 1989, "Analysis of the increase and decrease
algorithms for congestion avoidance in computer networks"), with TCP's slow start before the first sign of
overload (RFC 5681, section 3.1). Time is passed in, so that the rule can be tried without waiting.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass

START = 32
"""Requests in flight at first, where as many are allowed and nobody asked for a number."""

_LEAST_ROUND = 16
"""Replies that a mean latency is taken over, at least."""
_SLOWER, _TOO_SLOW = 1.5, 3.0
"""Mean latency in units of the least: growth slows down; fewer are sent."""
_CURED = 0.8
"""A decrease that leaves more than this share of the latency did not help."""
_PROMPT = 0.05
"""Seconds: below this a mean latency is never a sign of overload."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request that was sent."""

    sent: float
    round: int
    """The round that it is measured for; 0 for none."""


@dataclass(slots=True)
class Pace:
    """The level, and what the current round says of it. All times in seconds.

    A round is the first so many requests sent at a level, and is judged when the last of them has ended:
    were it ended by a number of replies, short answers would be over-represented.
    """

    most: int
    """The level is never above this, and never below 1."""
    level: float = 0.0
    """Requests that may be in flight; 0 means `START` or `most`, whichever is less."""
    _rising: bool = True
    """No sign of overload yet: one more for each reply, which doubles the level in a round trip."""
    _since: float = -math.inf
    """When the round began; what was sent before it was sent at another level."""
    _at: float = 0.0
    """The level when the round began: what its latency is the latency of."""
    _number: int = 0
    _size: int = 0
    _sent: int = 0
    _ended: int = 0
    _replies: int = 0
    _total: float = 0.0
    _least: float = math.inf
    """Least mean latency of a round."""
    _before: tuple[float, float] | None = None
    """Level and mean latency before the last decrease that slowness brought, until it is judged."""

    def __post_init__(self) -> None:
        self.level = self.level or float(min(START, self.most))
        self._begin(-math.inf)

    @property
    def room(self) -> int:
        """The level in whole requests."""
        return max(1, int(self.level))

    def send(self, now: float) -> Ticket:
        """A request is sent; hand its ticket to one of `answered`, `overloaded` and `failed`."""
        if self._sent == self._size:
            return Ticket(now, 0)
        self._sent += 1
        return Ticket(now, self._number)

    def answered(self, ticket: Ticket, now: float, *, full: bool) -> None:
        """A reply came, or its time ran out, which is slowness. `full` says that the level was used up: only
        then can more be known to be borne.
        """
        if ticket.sent < self._since:
            return
        if full:
            grown = self.level + (1.0 if self._rising else 1.0 / self.level)
            self.level = min(float(self.most), grown)
        if ticket.round == self._number:
            self._replies += 1
            self._total += now - ticket.sent
            self._end_one(now)

    def overloaded(self, ticket: Ticket, now: float) -> None:
        """The server said that it has too much to do.

        All that was sent at the same level brings one decrease together.
        """
        if ticket.sent >= self._since:
            self._before = None
            self._decrease(now)

    def failed(self, ticket: Ticket, now: float) -> None:
        """The request ended in a way that says nothing of the load."""
        if ticket.round == self._number:
            self._end_one(now)

    def _end_one(self, now: float) -> None:
        self._ended += 1
        if self._ended == self._size:
            if self._replies:
                self._judge(self._total / self._replies, now)
            else:
                self._begin(now)

    def _judge(self, mean: float, now: float) -> None:
        """End a round by its mean latency."""
        before, self._before = self._before, None
        again = False
        if before is not None:
            level, latency = before
            if mean > _CURED * latency:  # not the load: the answers themselves take longer now
                self.level, self._least = level, mean
            else:  # fewer at once get as much done
                again = self._at / mean >= level / latency
        self._least = min(self._least, mean)
        if again or (mean > _PROMPT and mean > _TOO_SLOW * self._least):
            self._before = (self._at, mean)
            self.level = self._at
            self._decrease(now)
            return
        if mean > _PROMPT and mean > _SLOWER * self._least:
            self._rising = False
        self._begin(now)

    def _decrease(self, now: float) -> None:
        self.level = max(1.0, self.level / 2)
        self._rising = False
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since, self._at, self._number = now, self.level, self._number + 1
        self._size = max(_LEAST_ROUND, math.ceil(self.level))
        self._sent = self._ended = self._replies = 0
        self._total = 0.0


class Gate:
    """Lets requests through as the pace has room, in the order in which they came. For one event loop."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._flying = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether the level is used up."""
        return self._flying >= self.pace.room

    async def __aenter__(self) -> None:
        if not self._waiting and not self.full:
            self._flying += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if (
                turn.done() and not turn.cancelled()
            ):  # its turn came, and it is not there to take it
                self._flying -= 1
                self._admit()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._flying -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and not self.full:
            turn = self._waiting.popleft()
            if not turn.done():
                self._flying += 1
                turn.set_result(None)
