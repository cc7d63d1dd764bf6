"""Rate limits: rates set by the user, and waits requested by the server.

Where the server says that a rate was exceeded, nothing is sent until the time that it names is over; then requests go
one at a time, and more with each reply. Waiting costs no attempt and is no failure.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from time import monotonic

_MARGIN = 0.02
"""Share of a told wait that is added to it, since servers round."""
_BURST = 10.0
"""Seconds of the token rate that may be spent at once."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one model may be asked."""

    requests: float | None = None
    """A minute."""
    tokens: float | None = None
    """A minute, of conversations and replies together."""


UNLIMITED = Rates()


class Allowance:
    """Lets requests through one after the other as the rates allow. For one event loop."""

    def __init__(
        self,
        rates: Rates = UNLIMITED,
        *,
        give_up_after: float = 900.0,
        base: float = 0.5,
        cap: float = 30.0,
    ) -> None:
        """`give_up_after`: longest time without a reply that a rate limit is waited out, in seconds. `base` and
        `cap`: the first and the longest wait where the server names none; it doubles in between."""
        self._rates = rates
        self._give_up_after = give_up_after
        self._base, self._cap = base, cap
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()
        self._flying = 0
        self._most = math.inf
        self._until = 0.0
        self._next = 0.0
        self._tokens = _BURST * (rates.tokens or 0.0) / 60
        self._filled = monotonic()
        self._mean = 0.0
        self._replies = 0
        self._since: float | None = None
        """When the first of the refusals came that no reply has followed."""
        self._held_at = 0.0
        self._refusals = 0
        self.waited = 0.0
        """Seconds in which nothing was sent because the server asked for that."""

    async def enter(self) -> float:
        """Wait for leave to send one request; returns when it was sent."""
        if self._most == math.inf and self._rates.requests is None and self._rates.tokens is None:
            self._flying += 1
            return monotonic()
        async with self._turn:
            while True:
                wait = max(self._until, self._next) - monotonic()
                wait = max(wait, self._short_of_tokens())
                if wait > 0:
                    await asyncio.sleep(wait)
                elif self._flying >= self._most:
                    self._freed.clear()
                    await self._freed.wait()
                else:
                    break
            now = monotonic()
            if self._rates.requests is not None:
                self._next = max(now, self._next) + 60.0 / self._rates.requests
            self._tokens -= self._mean
            self._flying += 1
            return now

    def leave(self) -> None:
        """The request has ended, however."""
        self._flying -= 1
        self._freed.set()

    def answered(self, tokens: int) -> None:
        """A reply of so many tokens came."""
        self._since, self._refusals = None, 0
        self._most += 1
        self._tokens += self._mean - tokens
        self._replies += 1
        self._mean += (tokens - self._mean) / self._replies

    def refused(self, sent: float, told: float | None) -> bool:
        """A request sent at `sent` was refused for its rate; whether it is to be sent again.

        `told` is the wait that the server asks for, in seconds.
        """
        now = monotonic()
        if sent >= self._held_at:
            self._refusals += 1
            self._held_at = now
        wait = min(self._cap, self._base * 2.0 ** min(self._refusals - 1, 20))
        if told is not None:
            wait = told * (1 + _MARGIN) + _MARGIN
        self._since = now if self._since is None else self._since
        if now - self._since + wait > self._give_up_after:
            return False
        self.waited += max(0.0, now + wait - max(now, self._until))
        self._until = max(self._until, now + wait)
        self._most = 1.0
        return True

    def reset(self) -> None:
        """Forget what belongs to an event loop that has ended."""
        self._turn, self._freed, self._flying = asyncio.Lock(), asyncio.Event(), 0

    def _short_of_tokens(self) -> float:
        """Seconds until the next request may take its tokens."""
        if self._rates.tokens is None:
            return 0.0
        now, rate = monotonic(), self._rates.tokens / 60
        self._tokens = min(_BURST * rate, self._tokens + (now - self._filled) * rate)
        self._filled = now
        return max(0.0, (min(self._mean, _BURST * rate) - self._tokens) / rate)
