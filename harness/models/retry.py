"""Waiting times before retries."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from harness.core.generation import ErrorKind, Generation


class Failing(Protocol):
    """One attempt that brought no reply."""

    @property
    def kind(self) -> ErrorKind: ...

    @property
    def detail(self) -> str: ...

    @property
    def again(self) -> bool:
        """Whether waiting may help."""
        ...

    @property
    def told(self) -> float | None:
        """Seconds of the server's Retry-After."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries and pauses. All times in seconds."""

    tries: int = 5
    """Most attempts for one request, the first included."""
    base: float = 0.5
    """Pause after the first failure; it doubles with each."""
    cap: float = 30.0
    """Longest pause of our own."""
    most: float = 60.0
    """Longest Retry-After that is waited for; a request told to wait longer fails instead."""
    timeout: float = 120.0
    """Longest wait for one reply."""
    give_up_after: float = 900.0
    """Longest time without a reply that a rate limit is waited out."""

    def spent(self, attempt: int, *, told: float | None = None) -> bool:
        """Whether a request is given up after `attempt`: no try is left, or it is told to wait too long."""
        return attempt >= self.tries or (told or 0.0) > self.most

    def pause(self, key: str, attempt: int, *, told: float | None = None) -> float:
        """Seconds to wait after `attempt` (1 is the first) of the request named `key`.

        Exponential with jitter between half and the whole, drawn from the key, so that a run waits
        the same way each time and requests do not return in step. `told`, a server's Retry-After, is
        the least wait, and a jitter comes on top.
        """
        own = min(self.cap, self.base * 2.0 ** (attempt - 1))
        jitter = random.Random(f"{key}:{attempt}").random()  # noqa: S311 (no secret hangs on it)
        own *= 0.5 + 0.5 * jitter
        return own if told is None else max(own, told + self.base * jitter)

    async def again(self, key: str, attempt: int, fault: Failing) -> bool:
        """Wait until the request named `key` is to be asked again; False at once where it is given up."""
        if not fault.again or self.spent(attempt, told=fault.told):
            return False
        await asyncio.sleep(self.pause(key, attempt, told=fault.told))
        return True

    async def wait(self, key: str, attempt: int, fault: Failing) -> Generation | None:
        """As `again`; the failed Generation where the request is given up."""
        if await self.again(key, attempt, fault):
            return None
        tries = f" (after {attempt} tries)" if attempt > 1 else ""
        return Generation.failed(key, fault.kind, fault.detail + tries)


def retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3).

    None where there is no header or it cannot be read; never below zero.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        return max(0.0, float(text)) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
