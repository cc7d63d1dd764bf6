from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binomtest

from harness.core.errors import HarnessError
from harness.core.generation import Failure
from harness.run.log import read_log
from harness.run.stop import ErrorWatch, Limits, least_rate
from tests.run.bench import RuleModel, make_world

SERVER = Failure("server", "HTTP 500: out of memory")


def watch(pattern: str, rate: float = 0.2) -> int | None:
    """After how many requests the watch stops the run; x is a failure."""
    watching = ErrorWatch(Limits(max_error_rate=rate))
    for number, sign in enumerate(pattern, 1):
        watching.note(SERVER if sign == "x" else None)
        try:
            watching.check()
        except HarnessError:
            return number
    return None


def test_a_run_of_failures_stops_after_the_first_twenty() -> None:
    assert watch("x" * 60) == 20
    assert watch("x" * 19) is None


def test_a_server_that_dies_late_is_noticed_within_a_hundred() -> None:
    stopped = watch("." * 5000 + "x" * 200)
    assert stopped is not None and 5020 <= stopped <= 5040


def test_a_few_failures_stop_nothing() -> None:
    assert watch(("." * 19 + "x") * 200) is None
    assert watch("x" * 4 + "." * 500) is None


def test_one_never_stops_and_zero_stops_at_the_first() -> None:
    assert watch("x" * 500, rate=1.0) is None
    assert watch("...x", rate=0.0) == 4
    assert watch("." * 300, rate=0.0) is None


def test_failures_of_the_sample_are_no_fault_of_the_server() -> None:
    watching = ErrorWatch(Limits())
    for _ in range(200):
        watching.note(Failure("media", "broken"))
        watching.note(Failure("unsupported", "too many"))
        watching.check()


def test_the_error_says_what_failed_and_how_to_go_on() -> None:
    watching = ErrorWatch(Limits())
    for _ in range(30):
        watching.note(SERVER)
    with pytest.raises(HarnessError) as caught:
        watching.check()
    assert "30 of the last 30" in caught.value.message
    assert "server 30" in caught.value.message and "out of memory" in caught.value.message
    assert "run the same command again" in caught.value.hint


@pytest.mark.parametrize(("failed", "count"), [(1, 20), (5, 20), (20, 20), (30, 100), (99, 100)])
def test_the_least_rate_is_wilsons(failed: int, count: int) -> None:
    confidence = 0.9544997361036416  # z = 2
    expected = binomtest(failed, count).proportion_ci(confidence, method="wilson").low
    assert least_rate(failed, count) == pytest.approx(expected)


def test_a_stopped_run_goes_on_and_asks_only_what_is_missing(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=120)
    dying = RuleModel(fail=lambda request: len(dying.asked) > 50)
    with pytest.raises(HarnessError, match="stopped"):
        world.run(dying)
    kept = len(list(read_log(world.folder.generations)))
    assert kept == 50
    assert len(dying.asked) < 100
    well = RuleModel()
    _, tally = world.run(well)
    assert len(well.asked) == 70
    assert (tally.failed, tally.reused) == (0, 50)
