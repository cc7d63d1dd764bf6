"""Confidence intervals, and Wilson's interval of a proportion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval and what it rests on."""

    low: float
    """nan where there is no interval; ``reason`` then says why."""
    high: float
    level: float
    """Nominal coverage, 0..1."""
    method: str
    """How it was made, to be printed beside it."""
    clusters: int
    """Independent units it rests on (for Wilson: trials)."""
    draws: int = 0
    """Resamples drawn; 0 for a closed form or the jackknife."""
    undefined: int = 0
    """Resamples left out because the metric was undefined in them."""
    reason: str = ""
    """Why there is no interval, or why its width is not to be trusted; else empty."""
    simulated: tuple[float, float] | None = None
    """How often such intervals of so few clusters hold the truth in simulations, least and most over populations; None
    from 30 clusters on, for closed forms, and where it was not simulated."""

    @property
    def known(self) -> bool:
        """Whether there are bounds."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def is_point(self) -> bool:
        """Whether the bounds are one number: what is resampled is all alike, which is no certainty."""
        return self.known and math.isclose(self.low, self.high, abs_tol=1e-12)


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson (1927) score interval of a share of n independent trials, within 0..1.

    nan bounds for n = 0. Raises HarnessError unless 0 <= successes <= n and 0 < level < 1.
    """
    check_level(level)
    if not 0 <= successes <= n:
        raise HarnessError(
            f"{successes} successes in {n} trials", hint="pass counts with 0 <= successes <= n"
        )
    if n == 0:
        return Interval(math.nan, math.nan, level, "Wilson", 0, reason="no samples")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high, level, "Wilson", n)


def check_level(level: float) -> None:
    """Raise HarnessError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise HarnessError(f"level {level} is not between 0 and 1", hint="use a value such as 0.95")
