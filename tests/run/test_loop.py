"""Work with an event loop of its own: beside a running loop, stopped from another thread, cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

from harness.run.loop import Stop, Stopped, complete, in_thread

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


async def where() -> tuple[int, str]:
    await asyncio.sleep(0)
    return threading.get_ident(), NAME.get()


def test_without_a_running_loop_the_work_is_done_in_this_thread() -> None:
    assert complete(where)[0] == threading.get_ident()


async def test_beside_a_running_loop_it_has_a_thread_and_the_same_context() -> None:
    NAME.set("somebody")
    thread, name = complete(where)
    assert thread != threading.get_ident()
    assert name == "somebody"


async def test_errors_come_through_from_the_thread() -> None:
    async def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        complete(broken)


def test_a_stop_from_another_thread_cancels_and_waits_for_the_end() -> None:
    stop, ended = Stop(), []

    async def endless() -> None:
        try:
            threading.Timer(0.05, stop.request).start()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    with pytest.raises(Stopped):
        complete(endless, stop=stop)
    assert ended == [True]
    with pytest.raises(Stopped):
        complete(where, stop=stop)


async def test_an_awaiting_task_that_is_cancelled_stops_the_call_and_the_loop_stays_free() -> None:
    ended, begun = [], threading.Event()

    async def endless() -> None:
        try:
            begun.set()
            await asyncio.sleep(60)
        finally:
            ended.append(threading.get_ident())

    task = asyncio.create_task(in_thread(lambda stop: complete(endless, stop=stop)))
    while not begun.is_set():
        await asyncio.sleep(0.01)  # this loop goes on meanwhile
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended
    assert ended[0] != threading.get_ident()


INTERRUPTED = """
import asyncio, os, signal, threading
from harness.run.loop import complete

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background

async def endless():
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        print("ended")

async def cell():
    complete(endless)
    print("never")

try:
    {how}
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(
    "how", ["asyncio.new_event_loop().run_until_complete(cell())", "asyncio.run(cell())"]
)
def test_an_interrupt_beside_a_running_loop_ends_the_work_first(how: str) -> None:
    """As a kernel runs its loop, and as a script does."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(how=how)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["ended", "interrupted"], done.stderr
