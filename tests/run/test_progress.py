"""The progress line: a rate over what was answered, not over the start of a server."""

from __future__ import annotations

import io

import pytest

from harness.run.progress import Progress
from harness.run.tally import Tally


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("harness.run.progress.time", made)
    return made


def test_the_rate_counts_from_the_first_reply(clock: Clock) -> None:
    out = io.StringIO()
    with Progress(total=101, file=out) as progress:
        clock.now += 600  # a server starts
        progress.update(Tally(trials=1, asked=1))
        clock.now += 20
        progress.update(Tally(trials=41, asked=41))
    first, second, _ = out.getvalue().splitlines()
    assert first == "1 of 101 trials (1%)"
    assert second == "41 of 101 trials (41%), 2.0/s, 0:30 left"


def test_what_the_journal_held_is_not_in_the_rate(clock: Clock) -> None:
    out = io.StringIO()
    with Progress(total=1100, file=out) as progress:
        progress.update(Tally(trials=1000, reused=1000))
        clock.now += 20
        progress.update(Tally(trials=1001, reused=1000, asked=1))
        clock.now += 20
        progress.update(Tally(trials=1021, reused=1000, asked=21, failed=2))
    *_, last = out.getvalue().splitlines()
    assert last == "1,021 of 1,100 trials (93%), 1.0/s, 1:19 left, 1,000 reused, 2 FAILED"


def test_a_run_of_one_trial_has_no_rate(clock: Clock) -> None:
    out = io.StringIO()
    with Progress(total=1, file=out) as progress:
        clock.now += 5
        progress.update(Tally(trials=1, asked=1))
    assert out.getvalue() == "1 of 1 trials (100%)\n"


def test_the_first_second_tells_no_rate() -> None:
    from types import SimpleNamespace

    from harness.run.progress import Rate

    rate, tally = Rate(), SimpleNamespace(asked=1, trials=1)
    rate.note(tally, 10.0)
    tally.trials = 500
    assert rate.at(tally, 10.5) == 0.0
    assert rate.at(tally, 12.0) == 249.5
