"""The pace against simulated servers, in simulated time; the gate in a real event loop."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.models.http.concurrency import START, Gate, Pace, Ticket

Server = Callable[[float, int], tuple[float, bool]]
"""(now, requests in flight with this one) -> (seconds until the reply, whether it is one)."""


class Course:
    """What became of a simulated run."""

    def __init__(self) -> None:
        self.levels: list[tuple[float, float]] = []
        self.replies: list[float] = []
        self.refusals: list[float] = []

    def level(self, start: float, end: float = 1e9) -> float:
        """Mean level over a stretch of time."""
        seen = [level for time, level in self.levels if start <= time < end]
        return sum(seen) / len(seen)

    def rate(self, start: float, end: float) -> float:
        return sum(start <= time < end for time in self.replies) / (end - start)


def simulate(pace: Pace, server: Server, *, seconds: float) -> Course:
    """As many requests as the pace lets fly, for a while; a refused one is put again after 50 ms."""
    course, now, flying, number = Course(), 0.0, 0, 0
    ends: list[tuple[float, int, Ticket, bool]] = []
    while now < seconds:
        while flying < pace.room:
            flying += 1
            took, well = server(now, flying)
            number += 1
            heapq.heappush(ends, (now + took, number, pace.send(now), well))
        now, _, ticket, well = heapq.heappop(ends)
        if well:
            pace.answered(ticket, now, full=flying >= pace.room)
            course.replies.append(now)
        else:
            pace.overloaded(ticket, now)
            course.refusals.append(now)
        flying -= 1
        course.levels.append((now, pace.level))
        assert 1 <= pace.room <= pace.most
    return course


def steady(latency: float) -> Server:
    return lambda now, flying: (latency, True)


def limited(capacity: int, *, latency: float = 0.1) -> Server:
    """Refuses what is over its capacity at once, as a 429 is quick."""
    return lambda now, flying: (latency, True) if flying <= capacity else (0.01, False)


def test_a_server_that_bears_all_is_given_all_within_three_round_trips() -> None:
    course = simulate(Pace(most=64), steady(0.05), seconds=3)
    assert course.levels[0][1] <= START + 1
    assert course.level(0.15) == 64


def test_the_lesser_of_start_and_most_is_where_it_begins() -> None:
    assert Pace(most=4).room == 4
    assert Pace(most=512).room == START


@pytest.mark.parametrize("capacity", [3, 10, 25, 48])
def test_a_server_that_refuses_the_excess_is_kept_near_its_capacity(capacity: int) -> None:
    course = simulate(Pace(most=64), limited(capacity), seconds=120)
    assert 0.6 * capacity <= course.level(20) <= 1.05 * capacity + 1
    assert course.rate(20, 120) >= 0.6 * capacity / 0.1
    late = [time for time in course.refusals if time > 20]
    spent = len(late) / (course.rate(20, 120) * 100)
    assert spent < (0.3 if capacity == 3 else 0.1), "few requests are spent on finding out"


def test_capacity_that_comes_back_is_used_again() -> None:
    small, large = limited(6), limited(1000)
    course = simulate(
        Pace(most=32), lambda now, n: (small if now < 30 else large)(now, n), seconds=90
    )
    assert course.level(10, 30) < 8
    assert course.level(60) == 32


def test_a_server_that_chokes_is_spared() -> None:
    """Latency grows with the square of the load over 12: more in flight is less done."""

    def choking(now: float, flying: int) -> tuple[float, bool]:
        return 0.2 * max(1.0, flying / 12) ** 2, True

    free = simulate(Pace(most=12), choking, seconds=120)
    paced = simulate(Pace(most=256), choking, seconds=120)
    assert paced.level(30) < 80
    assert paced.rate(30, 120) > 0.5 * free.rate(30, 120)
    unpaced = 256 / choking(0, 256)[0]
    assert paced.rate(30, 120) > 5 * unpaced


def test_a_queue_at_the_server_stops_the_rise() -> None:
    """A capacity of 32 and a queue behind it: more in flight only waits longer."""
    course = simulate(Pace(most=512), lambda now, n: (0.1 * max(1.0, n / 32), True), seconds=60)
    assert course.level(10) < 128
    assert course.rate(10, 60) == pytest.approx(320, rel=0.05)


def test_longer_answers_are_no_overload() -> None:
    """A task that asks for a word, then one that asks for reasons: twenty times the latency, whatever the level."""
    course = simulate(Pace(most=64), lambda now, n: (0.2 if now < 10 else 4.0, True), seconds=200)
    assert course.level(5, 10) == 64
    assert course.level(60) > 55


def test_answers_of_very_different_length_are_no_overload() -> None:
    draw = random.Random(4)
    course = simulate(Pace(most=64), lambda now, n: (draw.choice((0.1, 3.0)), True), seconds=120)
    assert course.level(20) > 48


def test_requests_that_hang_are_no_overload() -> None:
    """One picture in twenty is never answered, and its time runs out after 5 s."""
    draw = random.Random(6)
    hangs = simulate(
        Pace(most=64), lambda now, n: (5.0 if draw.random() < 0.05 else 0.1, True), seconds=120
    )
    assert hangs.level(30) > 40


def test_one_burst_of_refusals_is_one_decrease() -> None:
    pace = Pace(most=64, level=64.0)
    burst = [pace.send(1.0) for _ in range(40)]
    for ticket in burst:
        pace.overloaded(ticket, 2.0)
    assert pace.level == 32
    pace.overloaded(pace.send(2.5), 3.0)
    assert pace.level == 16


def test_a_level_that_is_not_used_up_does_not_grow() -> None:
    pace = Pace(most=64)
    for number in range(1000):
        pace.answered(pace.send(float(number)), number + 0.1, full=False)
    assert pace.level == START


@given(
    most=st.integers(1, 300),
    events=st.lists(
        st.tuples(st.sampled_from("aaof"), st.floats(0, 100), st.floats(0, 1), st.booleans()),
        max_size=300,
    ),
)
def test_the_level_stays_between_one_and_most(
    most: int, events: list[tuple[str, float, float, bool]]
) -> None:
    pace, now = Pace(most=most), 0.0
    for what, took, passed, full in events:
        now += passed
        ticket = pace.send(now - took)
        if what == "a":
            pace.answered(ticket, now, full=full)
        elif what == "o":
            pace.overloaded(ticket, now)
        else:
            pace.failed(ticket, now)
        assert 1 <= pace.room <= most


async def test_the_gate_lets_through_as_many_as_there_is_room_for_in_order() -> None:
    gate, inside, order = Gate(Pace(most=3)), 0, []

    async def one(number: int) -> None:
        nonlocal inside
        async with gate:
            inside += 1
            assert inside <= 3
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(number) for number in range(50)))
    assert order == list(range(50))
    assert not gate.full


async def test_a_place_of_one_that_was_cancelled_goes_to_the_next() -> None:
    gate = Gate(Pace(most=1))
    came: list[int] = []

    async def one(number: int) -> None:
        async with gate:
            came.append(number)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(one(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()  # it still waits
    await tasks[0]
    tasks[2].cancel()  # its turn has just come
    await asyncio.wait(tasks)
    assert came[0] == 0 and came[-1] == 3 and 1 not in came
    assert not gate.full


async def test_a_lower_level_lets_those_inside_finish_and_holds_the_rest() -> None:
    pace = Pace(most=8, level=8.0)
    gate, most_late = Gate(pace), 0
    inside = 0

    async def one(number: int) -> None:
        nonlocal inside, most_late
        async with gate:
            inside += 1
            if number == 0:
                pace.overloaded(pace.send(0.0), 0.0)
            await asyncio.sleep(0.002)
            if number >= 8:
                most_late = max(most_late, inside)
            inside -= 1

    await asyncio.gather(*(one(number) for number in range(40)))
    assert most_late == 4
