"""Stop conditions of a run: too many failed requests, or the time limit."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.generation import Failure

FIRST = 20
"""Requests before the rate is judged."""
RECENT = 100
"""Requests that it is judged over: a server that dies late in a run is noticed as soon as one that never lived."""
RESUME = "run the same command again to continue; only missing requests are sent"

_OF_THE_SAMPLE = ("media", "unsupported")
"""Failures that no server can help: a sample is as bad tomorrow."""
_Z = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a run before its plan is done."""

    max_error_rate: float = 0.2
    """Share of failed requests, 0 to 1, above which a run stops; 1 never stops, 0 at the first failure."""
    seconds: float | None = None
    """Longest time of all requests together; None means no end."""
    cost: tuple[float, str] | None = None
    """The most that the replies in the folder may cost, and its currency (empty: that of the prices); None: no limit."""


class ErrorWatch:
    """The failures of the last `RECENT` requests. A failure is what stood after the last try."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_error_rate
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._said = ""

    def note(self, failure: Failure | None) -> None:
        """Take note of one request that a model was asked; None means that it replied."""
        if failure is None:
            self._recent.append("")
        elif failure.kind not in _OF_THE_SAMPLE:
            self._recent.append(failure.kind)
            self._said = failure.detail

    def check(self) -> None:
        """Raise HarnessError where more fail than allowed, by more than chance would have it."""
        count = len(self._recent)
        few = count < (FIRST if self._most > 0 else 1)
        if self._most >= 1 or few or not any(self._recent):
            return
        failed = Counter(kind for kind in self._recent if kind)
        total = failed.total()
        if least_rate(total, count) > self._most:
            kinds = ", ".join(f"{kind} {n}" for kind, n in failed.most_common())
            raise HarnessError(
                f"stopped: {total} of the last {count} requests failed ({kinds}); last "
                f"failure: {self._said}",
                hint=f"check the server; {RESUME} (limit: --max-error-rate {self._most:g})",
            )


def least_rate(failed: int, count: int) -> float:
    """Lower end of the Wilson score interval of a rate, z = 2 (Wilson 1927)."""
    if not failed:
        return 0.0
    share, extra = failed / count, _Z * _Z / count
    half = _Z * math.sqrt(share * (1 - share) / count + extra / (4 * count))
    return (share + extra / 2 - half) / (1 + extra)
