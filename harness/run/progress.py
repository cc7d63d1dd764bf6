"""Progress of a run on standard error: a bar with rate and remaining time, or occasional log lines."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from harness.core.price import money

if TYPE_CHECKING:
    from harness.run.budget import Budget
    from harness.run.tally import Tally

LOG_SECONDS = 10.0
"""Between two lines where standard error is not a terminal."""


SHORTEST = 1.0
"""Seconds from the first reply before a rate is told."""


class Rate:
    """How many trials a run does in a second, counted from its first reply: what came before was the start of a
    server, or found in the journal."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        """When the first reply was there, and how many trials then were finished."""

    def note(self, tally: Tally, now: float) -> None:
        """Take note of a finished trial at `now`, in seconds of a clock that only goes forward."""
        if self._first is None and tally.asked:
            self._first = now, tally.trials

    def at(self, tally: Tally, now: float) -> float:
        """Trials a second; 0 where it is not known, as in the first second: what a moment did is no rate."""
        started, done = self._first or (now, 0)
        return (tally.trials - done) / (now - started) if now - started >= SHORTEST else 0.0


class Progress:
    """Context manager; `update` may be called as often as there are trials."""

    def __init__(self, *, total: int, file: TextIO) -> None:
        self._total = total
        self._file = file
        self._shown = time.monotonic()
        self._rate = Rate()
        self._terminal = file.isatty()
        self._last = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._last:
            self._print(self._last, final=True)

    def update(self, tally: Tally) -> None:
        """Take note of a finished trial; prints at most a few times a second."""
        now = time.monotonic()
        self._rate.note(tally, now)
        if (
            now - self._shown < (0.1 if self._terminal else LOG_SECONDS)
            and tally.trials < self._total
        ):
            return
        self._shown = now
        self._last = progress_line(tally, self._total, self._rate.at(tally, now))
        if tally.trials < self._total:
            self._print(self._last)

    def _print(self, line: str, *, final: bool = False) -> None:
        if self._terminal:
            self._file.write(f"\r\x1b[K{line}" + ("\n" if final else ""))
        else:
            self._file.write(f"{line}\n")
        self._file.flush()


def progress_line(tally: Tally, total: int, rate: float) -> str:
    """How far a run of `total` trials is; `rate`: trials a second, 0 where it is not known."""
    left = _clock((total - tally.trials) / rate) if rate else ""
    pace = f", {rate:,.1f}/s, {left} left" if rate else ""
    share = tally.trials / total if total else 1.0
    notes = f", {tally.reused:,} reused" if tally.reused else ""
    notes += f", {tally.taken.total():,} from other folders" if tally.taken else ""
    notes += f", {tally.failed:,} FAILED" if tally.failed else ""
    notes += _spent(tally.budget)
    standing = tally.standing()
    notes += f", {standing}" if standing else ""
    return f"{tally.trials:,} of {total:,} trials ({share:.0%}){pace}{notes}"


def _spent(budget: Budget | None) -> str:
    """`, 0.52 USD`, or `, 0.52 of 5.00 USD`; nothing without a price."""
    if budget is None or not budget.currency:
        return ""
    most = "" if budget.limit is None else f" of {money(budget.limit, budget.currency)}"
    spent = money(budget.spent, budget.currency)
    return f", {spent.removesuffix(f' {budget.currency}') if most else spent}{most}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
