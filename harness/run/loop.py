"""An event loop for blocking calls, also inside a running loop (in a notebook)."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")

LOOK = 0.2
"""Seconds between two looks whether a task that waits was cancelled or interrupted."""


class Stopped(Exception):
    """The work was ended by :meth:`Stop.request`."""


class Stop:
    """Ends work that another thread does: what `run` is at is cancelled, and `check` raises."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._cancel: Callable[[], object] | None = None

    def request(self) -> None:
        """End the work as soon as it can be ended; may be called from any thread, more than once."""
        with self._lock:
            self._requested = True
            if self._cancel is not None:
                self._cancel()

    def check(self) -> None:
        """Raise Stopped where an end was requested: between two steps that cannot be cancelled."""
        if self._requested:
            raise Stopped

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work()` gives, run in a new event loop. Raises Stopped where an end was requested."""
        self.check()
        try:
            return asyncio.run(self._watched(work))
        except asyncio.CancelledError:
            self.check()
            raise

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._watch(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            return await work()
        finally:
            self._watch(None)

    def _watch(self, cancel: Callable[[], object] | None) -> None:
        with self._lock:
            self._cancel = cancel
            if cancel is not None and self._requested:
                cancel()


def complete(work: Callable[[], Coroutine[Any, Any, T]], *, stop: Stop | None = None) -> T:
    """What `work()` gives, run to its end.

    Where an event loop is running in this thread, the work has a loop in a thread beside it, and this one waits.
    Ctrl-C cancels the work, waits until it has ended, and raises KeyboardInterrupt. Raises Stopped where `stop` was
    requested.
    """
    ending = stop or Stop()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return ending.run(work)
    return _beside(lambda: ending.run(work), ending)


def _beside(call: Callable[[], T], stop: Stop) -> T:
    """What `call()` gives, called in a thread beside this one, with the context variables of this one."""
    context, task = contextvars.copy_context(), asyncio.current_task()
    with ThreadPoolExecutor(1, thread_name_prefix="harness-run") as pool:
        done = pool.submit(context.run, call)
        try:
            while not wait([done], timeout=LOOK).done:
                if task is not None and task.cancelling():  # how asyncio.run takes Ctrl-C
                    stop.request()
            return done.result()
        except KeyboardInterrupt:
            stop.request()
            raise
        except Stopped:
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None
            raise


async def in_thread(call: Callable[[Stop], T]) -> T:
    """What `call(stop)` gives, called in a thread, so that the running loop stays free.

    Where the awaiting task is cancelled, the call is stopped and its end is waited for.
    """
    stop, context = Stop(), contextvars.copy_context()
    future = asyncio.get_running_loop().run_in_executor(None, context.run, call, stop)
    try:
        while (
            not future.done()
        ):  # the kernel of a notebook sees an interrupt only when its loop wakes
            await asyncio.wait({future}, timeout=LOOK)
        return future.result()
    except asyncio.CancelledError:
        stop.request()
        await asyncio.wait({future})
        if not future.cancelled():
            future.exception()  # it was stopped: what it says is no news
        raise
